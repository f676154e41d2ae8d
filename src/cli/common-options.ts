import type { Verdict } from '../model/finding.ts';
import type { EngineOptions } from './contract.ts';
import type { FindingView } from '../output/views.ts';
import { choice, duration, flag } from './option.ts';

/** Options that several commands share: one wording, one meaning. */

/** From a mere attempt to a proven attack. A blocked one did less than one that worked. */
const VERDICTS = ['PROBED', 'SUSPICIOUS', 'BLOCKED', 'EXPLOITED'] as const satisfies readonly Verdict[];

export const jsonOption = flag('print one JSON object a line, for programs');

export const durationOption = duration('end after so many seconds (also 10m, 2h)');

export const verdictOption = choice('LEVEL', VERDICTS, 'PROBED', 'print findings from this verdict up');

export function reaches(finding: FindingView, minimum: Verdict): boolean {
  return VERDICTS.indexOf(finding.verdict) >= VERDICTS.indexOf(minimum);
}

export const noTlsOption = flag('leave TLS libraries alone: what is inside of HTTPS is not seen');

/** Sensors that the user does not want. */
export function disabledBy(values: { readonly 'no-tls': boolean }): Pick<EngineOptions, 'disabled'> {
  return values['no-tls'] ? { disabled: { tls: 'switched off with --no-tls' } } : {};
}
