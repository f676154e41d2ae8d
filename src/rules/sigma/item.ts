import { nearestWord } from '../../base/nearest-word.ts';
import { parseAddress, parseNetwork } from '../match/network.ts';
import { eventTypeOf } from '../event-types.ts';
import type { Category, FieldMapping } from './fields.ts';
import type { ItemKey } from './modifiers.ts';
import { parsePattern, plainText } from './pattern.ts';
import { shown, SigmaError, type SigmaNoteCode } from './problem.ts';
import { checksOf, joinChecks } from './text-checks.ts';
import { check, join, not, type Tree } from './tree.ts';
import { quoted } from './words.ts';
import type { ScalarValue } from './yaml-value.ts';

/** Notes what is to be known of a rule that is converted. */
export type Note = (code: SigmaNoteCode, message: string, line: number) => void;

/** What an item of a detection is converted with. */
export interface ItemContext {
  readonly category: Category;
  readonly note: Note;
  /** The name of our list that stands for a placeholder. */
  readonly listOf: (placeholder: string) => string;
}

/**
 * An item of a detection as a condition of ours: a field, how it is compared, and with what.
 * @throws SigmaError
 */
export function itemTree(
  key: ItemKey,
  values: readonly ScalarValue[],
  line: number,
  context: ItemContext,
): Tree {
  if (values.length === 0)
    throw new SigmaError('value', `${shown(key.field ?? 'a search')} has no values`, line);
  const tree =
    key.field === null ? searchTree(key, values, line, context) : fieldTree(key, values, line, context);
  return key.isNegated ? not(tree) : tree;
}

/** A search in the whole record: in all texts of the event that a record would have. */
function searchTree(key: ItemKey, values: readonly ScalarValue[], line: number, context: ItemContext): Tree {
  const { texts } = context.category;
  if (!['equals', 'contains', 're'].includes(key.comparison) || key.hasPlaceholders)
    throw new SigmaError('modifier', `${key.comparison} needs a field`, line);
  context.note('approximation', `what has no field is looked for in ${texts.join(', ')}`, line);
  const search: ItemKey = key.comparison === 're' ? key : { ...key, comparison: 'contains' };
  const parts = values.map((value) => {
    if (value.type === 'null' || value.text === '')
      throw new SigmaError('value', 'a search for nothing is in everything', value.line);
    const checks = checksOf(search, value, false);
    return join(
      'or',
      texts.map((field) => joinChecks(field, checks, 'or')),
    );
  });
  return join(key.isAll ? 'and' : 'or', parts);
}

function fieldTree(key: ItemKey, values: readonly ScalarValue[], line: number, context: ItemContext): Tree {
  const name = key.field ?? '';
  const mapping = mappingOf(name, line, context);
  if (key.comparison === 'exists') return existsTree(mapping, values, line, name);
  if (key.comparison === 'fieldref') return referenceTree(key, mapping, values, line, context);
  if (key.hasPlaceholders) return placeholderTree(key, mapping, values, line, context);
  const parts: Tree[] = [];
  const present = values.filter(({ type }) => type !== 'null');
  // No value at all: what the event does not have.
  if (present.length < values.length) parts.push(not(check(`${fieldOf(mapping, name, line)} exists`)));
  if (present.length > 0) parts.push(valuesTree(key, mapping, present, line));
  return join(key.isAll ? 'and' : 'or', parts);
}

function mappingOf(name: string, line: number, { category, note }: ItemContext): FieldMapping {
  const mapping = Object.hasOwn(category.fields, name) ? category.fields[name] : undefined;
  if (mapping === undefined) {
    const nearest = nearestWord(name, Object.keys(category.fields));
    const hint = nearest === null ? '' : `; did you mean ${nearest}?`;
    throw new SigmaError('field', `no event has the field ${shown(name)}${hint}`, line);
  }
  if (mapping.kind === 'untold')
    throw new SigmaError('field', `no event has the field ${shown(name)}: ${mapping.reason}`, line);
  if (mapping.kind === 'text' && mapping.note !== undefined) note('approximation', mapping.note, line);
  return mapping;
}

/** The one field of ours. */
function fieldOf(mapping: FieldMapping, name: string, line: number): string {
  if ('field' in mapping) return mapping.field;
  throw new SigmaError('value', `${shown(name)} has a value in every event`, line);
}

function valuesTree(key: ItemKey, mapping: FieldMapping, values: readonly ScalarValue[], line: number): Tree {
  const kind = key.isAll ? 'and' : 'or';
  switch (mapping.kind) {
    case 'text':
    case 'directory': {
      if (!['equals', 'contains', 'startswith', 'endswith', 're'].includes(key.comparison))
        throw unsupported(key, line);
      const checks = values.map((value) => checksOf(key, value, mapping.kind === 'directory'));
      if (kind === 'or' || checks.every(({ length }) => length === 1))
        return joinChecks(mapping.field, checks.flat(), kind);
      return join(
        'and',
        checks.map((one) => joinChecks(mapping.field, one, 'or')),
      );
    }
    case 'number':
      return numberTree(key, mapping.field, values, line);
    case 'address':
      return join(
        kind,
        values.map((value) => addressTree(key, mapping, value)),
      );
    case 'list': {
      const words = values.map((value) => quoted(wordOf(key, value, line)));
      if (kind === 'or') return check(`${mapping.field} intersects (${words.join(', ')})`);
      return join(
        'and',
        words.map((word) => check(`${mapping.field} intersects (${word})`)),
      );
    }
    case 'choice':
      return join(
        kind,
        values.map((value) => choiceTree(key, mapping.values, value)),
      );
    case 'syscall':
      return join(
        kind,
        values.map((value) => syscallTree(key, value)),
      );
    case 'untold':
      throw unsupported(key, line);
  }
}

const SIGNS = { lt: '<', lte: '<=', gt: '>', gte: '>=' } as const;

function numberTree(key: ItemKey, field: string, values: readonly ScalarValue[], line: number): Tree {
  for (const { text, line: at } of values)
    if (!/^-?\d{1,15}$/.test(text)) throw new SigmaError('value', `${shown(text)} is no whole number`, at);
  const numbers = values.map(({ text }) => String(Number(text)));
  const { comparison } = key;
  if (comparison === 'lt' || comparison === 'lte' || comparison === 'gt' || comparison === 'gte')
    return join(
      key.isAll ? 'and' : 'or',
      numbers.map((one) => check(`${field} ${SIGNS[comparison]} ${one}`)),
    );
  if (comparison !== 'equals') throw unsupported(key, line);
  const [only = ''] = numbers;
  if (numbers.length === 1) return check(`${field} = ${only}`);
  if (!key.isAll) return check(`${field} in (${numbers.join(', ')})`);
  return join(
    'and',
    numbers.map((one) => check(`${field} = ${one}`)),
  );
}

type AddressMapping = Extract<FieldMapping, { kind: 'address' }>;

function addressTree(key: ItemKey, { field, network }: AddressMapping, value: ScalarValue): Tree {
  const { text, line } = value;
  if (key.comparison === 'cidr') {
    if (parseNetwork(text) === null) throw new SigmaError('value', `${shown(text)} is no network`, line);
    return check(`${network} = ${quoted(text)}`);
  }
  if (key.comparison === 'equals' && parseAddress(text) !== null) return check(`${field} = ${quoted(text)}`);
  // "10.1." and "10.1.*" are networks.
  const [, prefix] = /^((?:\d{1,3}\.){1,3})\*?$/.exec(text) ?? [];
  const isPrefix = key.comparison === 'startswith' || (key.comparison === 'equals' && text.endsWith('*'));
  if (prefix !== undefined && isPrefix) {
    const octets = prefix.split('.').slice(0, -1);
    const cidr = `${[...octets, '0', '0', '0'].slice(0, 4).join('.')}/${octets.length * 8}`;
    if (parseNetwork(cidr) !== null) return check(`${network} = ${quoted(cidr)}`);
  }
  throw new SigmaError(
    'value',
    `${key.comparison} ${shown(text)}: addresses are compared as a whole, or as networks`,
    line,
  );
}

function choiceTree(
  key: ItemKey,
  choices: Readonly<Record<string, Tree>>,
  { text, line }: ScalarValue,
): Tree {
  if (key.comparison !== 'equals') throw unsupported(key, line);
  const word = text.toLowerCase();
  const tree = Object.hasOwn(choices, word) ? choices[word] : undefined;
  if (tree === undefined)
    throw new SigmaError('value', `no event has ${shown(text)} for ${shown(key.field ?? '')}`, line);
  return tree;
}

function syscallTree(key: ItemKey, { text, line }: ScalarValue): Tree {
  if (key.comparison !== 'equals') throw unsupported(key, line);
  if (/^\d+$/.test(text))
    throw new SigmaError(
      'value',
      `numbers of system calls differ between processors: name it instead of ${text}`,
      line,
    );
  if (eventTypeOf(text) === null)
    throw new SigmaError('value', `there is no system call ${shown(text)}`, line);
  return check(`evt.type = ${text}`);
}

function existsTree(mapping: FieldMapping, values: readonly ScalarValue[], line: number, name: string): Tree {
  const [only] = values;
  if (values.length !== 1 || only?.type === 'null' || !/^(?:true|false)$/i.test(only?.text ?? ''))
    throw new SigmaError('value', 'exists is true or false', line);
  const tree = check(`${fieldOf(mapping, name, line)} exists`);
  return only?.text.toLowerCase() === 'true' ? tree : not(tree);
}

/** Compared with another field of the same event. */
function referenceTree(
  key: ItemKey,
  mapping: FieldMapping,
  values: readonly ScalarValue[],
  line: number,
  context: ItemContext,
): Tree {
  const parts = values.map((value) => {
    const other = mappingOf(value.text, value.line, context);
    const isText = (one: FieldMapping) => one.kind === 'text' || one.kind === 'directory';
    const left = fieldOf(mapping, key.field ?? '', line);
    const right = fieldOf(other, value.text, value.line);
    if (isText(mapping) && isText(other) && !key.isCased)
      return check(`tolower(${left}) = tolower(${right})`);
    if (mapping.kind !== other.kind && !(isText(mapping) && isText(other)))
      throw new SigmaError('value', `${shown(value.text)} is of another kind`, value.line);
    return check(`${left} = val(${right})`);
  });
  return join(key.isAll ? 'and' : 'or', parts);
}

/** "%admins%": a list of ours, which its user fills. */
function placeholderTree(
  key: ItemKey,
  mapping: FieldMapping,
  values: readonly ScalarValue[],
  line: number,
  context: ItemContext,
): Tree {
  const field = fieldOf(mapping, key.field ?? '', line);
  const parts = values.map((value) => {
    const [, name] = /^%([\w.-]{1,60})%$/.exec(value.text) ?? [];
    if (name === undefined) return valuesTree({ ...key, hasPlaceholders: false }, mapping, [value], line);
    const isFree = key.comparison === 'contains';
    const isText = mapping.kind === 'text' || mapping.kind === 'directory';
    if (key.comparison !== 'equals' && !(isText && isFree))
      throw new SigmaError('modifier', `expand does not go with ${key.comparison}`, line);
    const list = context.listOf(name);
    context.note('placeholder', `${value.text} is the list ${list}, which is empty: fill it`, value.line);
    if (!isText) return check(`${field} in (${list})`);
    const fold = key.isCased ? '' : 'i';
    return check(`${field} ${fold}${isFree ? 'contains' : 'glob'} anyof (${list})`);
  });
  return join(key.isAll ? 'and' : 'or', parts);
}

/** A value without wildcards. */
function wordOf(key: ItemKey, value: ScalarValue, line: number): string {
  const text = plainText(parsePattern(value.text));
  if (key.comparison !== 'equals' || text === null || key.base64 !== null)
    throw new SigmaError(
      'value',
      `${shown(key.field ?? '')} has several values, which are compared as wholes`,
      line,
    );
  return text;
}

function unsupported(key: ItemKey, line: number): SigmaError {
  const what = key.field === null ? 'a search' : shown(key.field);
  return new SigmaError('modifier', `${key.comparison} does not go with ${what}`, line);
}
