import { nearestWord } from '../base/nearest-word.ts';
import type { Rule } from './rule.ts';

/**
 * Switches rules on or off: all with a name like a pattern, in which * stands for any text, or all with a tag. To disable, a text
 * without a * may be any part of the name, as with the option -D of the reference engine.
 */
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

/** What is wrong with selections that choose none of the rules: a clause for each, not safe to print. */
export function idleSelections(rules: readonly Rule[], selections: readonly RuleSelection[]): string[] {
  return selections.flatMap((selection) => {
    const matches = matcherOf(selection);
    if (rules.some(matches)) return [];
    const { by, value } = selection;
    const words = by === 'tag' ? rules.flatMap(({ tags }) => tags) : rules.map(({ name }) => name);
    return `${by === 'tag' ? 'no rule has the tag' : 'there is no rule'} '${value}'${hint(by, value, words)}`;
  });
}

function hint(by: RuleSelection['by'], value: string, words: readonly string[]): string {
  const nearest = nearestWord(value, words);
  if (nearest !== null) return `; did you mean '${nearest}'?`;
  const isPart = by === 'name' && words.some((word) => word.includes(value));
  return isPart ? `; a part of a name has stars around it: '*${value}*'` : '';
}

function matcherOf({ action, by, value }: RuleSelection): (rule: Rule) => boolean {
  if (by === 'tag') return ({ tags }) => tags.includes(value);
  if (action === 'disable' && value !== '' && !value.includes('*')) return ({ name }) => name.includes(value);
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
