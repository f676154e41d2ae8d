import { printableText } from '../../base/printable.ts';
import type { Rule } from '../../rules/rule.ts';
import { defineCommand } from '../command.ts';
import { jsonOption } from '../common-options.ts';
import { selectRules } from '../../rules/selection.ts';
import { FILES, loadRightFiles } from './load-files.ts';
import { ruleView } from './rule-view.ts';
import { refuseIdle, selectionOptions, selectionsOf } from './selection-options.ts';

export const listCommand = defineCommand({
  name: 'rules list',
  summary: 'print rules',
  description: [
    'One line for each rule, in the order in which they are tried: whether it is on, its priority, its name and its tags.',
  ],
  positionals: [FILES],
  options: { ...selectionOptions, json: jsonOption },
  examples: [
    { command: 'throughline rules list', help: 'what comes with the program' },
    { command: 'throughline rules list my-rules.yaml', help: 'what a file has' },
  ],
  async run(context, values, paths) {
    const loaded = await loadRightFiles(context, paths);
    const selections = selectionsOf(values);
    refuseIdle(loaded.rules, selections);
    const inForce = new Set(selectRules(loaded.rules, selections));
    for (const one of loaded.rules) {
      const rule = { ...one, isEnabled: inForce.has(one) };
      if (values.json) context.console.json(ruleView(rule));
      else context.console.result(ruleLine(rule));
    }
    return 0;
  },
});

function ruleLine({ name, priority, tags, isEnabled }: Rule): string {
  const state = isEnabled ? 'on ' : 'off';
  return `${state}  ${priority.padEnd(13)}  ${printableText(`${name}  [${tags.join(', ')}]`)}\n`;
}
