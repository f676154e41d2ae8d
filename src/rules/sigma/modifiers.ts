import { shown, SigmaError } from './problem.ts';
import type { Encoding } from './base64.ts';

/** How values of a detection item are compared. */
export type Comparison =
  | 'equals'
  | 'contains'
  | 'startswith'
  | 'endswith'
  | 're'
  | 'cidr'
  | 'exists'
  | 'fieldref'
  | 'lt'
  | 'lte'
  | 'gt'
  | 'gte';

/** The key of a detection item: a field, none for a search in all of them, and what stands behind it. */
export interface ItemKey {
  readonly field: string | null;
  readonly comparison: Comparison;
  /** All values must match, not any. */
  readonly isAll: boolean;
  readonly isCased: boolean;
  /** No value may match. */
  readonly isNegated: boolean;
  readonly hasAnyDash: boolean;
  readonly hasPlaceholders: boolean;
  readonly base64: 'whole' | 'offset' | null;
  readonly encoding: Encoding;
  /** Flags of a regular expression. */
  readonly flags: string;
}

const COMPARISONS: readonly string[] = [
  'contains',
  'startswith',
  'endswith',
  're',
  'cidr',
  'exists',
  'fieldref',
  'lt',
  'lte',
  'gt',
  'gte',
] satisfies readonly Comparison[];
const ENCODINGS: Readonly<Record<string, Encoding>> = {
  wide: 'utf16le',
  utf16le: 'utf16le',
  utf16be: 'utf16be',
  utf16: 'utf16',
};
const FLAGS: Readonly<Record<string, string>> = {
  i: 'i',
  ignorecase: 'i',
  m: 'm',
  multiline: 'm',
  s: 's',
  dotall: 's',
};
/** What may be combined with a comparison beyond text. */
const OF_TEXT: readonly Comparison[] = ['equals', 'contains', 'startswith', 'endswith'];

type Mutable<Type> = { -readonly [Key in keyof Type]: Type[Key] };

/**
 * Reads "CommandLine|base64offset|contains".
 * @throws SigmaError for a modifier that is unknown, or that another one excludes
 */
export function readKey(key: string, line: number): ItemKey {
  const [field = '', ...modifiers] = key.split('|');
  const item: Mutable<ItemKey> = {
    field: field === '' ? null : field,
    comparison: 'equals',
    isAll: false,
    isCased: false,
    isNegated: false,
    hasAnyDash: false,
    hasPlaceholders: false,
    base64: null,
    encoding: 'utf8',
    flags: '',
  };
  for (const modifier of modifiers) apply(item, modifier, line);
  const isText = OF_TEXT.includes(item.comparison);
  const isMixed =
    (!isText && (item.base64 !== null || item.hasAnyDash || item.hasPlaceholders)) ||
    (item.encoding !== 'utf8' && item.base64 === null) ||
    (item.hasPlaceholders && (item.base64 !== null || item.hasAnyDash)) ||
    (item.base64 !== null && item.hasAnyDash);
  if (isMixed) throw new SigmaError('modifier', `the modifiers of ${shown(key)} exclude each other`, line);
  return item;
}

function apply(item: Mutable<ItemKey>, modifier: string, line: number): void {
  const encoding = Object.hasOwn(ENCODINGS, modifier) ? ENCODINGS[modifier] : undefined;
  const flag = Object.hasOwn(FLAGS, modifier) ? FLAGS[modifier] : undefined;
  if (COMPARISONS.includes(modifier)) {
    if (item.comparison !== 'equals')
      throw new SigmaError('modifier', `${item.comparison} and ${modifier} exclude each other`, line);
    item.comparison = modifier as Comparison;
  } else if (encoding !== undefined) {
    item.encoding = encoding;
  } else if (flag !== undefined && item.comparison === 're') {
    if (!item.flags.includes(flag)) item.flags += flag;
  } else {
    applySimple(item, modifier, line);
  }
}

function applySimple(item: Mutable<ItemKey>, modifier: string, line: number): void {
  switch (modifier) {
    case 'all':
      item.isAll = true;
      return;
    case 'cased':
      item.isCased = true;
      return;
    case 'neq':
      item.isNegated = true;
      return;
    case 'windash':
      item.hasAnyDash = true;
      return;
    case 'expand':
      item.hasPlaceholders = true;
      return;
    case 'base64':
    case 'base64offset':
      if (item.comparison !== 'equals' || item.base64 !== null)
        throw new SigmaError('modifier', `${modifier} must stand in front of what compares`, line);
      item.base64 = modifier === 'base64' ? 'whole' : 'offset';
      return;
    default:
      throw new SigmaError('modifier', `the modifier ${shown(modifier)} is not supported`, line);
  }
}
