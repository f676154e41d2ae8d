import { isSeq, type Node } from 'yaml';
import { nearestWord } from '../../base/nearest-word.ts';
import { OPERATORS } from '../syntax.ts';
import type { ExceptionItem, ExceptionOperator, ExceptionValue } from './items.ts';
import type { YamlReader } from './yaml-reader.ts';
import { placeOf, scalarText } from './yaml-text.ts';

const KEYS = ['name', 'fields', 'comps', 'values'];

/** Values may be lists of tuples of lists. */
const MAX_VALUE_DEPTH = 3;

export function readExceptions(reader: YamlReader): readonly ExceptionItem[] | null {
  return reader.list('exceptions')?.map((node) => readException(reader, node)) ?? null;
}

function readException(rule: YamlReader, node: unknown): ExceptionItem {
  const reader = rule.map(node, 'an exception', KEYS);
  const isSingle = reader.has('fields') && !isSeq(reader.value('fields'));
  const fields = !reader.has('fields')
    ? null
    : isSingle
      ? [reader.requiredText('fields')]
      : reader.texts('fields');
  const comps = readComps(reader);
  if (fields !== null && fields.length === 0)
    throw reader.error('item', "'fields' is empty", reader.value('fields') as Node);
  if (comps !== null && fields === null)
    throw reader.error('item', "'comps' stands without 'fields'", reader.value('comps') as Node);
  if (comps !== null && comps.length !== fields?.length) {
    const message = `there are ${fields?.length ?? 0} fields and ${comps.length} comps`;
    throw reader.error('item', message, reader.value('comps') as Node);
  }
  return {
    name: reader.requiredText('name').text,
    place: placeOf(reader.node, reader.source),
    fields,
    isSingle,
    comps,
    values: (reader.list('values') ?? []).map((value) => readValue(reader, value, 1)),
  };
}

function readComps(reader: YamlReader): readonly ExceptionOperator[] | null {
  if (!reader.has('comps')) return null;
  const value = reader.value('comps');
  const texts = isSeq(value) ? reader.texts('comps') : [reader.requiredText('comps')];
  return (texts ?? []).map((text) => {
    const operator = OPERATORS.find((one) => one === text.text);
    if (operator !== undefined && operator !== 'exists') return { operator, text };
    const message = `'${text.text}' is no operator that compares`;
    throw reader.error('operator', message, value as Node, nearestWord(text.text, OPERATORS));
  });
}

function readValue(reader: YamlReader, value: unknown, depth: number): ExceptionValue {
  const text = scalarText(value, reader.source);
  if (text !== null) return text;
  if (isSeq(value) && depth < MAX_VALUE_DEPTH)
    return value.items.map((item) => readValue(reader, item, depth + 1));
  throw reader.error('item', 'a value of an exception must be a text or a list of texts', value as Node);
}
