import { problemAt, RuleError } from '../problem.ts';
import { RuleText } from '../text.ts';
import type { ListDefinition } from './collection.ts';

/** Items of a list with all lists inside, and characters of a condition with its lists: lists of lists multiply. */
const MAX_ITEMS = 100_000;
const MAX_LENGTH = 4 << 20;

/** What stands between two delimiters: the name of a list is replaced where it stands alone, wherever that is. */
const WORD = /[^ \t\n\r(),=]+/g;
const LIST_OPERATOR_BEFORE = /(?:^|[ \t\n\r)\]])(?:in|intersects|pmatch)[ \t\n\r]*$/;

/** An item as it stands in a condition: with quotes where it has a blank in it. */
export function quoted(item: RuleText): RuleText {
  if (!item.text.includes(' ') || /^["']/.test(item.text)) return item;
  const quote = RuleText.standingAt('"', item.place(0));
  return RuleText.join([quote, item, quote]);
}

/** Replaces the names of lists by their items. */
export class ListExpansion {
  readonly #lists: ReadonlyMap<string, ListDefinition>;
  readonly #items = new Map<string, readonly RuleText[]>();
  /** Lists that some condition or list names. */
  readonly used = new Set<string>();

  constructor(lists: ReadonlyMap<string, ListDefinition>) {
    this.#lists = lists;
  }

  /** @throws RuleError where the result would be too large */
  expand(condition: RuleText): RuleText {
    const { text } = condition;
    const parts: RuleText[] = [];
    let length = 0;
    let done = 0;
    for (const match of text.matchAll(WORD)) {
      const [name] = match;
      if (!this.#lists.has(name)) continue;
      const items = this.#itemsOf(name, new Set());
      const place = condition.place(match.index);
      let start = skipBlanksBack(text, match.index, done);
      let end = skipBlanks(text, match.index + name.length);
      // An empty list takes a comma with it.
      if (items.length === 0 && start > done && text[start - 1] === ',') start--;
      else if (items.length === 0 && text[end] === ',') end++;
      const before = condition.slice(done, start);
      const isBare = LIST_OPERATOR_BEFORE.test(text.slice(Math.max(0, start - 40), start));
      parts.push(before);
      for (const part of listed(items, isBare, place)) parts.push(part);
      length += before.text.length;
      for (const item of items) length += item.text.length + 2;
      if (length > MAX_LENGTH)
        throw new RuleError(problemAt('too-large', 'the condition is longer than 4 MiB', place, name));
      done = end;
    }
    if (parts.length === 0) return condition;
    return RuleText.join([...parts, condition.slice(done)]);
  }

  /** @param around lists that are being resolved: inside of themselves their names are plain words */
  #itemsOf(name: string, around: Set<string>): readonly RuleText[] {
    this.used.add(name);
    const known = this.#items.get(name);
    if (known !== undefined) return known;
    const list = this.#lists.get(name);
    if (list === undefined) return [];
    around.add(name);
    const items: RuleText[] = [];
    for (const item of list.items) {
      const isList = this.#lists.has(item.text) && !around.has(item.text);
      for (const one of isList ? this.#itemsOf(item.text, around) : [quoted(item)]) items.push(one);
      if (items.length > MAX_ITEMS) {
        const message = `list '${name}' has more than ${MAX_ITEMS} items`;
        throw new RuleError(problemAt('too-large', message, list.place, name));
      }
    }
    around.delete(name);
    if (around.size === 0) this.#items.set(name, items);
    return items;
  }
}

function listed(
  items: readonly RuleText[],
  isBare: boolean,
  place: ReturnType<RuleText['place']>,
): RuleText[] {
  const text = (plain: string) => RuleText.standingAt(plain, place);
  const comma = text(', ');
  const parts = items.flatMap((item, index) => (index === 0 ? [item] : [comma, item]));
  return isBare ? [text(' ('), ...parts, text(') ')] : [text(' '), ...parts, text(' ')];
}

function skipBlanks(text: string, at: number): number {
  while (at < text.length && ' \t\n\r'.includes(text[at] ?? '')) at++;
  return at;
}

function skipBlanksBack(text: string, at: number, limit: number): number {
  while (at > limit && ' \t\n\r'.includes(text[at - 1] ?? '')) at--;
  return at;
}
