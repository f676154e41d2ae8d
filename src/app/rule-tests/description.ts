import type { Node } from 'yaml';
import { isMap, isSeq } from 'yaml';
import { YamlReader } from '../../rules/load/yaml-reader.ts';
import { problemAt, RuleError } from '../../rules/problem.ts';
import { placeOf, scalarText } from '../../rules/load/yaml-text.ts';
import type { Place, RuleSource } from '../../rules/text.ts';

/** What an event of a test is about; one of these keys says it. A description with `request` alone is the request itself. */
export const HAPPENINGS = [
  'run',
  'read',
  'write',
  'append',
  'connect',
  'accept',
  'end',
  'query',
  'lookup',
  'call',
  'exit',
] as const;

/** Keys whose values are texts. */
const TEXTS = [
  'under',
  'by',
  'executable',
  'sha256',
  'user',
  'cwd',
  'container',
  'stdin',
  'stdout',
  'request',
  'body',
  'status',
  'raw',
  'error',
  'transport',
  'protocol',
  'type',
  'result',
  'bytes_in',
  'bytes_out',
  'pid',
  'client',
  'request_id',
  'after',
  'times',
] as const;

/** Keys whose values have keys themselves. */
const TABLES = ['headers', 'args', 'env'] as const;

export type Happening = (typeof HAPPENINGS)[number];
type TextKey = Happening | (typeof TEXTS)[number];
type TableKey = (typeof TABLES)[number];

/** One event of a test, in words: docs/RULES.md says what they mean. */
export interface Description {
  readonly place: Place;
  readonly texts: ReadonlyMap<TextKey, string>;
  readonly tables: ReadonlyMap<TableKey, ReadonlyMap<string, string>>;
}

const KEYS: readonly string[] = [...HAPPENINGS, ...TEXTS, ...TABLES];

/** The events of one case: of each of its steps, which all have the keys that stand beside `steps`. */
export function readCase(
  node: unknown,
  source: RuleSource,
  others: readonly string[] = [],
): readonly Description[] {
  if (!isMap(node)) throw notKeyed(source, node);
  const reader = new YamlReader(node, source, 'an event', [...KEYS, 'steps', ...others]);
  const shared = readDescription(reader);
  const steps = reader.list('steps');
  if (steps === null) return [shared];
  return steps.map((step) => {
    if (!isMap(step)) throw notKeyed(source, step);
    const own = readDescription(new YamlReader(step, source, 'a step', KEYS));
    return {
      place: own.place,
      texts: new Map([...shared.texts, ...own.texts]),
      tables: new Map([...shared.tables, ...own.tables]),
    };
  });
}

function readDescription(reader: YamlReader): Description {
  const texts = new Map<TextKey, string>();
  for (const key of [...HAPPENINGS, ...TEXTS]) {
    const value = reader.value(key);
    if (!reader.has(key)) continue;
    texts.set(key, reader.textOf(value, key).text);
  }
  const tables = new Map<TableKey, ReadonlyMap<string, string>>();
  for (const key of TABLES) if (reader.has(key)) tables.set(key, readTable(reader, key));
  return { place: placeOf(reader.node, reader.source), texts, tables };
}

function readTable(reader: YamlReader, key: TableKey): ReadonlyMap<string, string> {
  const value = reader.value(key);
  if (!isMap(value)) throw reader.error('item', `'${key}' must have keys`, value as Node | null);
  return new Map(
    value.items.map((pair) => [
      scalarText(pair.key, reader.source)?.text ?? '',
      reader.textOf(pair.value, key).text,
    ]),
  );
}

function notKeyed(source: RuleSource, node: unknown): Error {
  const place = placeOf(node as Node | null, source);
  return new RuleError(
    problemAt('item', isSeq(node) ? 'an event is no list' : 'an event must have keys', place, ''),
  );
}
