import type { Fact } from '../model/event.ts';
import type { Detection, Evidence } from '../model/finding.ts';

type KilledFact = Extract<Fact, { kind: 'killed' }>;
type TamperedFact = Extract<Fact, { kind: 'tampered' }>;

/** Members that the evidence names; all others together are one. */
const MAX_NAMED = 16;

/** Somebody has written into the maps of the kernel side: what that hid until it was put right is not known. */
export function tamperedDetection({ what }: TamperedFact): Detection {
  const [first = 'something'] = what;
  const rest = what.length > 1 ? ` and ${what.length - 1} more` : '';
  const more = what.length > MAX_NAMED ? [`${what.length - MAX_NAMED} more`] : [];
  return detectionOf(
    'critical',
    `Somebody changed what is Throughline's own: ${first}${rest}; put right`,
    [...what.slice(0, MAX_NAMED), ...more].map((value) =>
      evidenceOf('host', value, `changed by somebody else: ${value}`),
    ),
  );
}

/** Who did it is not known any more; the kernel does so, too, where memory runs out. */
export function killedDetection({ pid, startedAt }: KilledFact): Detection {
  const since = startedAt === '' ? '' : `, started ${startedAt},`;
  return detectionOf('high', `Throughline was killed: process ${pid}${since} ended without a word`, [
    evidenceOf('host', String(pid), 'nothing was seen from its end to the start of this one'),
  ]);
}

function detectionOf(severity: Detection['severity'], title: string, evidence: Evidence[]): Detection {
  return {
    detector: 'integrity',
    verdict: 'SUSPICIOUS',
    class: 'tampering',
    severity,
    title,
    cwe: [],
    // Impair Defenses: Disable or Modify Tools; Indicator Blocking.
    attack: ['T1562.001', 'T1562.006'],
    request: null,
    effect: null,
    evidence,
  };
}

function evidenceOf(source: string, value: string, note: string): Evidence {
  return { source, value, sink: null, sinkValue: null, offset: -1, note };
}
