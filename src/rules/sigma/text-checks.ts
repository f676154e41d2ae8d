import { RE2JS } from 're2js';
import { base64AtOffsets, base64Of, encode } from './base64.ts';
import type { ItemKey } from './modifiers.ts';
import {
  asDirectory,
  checkOf,
  parsePattern,
  plainText,
  surrounded,
  withAnyDash,
  wordCheckOf,
  type Pattern,
  type TextCheck,
} from './pattern.ts';
import { shown, SigmaError } from './problem.ts';
import { check, join, type Tree } from './tree.ts';
import { quoted } from './words.ts';
import type { ScalarValue } from './yaml-value.ts';

const MAX_REGEX = 8 << 10;

/** What of a value must be found in a text; any of several. @throws SigmaError */
export function checksOf(key: ItemKey, value: ScalarValue, isDirectory: boolean): readonly TextCheck[] {
  if (key.comparison === 're') return [{ operator: 'regex', value: regexOf(key.flags, value) }];
  return wholePatternsOf(key, value).map((whole) =>
    checkOf(isDirectory ? asDirectory(whole) : whole, key.isCased),
  );
}

/** The same of one argument of a program, in the text of all of them. @throws SigmaError */
export function argumentChecksOf(key: ItemKey, value: ScalarValue, index: number): readonly TextCheck[] {
  return wholePatternsOf(key, value).map((whole) => {
    if (whole.some((part) => part.kind === 'text' && part.text.includes(' ')))
      throw new SigmaError(
        'value',
        `${shown(value.text)}: arguments with blanks cannot be told apart`,
        value.line,
      );
    return wordCheckOf(whole, index, key.isCased);
  });
}

/** With what may stand around it. */
function wholePatternsOf(key: ItemKey, value: ScalarValue): readonly Pattern[] {
  const { comparison } = key;
  const isFree = comparison === 'contains';
  return patternsOf(key, value).map((pattern) =>
    surrounded(pattern, isFree || comparison === 'endswith', isFree || comparison === 'startswith'),
  );
}

function patternsOf(key: ItemKey, value: ScalarValue): readonly Pattern[] {
  const pattern = parsePattern(value.text);
  if (key.hasAnyDash) return [withAnyDash(pattern)];
  if (key.base64 === null) return [pattern];
  const text = plainText(pattern);
  if (text === null)
    throw new SigmaError('value', `${shown(value.text)} has wildcards: base64 has none`, value.line);
  const bytes = encode(text, key.encoding);
  const encoded = key.base64 === 'whole' ? [base64Of(bytes)] : base64AtOffsets(bytes);
  if (encoded.length === 0 || bytes.length === 0)
    throw new SigmaError('value', `${shown(value.text)} is too short to be found in base64`, value.line);
  return encoded.map((one): Pattern => [{ kind: 'text', text: one }]);
}

/** Found anywhere in the value, as search engines do; ours compares the whole value. */
function regexOf(flags: string, { text, line }: ScalarValue): string {
  if (text.length > MAX_REGEX) throw new SigmaError('pattern', 'the pattern is longer than 8 KiB', line);
  try {
    RE2JS.compile(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new SigmaError('pattern', `RE2 does not take the pattern ${shown(text)}: ${reason}`, line);
  }
  const inner = flags === '' ? `(?:${text})` : `(?${flags}:${text})`;
  return `(?s:.*)${inner}(?s:.*)`;
}

/** Checks of one field, any or all of which must be true: those with the same operator become one. */
export function joinChecks(field: string, checks: readonly TextCheck[], kind: 'and' | 'or'): Tree {
  const groups = Map.groupBy(checks, ({ operator }) => operator);
  return join(
    kind,
    [...groups].map(([operator, group]) => {
      if (operator === 'exists') return check(`${field} exists`);
      const words = [...new Set(group.map(({ value }) => value))].map(quoted);
      const [only = ''] = words;
      if (words.length === 1) return check(`${field} ${operator} ${only}`);
      if (operator === '=' && kind === 'or') return check(`${field} in (${words.join(', ')})`);
      return check(`${field} ${operator} ${kind === 'or' ? 'anyof' : 'allof'} (${words.join(', ')})`);
    }),
  );
}
