import type { Rule } from './rule.ts';

/** Switches rules on or off: all with a name like a pattern, in which * stands for any text, or all with a tag. */
export interface RuleSelection {
  readonly action: 'enable' | 'disable';
  readonly by: 'name' | 'tag';
  readonly value: string;
}

/** The rules that are in force: as the files say, then as each selection says, in order. */
export function selectRules(rules: readonly Rule[], selections: readonly RuleSelection[]): readonly Rule[] {
  const matchers = selections.map((selection) => ({
    isEnabled: selection.action === 'enable',
    matches: matcherOf(selection),
  }));
  return rules.filter((rule) => {
    let { isEnabled } = rule;
    for (const matcher of matchers) if (matcher.matches(rule)) isEnabled = matcher.isEnabled;
    return isEnabled;
  });
}

function matcherOf({ by, value }: RuleSelection): (rule: Rule) => boolean {
  if (by === 'tag') return ({ tags }) => tags.includes(value);
  const pieces = value.split('*');
  return ({ name }) => matchesPieces(name, pieces);
}

/** The first piece begins the text, the last ends it, the others stand in between in order. */
function matchesPieces(text: string, pieces: readonly string[]): boolean {
  const [first = '', ...rest] = pieces;
  const last = rest.pop();
  if (last === undefined) return text === first;
  if (!text.startsWith(first) || text.length < first.length + last.length || !text.endsWith(last))
    return false;
  let at = first.length;
  const end = text.length - last.length;
  for (const piece of rest) {
    const found = text.indexOf(piece, at);
    if (found === -1 || found + piece.length > end) return false;
    at = found + piece.length;
  }
  return true;
}
