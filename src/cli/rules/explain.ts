import { ThroughlineError } from '../../base/errors.ts';
import { nearestWord } from '../../base/nearest-word.ts';
import { printableText } from '../../base/printable.ts';
import { conditionLines } from '../../rules/explanation.ts';
import { answeredBy, EVENT_TYPES } from '../../rules/event-types.ts';
import { lookupFields } from '../../rules/lookup-fields.ts';
import type { Rule } from '../../rules/rule.ts';
import { responseText } from '../../rules/responses/response.ts';
import { sequenceLines } from '../../rules/sequences/description.ts';
import { defineCommand } from '../command.ts';
import { flag } from '../option.ts';
import { FILES, loadRightFiles } from './load-files.ts';
import { MANY_TYPES, ruleView } from './rule-view.ts';

export const explainCommand = defineCommand({
  name: 'rules explain',
  summary: 'print what a rule comes to',
  description: [
    'The condition of a rule as a tree, or those of the steps of a sequence, with macros, lists and exceptions in place; the event types on which it is run, and which of them are told today; the fields by whose value it is found; what it counts, what joins its events, and within which time.',
  ],
  positionals: [{ name: 'RULE', help: 'name of the rule' }, FILES],
  options: { json: flag('print one JSON object, for programs') },
  examples: [
    {
      command: "throughline rules explain 'Shell run by a request'",
      help: 'one that comes with the program',
    },
    { command: "throughline rules explain 'Run shell untrusted' falco_rules.yaml", help: 'one of Falco' },
  ],
  async run(context, values, [name = '', ...paths]) {
    const { rules } = await loadRightFiles(context, paths);
    const rule = rules.find((one) => one.name === name);
    if (rule === undefined) {
      const nearest = nearestWord(
        name,
        rules.map((one) => one.name),
      );
      throw new ThroughlineError('TL4003', nearest === null ? name : `${name}; did you mean ${nearest}?`);
    }
    if (values.json) {
      context.console.json({
        ...ruleView(rule),
        foundBy: rule.sequence === null ? lookupFields(rule.condition) : null,
        output: rule.output.text.trim(),
        condition: rule.sequence === null ? conditionLines(rule.condition) : null,
      });
      return 0;
    }
    const lines = explanation(rule).map((line) => `${printableText(line, 2000)}\n`);
    context.console.result(lines.join(''));
    return 0;
  },
});

function explanation(rule: Rule): string[] {
  const { source, offset } = rule.place;
  const found = lookupFields(rule.condition);
  return [
    rule.name,
    `  ${source.name}:${source.position(offset).line}, ${rule.priority}, ${rule.isEnabled ? 'on' : 'off'}`,
    `  ${rule.description.trim()}`,
    '',
    `Tags: ${rule.tags.join(', ')}`,
    `Event types: ${typesOf(rule)}`,
    ...(rule.sequence === null
      ? [`Found by: ${found.length === 0 ? 'its event types alone' : found.join(', ')}`]
      : []),
    `Output: ${rule.output.text.trim()}`,
    ...(rule.responses.length === 0
      ? []
      : [
          `Respond: ${rule.responses.map(responseText).join('; ')} (told with the alert, nothing acts on it yet)`,
        ]),
    '',
    ...(rule.sequence === null
      ? ['Condition:', ...conditionLines(rule.condition).map((line) => `  ${line}`)]
      : sequenceLines(rule.sequence)),
  ];
}

function typesOf({ types }: Rule): string {
  if (types.size > MANY_TYPES) return `${types.size}, which is nearly all`;
  const names = [...types].map((type) => {
    const name = EVENT_TYPES[type] ?? '';
    return answeredBy(type) === null ? `${name} (not told yet)` : name;
  });
  return names.length === 0 ? 'none' : names.join(', ');
}
