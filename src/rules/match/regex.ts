import { RE2JS } from 're2js';
import { byteStringFromText, textFromByteString, type ByteString } from '../../base/bytes.ts';
import { wordTest, type TextTest } from './automaton.ts';

/** Thrown for a pattern that is none, with a message for people. */
export class PatternError extends Error {
  override readonly name = 'PatternError';
}

const NOT_ASCII = /[^\0-\x7f]/;
/** What means something else than itself in a pattern. */
const META = /[\\^$.|?*+()[\]{}]/;
const MAX_PATTERN = 16 << 10;

/**
 * Whether a value as a whole is matched by one of some patterns of RE2, in time that grows with its length alone. A
 * pattern means text: where the value is not ASCII, it is matched as the text that its bytes are in UTF-8.
 */
export function regexTest(patterns: readonly ByteString[]): TextTest {
  const texts = patterns.map(textFromByteString);
  for (const text of texts) compile(text);
  const [only = ''] = texts;
  const regex = compile(texts.length === 1 ? only : texts.map((text) => `(?:${text})`).join('|'));
  const matches: TextTest = (value) =>
    regex.testExact(NOT_ASCII.test(value) ? textFromByteString(value) : value);
  // The engine costs more than all else in a rule, and mostly the value does not even begin or end so.
  const starts = texts.map((text) => byteStringFromText(literalPrefix(text)));
  if (starts.includes('')) return matches;
  const mayMatch = wordTest(starts, 'prefix');
  return (value) => mayMatch(value) && matches(value);
}

function compile(pattern: string): RE2JS {
  if (pattern.length > MAX_PATTERN) throw new PatternError('the pattern is longer than 16 KiB');
  try {
    return RE2JS.compile(pattern);
  } catch (error) {
    throw new PatternError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

/** What every match begins with: the literal characters in front of the first other one; '' where alternatives may differ. */
function literalPrefix(pattern: string): string {
  if (pattern.includes('|') || pattern.startsWith('(?')) return '';
  const start = pattern.startsWith('^') ? 1 : 0;
  const end = pattern.slice(start).search(META);
  if (end === -1) return pattern.slice(start);
  const literal = pattern.slice(start, start + end);
  const next = pattern[start + end] ?? '';
  return '?*{'.includes(next) ? literal.slice(0, -1) : literal;
}
