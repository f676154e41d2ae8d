import type { JsonMessage } from '../throughline.ts';

/** The rule of test/operations/marks.yaml. */
export const MARK = 'Mark';

interface Alert {
  readonly rule: string;
  readonly output: string;
  readonly timeNs: bigint;
  readonly mark: string | null;
}

/** The alerts of one step. */
export interface Fired {
  readonly rules: readonly string[];
  /** Texts of the alerts, for people. */
  readonly outputs: readonly string[];
}

/** What was raised between the marks of which step, by its name; under '' what was raised outside of all. */
export function firedBySteps(messages: readonly JsonMessage[]): Map<string, Fired> {
  const alerts = messages.filter(({ kind }) => kind === 'alert').map(alertOf);
  // In the order of the events: a rule that waits for something is told later than those behind it.
  alerts.sort((left, right) => (left.timeNs < right.timeNs ? -1 : left.timeNs > right.timeNs ? 1 : 0));
  const result = new Map<string, { rules: Set<string>; outputs: string[] }>();
  const of = (step: string) => {
    const known = result.get(step) ?? { rules: new Set<string>(), outputs: [] };
    result.set(step, known);
    return known;
  };
  let current = '';
  for (const { rule, output, mark } of alerts) {
    const [, what, name = ''] = mark?.split(' ') ?? [];
    if (mark === null) {
      of(current).rules.add(rule);
      of(current).outputs.push(output);
    } else if (what === 'begins') {
      current = name;
      of(current);
    } else {
      current = '';
    }
  }
  return new Map(
    [...result].map(([step, { rules, outputs }]) => [step, { rules: [...rules].toSorted(), outputs }]),
  );
}

function alertOf(message: JsonMessage): Alert {
  const { rule, output, time, output_fields: fields } = message;
  const mark = (fields as Readonly<Record<string, unknown>>)['proc.args'];
  return {
    rule: String(rule),
    output: String(output),
    timeNs: nanosecondsOf(String(time)),
    mark: rule === MARK ? String(mark) : null,
  };
}

/** Of a time such as 2026-01-02T03:04:05.123456789Z. */
function nanosecondsOf(time: string): bigint {
  const [, seconds = '', fraction = ''] = /^([^.]*)(?:\.(\d+))?Z$/.exec(time) ?? [];
  const ms = Date.parse(`${seconds}Z`);
  if (Number.isNaN(ms)) throw new Error(`what time is ${time}?`);
  return BigInt(ms) * 1_000_000n + BigInt(fraction.padEnd(9, '0').slice(0, 9));
}
