import { nearestWord } from '../../base/nearest-word.ts';
import type { Category, FieldMapping } from './fields.ts';
import type { ItemKey } from './modifiers.ts';
import { shown, SigmaError, type SigmaNoteCode } from './problem.ts';
import { checksOf, joinChecks } from './text-checks.ts';
import { check, join, not, type Tree } from './tree.ts';
import { valuesTree } from './value-tree.ts';
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
  if (present.length < values.length) parts.push(not(presence(mapping, name, line)));
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
  if ('note' in mapping && mapping.note !== undefined) note('approximation', mapping.note, line);
  return mapping;
}

/** The one field of ours. */
function fieldOf(mapping: FieldMapping, name: string, line: number): string {
  if ('field' in mapping) return mapping.field;
  throw new SigmaError('value', `${shown(name)} cannot be compared so: it is no one field here`, line);
}

/** Whether the event has a value. */
function presence(mapping: FieldMapping, name: string, line: number): Tree {
  if (mapping.kind === 'argument') return check(`proc.cmdnargs >= ${mapping.index}`);
  return check(`${fieldOf(mapping, name, line)} exists`);
}

function existsTree(mapping: FieldMapping, values: readonly ScalarValue[], line: number, name: string): Tree {
  const [only] = values;
  if (values.length !== 1 || only?.type === 'null' || !/^(?:true|false)$/i.test(only?.text ?? ''))
    throw new SigmaError('value', 'exists is true or false', line);
  const tree = presence(mapping, name, line);
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
