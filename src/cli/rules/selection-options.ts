import { ThroughlineError } from '../../base/errors.ts';
import type { Rule } from '../../rules/rule.ts';
import { idleSelections, type RuleSelection } from '../../rules/selection.ts';
import { ordered, type GivenText } from '../option.ts';

/** Options that switch rules on and off. What comes later on the command line wins, whichever option it is. */
export const selectionOptions = {
  'disable-rule': ordered(
    'TEXT',
    'leave out all rules that have this text in their name; with a * in it, which stands for any text, those whose whole name is like it; several times: in the order of the command line',
    'D',
  ),
  'enable-rule': ordered(
    'NAME',
    'have the rule of this name although its file or an option before says otherwise; * as above',
  ),
  'disable-tag': ordered('TAG', 'leave out all rules with this tag', 'T'),
  'enable-tag': ordered('TAG', 'have all rules with this tag'),
  'only-tag': ordered('TAG', 'leave out all rules but those with this tag, or one of several', 't'),
};

type SelectionValues = Readonly<Record<keyof typeof selectionOptions, readonly GivenText[]>>;

/** What the options say, in their order. */
export function selectionsOf(values: SelectionValues): readonly RuleSelection[] {
  const placed: { readonly at: number; readonly selection: RuleSelection }[] = [];
  const add = (
    given: readonly GivenText[],
    action: RuleSelection['action'],
    by: RuleSelection['by'],
  ): void => {
    for (const { text, at } of given) placed.push({ at, selection: { action, by, value: text } });
  };
  add(values['disable-rule'], 'disable', 'name');
  add(values['enable-rule'], 'enable', 'name');
  add(values['disable-tag'], 'disable', 'tag');
  add(values['enable-tag'], 'enable', 'tag');
  const [first] = values['only-tag'];
  if (first !== undefined)
    placed.push({ at: first.at - 0.5, selection: { action: 'disable', by: 'name', value: '*' } });
  add(values['only-tag'], 'enable', 'tag');
  return placed.toSorted((a, b) => a.at - b.at).map(({ selection }) => selection);
}

/** Throws TL4003 for the first selection that chooses none of the rules. */
export function refuseIdle(rules: readonly Rule[], selections: readonly RuleSelection[]): void {
  const [problem] = idleSelections(rules, selections);
  if (problem !== undefined) throw new ThroughlineError('TL4003', problem);
}
