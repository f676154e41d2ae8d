import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  parseAllDocuments,
  Scalar as YamlScalar,
  type Document,
  type Node,
} from 'yaml';
import type { RuleSource } from '../text.ts';
import { SigmaError } from './problem.ts';

/** A document of YAML as plain values, each with its line. Aliases are gone: what they stand for is there. */
export type Value = ScalarValue | ListValue | MapValue;

export interface ScalarValue {
  readonly kind: 'scalar';
  readonly type: 'string' | 'number' | 'boolean' | 'null';
  /** As it stands in the file, quotes and escapes of YAML undone. */
  readonly text: string;
  readonly line: number;
}

export interface ListValue {
  readonly kind: 'list';
  readonly items: readonly Value[];
  readonly line: number;
}

export interface MapValue {
  readonly kind: 'map';
  readonly entries: ReadonlyMap<string, Value>;
  readonly line: number;
}

/** Rules have some KiB, collections of them some hundred; parsed YAML takes a hundred times the memory of its text. */
export const MAX_FILE_LENGTH = 2 << 20;
/** Of one document, aliases followed: lists of lists of aliases multiply. */
const MAX_NODES = 50_000;
const MAX_DEPTH = 32;

/** The documents of a file; an error for each that cannot be read. Never throws. */
export function readDocuments(source: RuleSource): readonly (Value | SigmaError)[] {
  if (source.text.length > MAX_FILE_LENGTH)
    return [new SigmaError('too-large', 'the file is larger than 2 MiB', 1)];
  let documents;
  try {
    // Scalars stay text, and keys that stand twice are found below: the parser compares each with all others.
    documents = parseAllDocuments(source.text, {
      schema: 'failsafe',
      prettyErrors: false,
      uniqueKeys: false,
    });
  } catch (error) {
    // The parser recurses into nested collections.
    const message = error instanceof RangeError ? 'the YAML is nested too deeply' : String(error);
    return [new SigmaError('yaml', message, 1)];
  }
  if (!Array.isArray(documents)) return [];
  return documents.flatMap((document) => {
    const value = readDocument(document, source);
    return value === null ? [] : [value];
  });
}

function readDocument(document: Document, source: RuleSource): Value | SigmaError | null {
  const [error] = document.errors;
  if (error !== undefined) return new SigmaError('yaml', error.message, source.position(error.pos[0]).line);
  if (document.contents === null) return null;
  try {
    const value = new ValueReader(document, source).read(document.contents, 0);
    return value.kind === 'scalar' && value.type === 'null' ? null : value;
  } catch (problem) {
    if (problem instanceof SigmaError) return problem;
    throw problem;
  }
}

class ValueReader {
  readonly #document: Document;
  readonly #source: RuleSource;
  #nodes = 0;

  constructor(document: Document, source: RuleSource) {
    this.#document = document;
    this.#source = source;
  }

  read(node: unknown, depth: number): Value {
    const line = this.#lineOf(node);
    if (++this.#nodes > MAX_NODES)
      throw new SigmaError('too-large', `there are more than ${MAX_NODES} values, aliases followed`, line);
    // An alias to what it stands in ends here, too.
    if (depth > MAX_DEPTH) throw new SigmaError('too-large', `it is nested deeper than ${MAX_DEPTH}`, line);
    if (isAlias(node)) {
      const target = node.resolve(this.#document);
      if (target === undefined) throw new SigmaError('yaml', `there is no anchor ${node.source}`, line);
      return this.read(target, depth + 1);
    }
    if (isSeq(node))
      return { kind: 'list', items: node.items.map((item) => this.read(item, depth + 1)), line };
    if (isScalar(node)) return scalarOf(node, line);
    if (!isMap(node)) return { kind: 'scalar', type: 'null', text: '', line };
    const entries = new Map<string, Value>();
    for (const pair of node.items) {
      const key = this.read(pair.key, depth + 1);
      if (key.kind !== 'scalar') throw new SigmaError('yaml', 'a key is no text', key.line);
      if (entries.has(key.text)) throw new SigmaError('yaml', `the key '${key.text}' stands twice`, key.line);
      if (key.text === '<<' && key.type === 'string')
        throw new SigmaError('yaml', 'merge keys (<<) are not read', key.line);
      entries.set(key.text, this.read(pair.value, depth + 1));
    }
    return { kind: 'map', entries, line };
  }

  #lineOf(node: unknown): number {
    const offset = (node as Node | null)?.range?.[0];
    return offset === undefined ? 1 : this.#source.position(offset).line;
  }
}

/** Only what stands without quotes is anything but text: YAML 1.2, core schema. */
function scalarOf(node: YamlScalar, line: number): ScalarValue {
  const text = typeof node.value === 'string' ? node.value : '';
  const isPlain = node.type === YamlScalar.PLAIN || node.type === undefined;
  return { kind: 'scalar', type: isPlain ? typeOf(text) : 'string', text, line };
}

function typeOf(text: string): ScalarValue['type'] {
  if (/^(?:null|Null|NULL|~|)$/.test(text)) return 'null';
  if (/^(?:true|True|TRUE|false|False|FALSE)$/.test(text)) return 'boolean';
  return /^[-+]?\d+(?:\.\d+)?$/.test(text) ? 'number' : 'string';
}
