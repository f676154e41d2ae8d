import { shown, SigmaError } from './problem.ts';
import { join, not, type Tree } from './tree.ts';

const MAX_LENGTH = 16 << 10;
const MAX_DEPTH = 64;
const TOKEN = /\s*(?:([()])|([^\s()]+))/y;

/** What selections come to, by name. */
export interface Selections {
  readonly names: readonly string[];
  /** @throws SigmaError where there is none of this name, or it cannot be converted */
  tree(name: string): Tree;
}

/**
 * Reads the condition of a Sigma rule: names of selections, `and`, `or`, `not`, parentheses, and `1 of`, `any of` and `all of`
 * a name with stars or `them`. `not` binds tighter than `and`, `and` than `or`.
 * @throws SigmaError
 */
export function readCondition(text: string, selections: Selections, line: number): Tree {
  if (text.length > MAX_LENGTH)
    throw new SigmaError('too-large', 'the condition is longer than 16 KiB', line);
  if (text.includes('|')) {
    const message =
      'the condition has an aggregation (|): counting over time is not part of a rule on single events';
    throw new SigmaError('correlation', message, line);
  }
  const reader = new ConditionReader(text, selections, line);
  const tree = reader.or(0);
  reader.expectEnd();
  return tree;
}

class ConditionReader {
  readonly #text: string;
  readonly #selections: Selections;
  readonly #line: number;
  #at = 0;

  constructor(text: string, selections: Selections, line: number) {
    this.#text = text.trimEnd();
    this.#selections = selections;
    this.#line = line;
  }

  or(depth: number): Tree {
    if (depth > MAX_DEPTH) throw this.#error(`it is nested deeper than ${MAX_DEPTH}`);
    const parts = [this.#and(depth)];
    while (this.#takeWord('or')) parts.push(this.#and(depth));
    return join('or', parts);
  }

  expectEnd(): void {
    const token = this.#peek();
    if (token !== null) throw this.#error(`expected 'and', 'or' or the end, not ${shown(token)}`);
  }

  #and(depth: number): Tree {
    const parts = [this.#not(depth)];
    while (this.#takeWord('and')) parts.push(this.#not(depth));
    return join('and', parts);
  }

  #not(depth: number): Tree {
    let isNegated = false;
    while (this.#takeWord('not')) isNegated = !isNegated;
    const tree = this.#primary(depth);
    return isNegated ? not(tree) : tree;
  }

  #primary(depth: number): Tree {
    const token = this.#next();
    if (token === '(') {
      const tree = this.or(depth + 1);
      if (this.#next() !== ')') throw this.#error("a '(' is never closed");
      return tree;
    }
    if (token === null || token === ')') throw this.#error('the name of a selection is missing');
    if (this.#peek()?.toLowerCase() === 'of' && !this.#selections.names.includes(token)) {
      this.#next();
      return this.#someOf(token);
    }
    return this.#selections.tree(token);
  }

  #someOf(quantifier: string): Tree {
    const isAll = quantifier.toLowerCase() === 'all';
    if (!isAll && quantifier !== '1' && quantifier.toLowerCase() !== 'any')
      throw this.#error(`only '1 of', 'any of' and 'all of' are known, not ${shown(`${quantifier} of`)}`);
    const pattern = this.#next();
    if (pattern === null || pattern === '(' || pattern === ')')
      throw this.#error(`${shown(`${quantifier} of`)} needs the name of a selection, or 'them'`);
    const names = this.#matching(pattern);
    if (names.length === 0) throw this.#error(`no selection is named ${shown(pattern)}`);
    return join(
      isAll ? 'and' : 'or',
      names.map((name) => this.#selections.tree(name)),
    );
  }

  /** Names that begin with an underscore are meant where the pattern begins with one, too. */
  #matching(pattern: string): readonly string[] {
    const { names } = this.#selections;
    if (names.includes(pattern)) return [pattern];
    const wanted = pattern.toLowerCase() === 'them' ? '*' : pattern;
    return names.filter(
      (name) => (pattern.startsWith('_') || !name.startsWith('_')) && matchesStars(wanted, name),
    );
  }

  #takeWord(word: string): boolean {
    if (this.#peek()?.toLowerCase() !== word) return false;
    this.#next();
    return true;
  }

  #peek(): string | null {
    const at = this.#at;
    const token = this.#next();
    this.#at = at;
    return token;
  }

  #next(): string | null {
    TOKEN.lastIndex = this.#at;
    const match = TOKEN.exec(this.#text);
    if (match === null) return null;
    this.#at = TOKEN.lastIndex;
    return match[1] ?? match[2] ?? null;
  }

  #error(message: string): SigmaError {
    return new SigmaError('condition', message, this.#line);
  }
}

/** Whether a name matches a pattern of text and stars. Never goes back further than to the last star. */
function matchesStars(pattern: string, name: string): boolean {
  const [first = '', ...rest] = pattern.split('*');
  const last = rest.pop();
  if (last === undefined) return name === first;
  if (!name.startsWith(first) || name.length < first.length + last.length || !name.endsWith(last))
    return false;
  let at = first.length;
  for (const piece of rest) {
    const found = name.indexOf(piece, at);
    if (found === -1 || found + piece.length > name.length - last.length) return false;
    at = found + piece.length;
  }
  return true;
}
