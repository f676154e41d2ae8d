import { printableText } from '../../base/printable.ts';
import { HASH_FIELD } from '../../rules/fields/process-fields.ts';
import { parseFilter } from '../../rules/filter.ts';
import type { RuleProblem } from '../../rules/problem.ts';
import type { CliConsole } from '../console.ts';
import { InvalidValueError, value } from '../option.ts';

/** A condition of the rule language, which is right once it was read. */
export const filterOption = value(
  'CONDITION',
  'only events of which this condition of the rule language is true',
  readFilter,
);

/** Throws an InvalidValueError that says what is wrong and where. */
export function readFilter(condition: string): string {
  const filter = parseFilter(condition);
  if (!filter.isValid) throw new InvalidValueError(`is wrong at ${placeText(filter.error)}`);
  return condition;
}

/** Says what no event tells yet: checks of it are false. */
export function warnOfFilter(console: CliConsole, condition: string): void {
  const filter = parseFilter(condition);
  if (!filter.isValid) return;
  for (const { message } of filter.warnings) console.notice(`${printableText(message)}\n`);
  if (filter.fields.has(HASH_FIELD))
    console.notice(
      `${HASH_FIELD} has no value before the program was hashed, which begins when it is first started: a rule waits for it, a condition does not\n`,
    );
}

function placeText({ line, column, message, suggestion }: RuleProblem): string {
  const hint = suggestion === null ? '' : `; did you mean ${suggestion}?`;
  return `${line}:${column}: ${message}${hint}`;
}
