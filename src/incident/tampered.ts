import type { Fact } from '../model/event.ts';
import type { Detection } from '../model/finding.ts';

type TamperedFact = Extract<Fact, { kind: 'tampered' }>;

/** Members that the evidence names; all others together are one. */
const MAX_NAMED = 16;

/** Somebody has written into the maps of the kernel side: what that hid until it was put right is not known. */
export function tamperedDetection({ what }: TamperedFact): Detection {
  const [first = 'something'] = what;
  const rest = what.length > 1 ? ` and ${what.length - 1} more` : '';
  return {
    detector: 'integrity',
    verdict: 'SUSPICIOUS',
    class: 'tampering',
    severity: 'critical',
    title: `Somebody changed what Throughline's programs do: ${first}${rest}; put right`,
    cwe: [],
    // Impair Defenses: Disable or Modify Tools; Indicator Blocking.
    attack: ['T1562.001', 'T1562.006'],
    request: null,
    effect: null,
    evidence: [
      ...what.slice(0, MAX_NAMED),
      ...(what.length > MAX_NAMED ? [`${what.length - MAX_NAMED} more`] : []),
    ].map((value) => ({
      source: 'maps of the kernel side',
      value,
      sink: null,
      sinkValue: null,
      offset: -1,
      note: `changed by somebody else: ${value}`,
    })),
  };
}
