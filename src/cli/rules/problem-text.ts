import type { RuleProblem } from '../../rules/problem.ts';
import type { LoadedRules, RuleFileReport } from '../../rules/load/load-rules.ts';
import { printableText } from '../../base/printable.ts';

/** "a.yaml:3:5: unknown field 'proc.nmae'; did you mean proc.name?" */
export function problemLine({ file, line, column, message, suggestion }: RuleProblem): string {
  const hint = suggestion === null ? '' : `; did you mean ${suggestion}?`;
  return `${file}:${line}:${column}: ${message}${hint}`;
}

/** What a check found, for people: safe text of several lines. */
export function reportText(loaded: LoadedRules): string {
  const lines = loaded.files.flatMap((file) => [...fileLines(file), '']);
  const errors = loaded.files.reduce((sum, file) => sum + file.errors.length, 0);
  const warnings = loaded.files.reduce((sum, file) => sum + file.warnings.length, 0);
  const total = [
    `${counted(loaded.rules.length, 'rule')} loaded`,
    counted(errors, 'error'),
    counted(warnings, 'warning'),
  ];
  return [...lines, total.join(', ')].map((line) => printableText(line, 1000)).join('\n') + '\n';
}

function fileLines({ file, rules, macros, lists, errors, warnings }: RuleFileReport): string[] {
  const counts = [counted(rules, 'rule'), counted(macros, 'macro'), counted(lists, 'list')].join(', ');
  return [
    `${file}: ${counts}`,
    ...errors.flatMap((problem) => problemLines('error', problem)),
    ...groups(warnings).flatMap((group) => groupLines(group)),
  ];
}

function problemLines(kind: 'error' | 'warning', problem: RuleProblem): string[] {
  const { line, column, message, text, suggestion } = problem;
  const lines = [`  ${line}:${column}  ${kind}: ${message}`];
  if (text !== '' && !message.includes(`'${text}'`)) lines.push(`    ${text}`);
  if (suggestion !== null) lines.push(`    did you mean ${suggestion}?`);
  return lines;
}

/** Warnings that say the same of several places. */
function groups(warnings: readonly RuleProblem[]): readonly (readonly RuleProblem[])[] {
  return [...Map.groupBy(warnings, ({ code, message }) => `${code} ${message}`).values()];
}

function groupLines(group: readonly RuleProblem[]): string[] {
  const [first] = group;
  if (first === undefined) return [];
  if (group.length === 1) return problemLines('warning', first);
  const { line, column, message } = first;
  return [
    `  ${line}:${column}  warning: ${message} (here and in ${counted(group.length - 1, 'other place')})`,
  ];
}

function counted(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? '' : 's'}`;
}
