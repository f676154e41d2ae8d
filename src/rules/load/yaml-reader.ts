import { isMap, isScalar, isSeq, type Node, type Pair, type YAMLMap } from 'yaml';
import { nearestWord } from '../../base/nearest-word.ts';
import { problemAt, RuleError, type ProblemCode } from '../problem.ts';
import type { RuleSource, RuleText } from '../text.ts';
import { placeOf, scalarText } from './yaml-text.ts';

/** The keys of one item of a file, read as what they must be. Every reader throws a RuleError at the key's place. */
export class YamlReader {
  readonly source: RuleSource;
  readonly node: YAMLMap;
  readonly #pairs = new Map<string, Pair>();

  /** @throws RuleError for a key that is unknown or stands twice */
  constructor(node: YAMLMap, source: RuleSource, what: string, keys: readonly string[]) {
    this.node = node;
    this.source = source;
    for (const pair of node.items) {
      const key = scalarText(pair.key, source)?.text;
      if (key === undefined) throw this.error('item', `a key of ${what} is no text`, pair.key as Node);
      if (!keys.includes(key)) {
        const message = `unknown key '${key}' in ${what}`;
        throw this.error('unknown-key', message, pair.key as Node, nearestWord(key, keys));
      }
      this.#pairs.set(key, pair);
    }
  }

  get keys(): ReadonlySet<string> {
    return new Set(this.#pairs.keys());
  }

  has(key: string): boolean {
    return this.#pairs.has(key);
  }

  value(key: string): unknown {
    return this.#pairs.get(key)?.value ?? null;
  }

  text(key: string): RuleText | null {
    if (!this.has(key)) return null;
    return this.textOf(this.value(key), key);
  }

  textOf(value: unknown, key: string): RuleText {
    const text = scalarText(value, this.source);
    if (text === null) throw this.error('item', `'${key}' must be a text`, value as Node | null);
    return text;
  }

  requiredText(key: string): RuleText {
    const text = this.text(key);
    if (text === null) throw this.error('item', `'${key}' is missing`, this.node);
    if (text.text.trim() === '') throw this.error('item', `'${key}' is empty`, this.value(key) as Node);
    return text;
  }

  boolean(key: string): boolean | null {
    const text = this.text(key);
    if (text === null) return null;
    if (/^(?:true|yes|on|y)$/i.test(text.text)) return true;
    if (/^(?:false|no|off|n)$/i.test(text.text)) return false;
    throw this.error('item', `'${key}' must be true or false`, this.value(key) as Node);
  }

  /** One of some words, whatever its case. */
  choice<Word extends string>(key: string, words: readonly Word[]): Word | null {
    const text = this.text(key);
    return text === null ? null : this.choiceOf(text, this.value(key), key, words);
  }

  choiceOf<Word extends string>(text: RuleText, value: unknown, key: string, words: readonly Word[]): Word {
    const found = words.find((word) => word.toLowerCase() === text.text.toLowerCase());
    if (found !== undefined) return found;
    const nearest = nearestWord(text.text, words);
    throw this.error('item', `'${key}' must be one of ${words.join(', ')}`, value as Node, nearest);
  }

  /** The items of a list; an empty value is an empty list. */
  list(key: string): readonly unknown[] | null {
    if (!this.has(key)) return null;
    const value = this.value(key);
    if (isSeq(value)) return value.items;
    if (value === null || (isScalar(value) && value.value === '' && value.source === '')) return [];
    throw this.error('item', `'${key}' must be a list`, value as Node);
  }

  texts(key: string): readonly RuleText[] | null {
    return this.list(key)?.map((item) => this.textOf(item, `an item of ${key}`)) ?? null;
  }

  map(value: unknown, what: string, keys: readonly string[]): YamlReader {
    if (!isMap(value)) throw this.error('item', `${what} must have keys`, value as Node | null);
    return new YamlReader(value, this.source, what, keys);
  }

  error(code: ProblemCode, message: string, at: Node | null, suggestion: string | null = null): RuleError {
    const node = at ?? this.node;
    const text = isScalar(node) ? (node.source ?? String(node.value)) : '';
    return new RuleError(problemAt(code, message, placeOf(node, this.source), text, suggestion));
  }
}
