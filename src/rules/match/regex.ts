import { createRequire } from 'node:module';
import type * as Re2 from 're2js';
import { byteStringFromText, textFromByteString, type ByteString } from '../../base/bytes.ts';
import { wordTest, type TextTest } from './automaton.ts';

/** Thrown for a pattern that is none, with a message for people. */
export class PatternError extends Error {
  override readonly name = 'PatternError';
}

/** Loaded with the first pattern: it takes 7 MiB and 20 ms, which most commands never need. */
let re2: typeof Re2 | null = null;

const NOT_ASCII = /[^\0-\x7f]/;
/** What means something else than itself in a pattern. */
const META = /[\\^$.|?*+()[\]{}]/;
const MAX_PATTERN = 16 << 10;
/** What stands around one of several. */
const PARENTHESES = '(?:)'.length;

/**
 * Whether a value as a whole is matched by one of some patterns of RE2, in time that grows with its length alone. A
 * pattern means text: where the value is not ASCII, it is matched as the text that its bytes are in UTF-8.
 */
export function regexTest(patterns: readonly ByteString[]): TextTest {
  const texts = patterns.map(textFromByteString);
  const regexes = joined(texts).map(compile);
  const matches: TextTest = (value) => {
    const text = NOT_ASCII.test(value) ? textFromByteString(value) : value;
    return regexes.some((regex) => regex.testExact(text));
  };
  // The engine costs more than all else in a rule, and mostly the value does not even begin or end so.
  const starts = texts.flatMap(literalPrefixes);
  if (starts.includes('')) return matches;
  const mayMatch = wordTest(starts, 'prefix');
  return (value) => mayMatch(value) && matches(value);
}

/** As few patterns as mean the same, each as long as a pattern may be. */
function joined(texts: readonly string[]): readonly string[] {
  const [only] = texts;
  if (only !== undefined && texts.length === 1) return [only];
  const patterns: string[] = [];
  let parts: string[] = [];
  let length = 0;
  for (const text of texts) {
    const part = `(?:${text})`;
    if (length > 0 && length + part.length >= MAX_PATTERN) {
      patterns.push(parts.join('|'));
      parts = [];
      length = 0;
    }
    parts.push(part);
    length += part.length + 1;
  }
  return [...patterns, parts.join('|')];
}

function compile(pattern: string): Re2.RE2JS {
  if (pattern.length > MAX_PATTERN + PARENTHESES) throw new PatternError('the pattern is longer than 16 KiB');
  re2 ??= createRequire(import.meta.url)('re2js') as typeof Re2;
  try {
    return re2.RE2JS.compile(pattern);
  } catch (error) {
    throw new PatternError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

/** A group of nothing but words, which is not left out. */
const WORDS = /^\((?:\?:)?([^\\^$.?*+()[\]{}]+)\)(?![?*{])/;

/**
 * Words with one of which every match begins: the literal characters in front of the first other one, and where that begins a
 * group of words, those behind them; [''] where nothing is known.
 */
export function literalPrefixes(pattern: string): readonly ByteString[] {
  if (pattern.startsWith('(?') || hasAlternatives(pattern)) return [''];
  const rest = pattern.startsWith('^') ? pattern.slice(1) : pattern;
  const end = rest.search(META);
  if (end === -1) return [byteStringFromText(rest)];
  const literal = rest.slice(0, end);
  if ('?*{'.includes(rest[end] ?? '')) return [byteStringFromText(literal.slice(0, -1))];
  const [, words = ''] = WORDS.exec(rest.slice(end)) ?? [];
  return words.split('|').map((word) => byteStringFromText(literal + word));
}

/** Whether a bar stands outside of all parentheses. Where that is hard to say (quotes, bars in brackets), it is said to. */
function hasAlternatives(pattern: string): boolean {
  if (!pattern.includes('|')) return false;
  if (pattern.includes('\\Q')) return true;
  let depth = 0;
  for (let at = 0; at < pattern.length; at++) {
    const character = pattern[at];
    if (character === '\\') at++;
    else if (character === '|' && depth === 0) return true;
    else if (character === '(') depth++;
    else if (character === ')') depth--;
    else if (character === '[') {
      const end = pattern.indexOf(']', at + (pattern[at + 1] === '^' ? 3 : 2));
      // A bracket or a parenthesis in brackets is one character, and so may be what looks like the end.
      if (end === -1 || /[[()|\\]/.test(pattern.slice(at + 1, end))) return true;
      at = end;
    }
  }
  return false;
}
