import { printableText } from '../../base/printable.ts';
import type { RuleTestReport, TestedRule, TestedWork, TestFailure } from '../../rules/test-report.ts';
import { defineCommand } from '../command.ts';
import { flag } from '../option.ts';
import { problemLine } from './problem-text.ts';

export const testCommand = defineCommand({
  name: 'rules test',
  summary: 'run the tests of a folder of rules',
  description: [
    'Loads the rules of a folder, makes the events that the files in its folder "tests" describe, and says of each rule whether it fires where it must and nowhere else. With a file of rules, those of that file alone. docs/RULES.md says how tests are written.',
    'A rule whose must-fire events are not told yet waits; one without tests of both kinds is untested. Exit code 0 when nothing failed, 1 when something did; with --strict also when a rule waits or is untested.',
  ],
  positionals: [{ name: 'PATH', help: 'a folder of rules with its folder "tests", or a file in it' }],
  options: {
    strict: flag('rules that wait and rules that are untested fail'),
    json: flag('print one JSON object, for programs'),
  },
  examples: [
    { command: 'throughline rules test rules', help: 'all rules of a folder' },
    { command: 'throughline rules test rules/web.yaml', help: 'those of one file' },
  ],
  async run({ console, engine }, values, [path = '']) {
    const report = await engine.testRules(path);
    if (values.json) console.json(report);
    else
      console.result(
        reportLines(report)
          .map((line) => `${line}\n`)
          .join(''),
      );
    return isGood(report, values.strict) ? 0 : 1;
  },
});

function isGood({ rules, ordinary, errors }: RuleTestReport, isStrict: boolean): boolean {
  const isFine = ({ outcome }: TestedRule): boolean =>
    outcome === 'passed' || (outcome !== 'failed' && !isStrict);
  return errors.length === 0 && rules.every(isFine) && ordinary.every(({ outcome }) => outcome === 'passed');
}

function reportLines({ rules, ordinary, errors }: RuleTestReport): string[] {
  const counts = Map.groupBy(rules, ({ outcome }) => outcome);
  const counted = ['passed', 'failed', 'untested', 'waits'].flatMap((outcome) => {
    const { length } = counts.get(outcome as TestedRule['outcome']) ?? [];
    return length === 0 ? [] : [`${length} ${outcome === 'waits' ? 'wait' : outcome}`];
  });
  const quiet = ordinary.filter(({ outcome }) => outcome === 'passed').length;
  return [
    ...errors.map((problem) => printableText(`error: ${problemLine(problem)}`, 1000)),
    ...rules.flatMap(ruleLines),
    ...ordinary.flatMap(workLines),
    `${rules.length} rules: ${counted.join(', ')}; ${quiet} of ${ordinary.length} kinds of ordinary work quiet`,
  ];
}

function ruleLines({ rule, outcome, fires, quiet, untold, waitsFor, failures }: TestedRule): string[] {
  const reason = untold === 0 ? '' : `; ${untold} of them not told yet: ${waitsFor.join(', ')}`;
  const line = `${outcome.padEnd(8)}  ${rule} (${quiet} quiet, ${fires} fire${reason})`;
  return [printableText(line, 1000), ...failures.flatMap(failureLines)];
}

function workLines({ name, outcome, steps, failures }: TestedWork): string[] {
  const line = `${outcome.padEnd(8)}  ordinary work: ${name} (${steps} steps)`;
  return [printableText(line, 1000), ...failures.flatMap(failureLines)];
}

function failureLines({ file, line, expected, rule, event, trace }: TestFailure): string[] {
  const what = expected === 'fires' ? 'must fire' : 'must not fire';
  return [
    printableText(`  ${file}:${line}: '${rule}' ${what} on: ${event}`, 1000),
    ...trace.map((one) => `    ${one}`),
  ];
}
