import type { ByteString } from '../../base/bytes.ts';
import { skippingTest } from './inside-test.ts';

export type TextTest = (value: ByteString) => boolean;
type Where = 'prefix' | 'path' | 'suffix' | 'inside';

/** Cells of a table, four bytes each: what does not fit is looked up by its length, or tested word by word. */
export const MAX_CELLS = 1 << 20;
const ACCEPTING = -2;
const DEAD = -1;
const SLASH = 47;

/**
 * Tests a text for many words at once, in one pass over its bytes.
 * - prefix: the text begins with one of them
 * - path: the same of the text with a slash behind it
 * - suffix: it ends with one of them
 * - inside: one of them stands somewhere in it
 * @param ignoresCase of ASCII letters
 */
export function wordTest(words: readonly ByteString[], where: Where, ignoresCase = false): TextTest {
  if (words.some((word) => word === '')) return () => true;
  const [only] = words;
  if (only !== undefined && words.length === 1 && !ignoresCase) return oneWordTest(only, where);
  // Most are made to see whether a rule is right, and never run.
  let test: TextTest | null = null;
  return (value) => (test ??= automatonTest(words, where, ignoresCase))(value);
}

/** V8 searches for one word many bytes at a time. */
function oneWordTest(word: ByteString, where: Where): TextTest {
  switch (where) {
    case 'prefix':
      return (value) => value.startsWith(word);
    case 'path':
      return (value) => value.startsWith(word) || (value.length === word.length - 1 && `${value}/` === word);
    case 'suffix':
      return (value) => value.endsWith(word);
    case 'inside':
      return (value) => value.includes(word);
  }
}

function automatonTest(words: readonly ByteString[], where: Where, ignoresCase: boolean): TextTest {
  const folded = ignoresCase ? words.map(lowerCase) : words;
  const trie = buildTrie(where === 'suffix' ? folded.map(reversed) : folded, ignoresCase);
  const isThere = trie === null ? withoutTable(folded, where, ignoresCase) : tableTest(trie, where);
  if (where !== 'inside') return isThere;
  return skippingTest(folded, ignoresCase ? lowerCase : null, trie === null ? null : isThere) ?? isThere;
}

function tableTest(trie: Trie, where: Where): TextTest {
  const { classes, next } = trie;
  switch (where) {
    case 'prefix':
      return (value) => {
        let state = 0;
        for (let at = 0; at < value.length; at++) {
          state = next[state + (classes[value.charCodeAt(at) & 0xff] as number)] as number;
          if (state < 0) return state === ACCEPTING;
        }
        return false;
      };
    case 'path': {
      const slash = classes[SLASH] ?? 0;
      return (value) => {
        let state = 0;
        for (let at = 0; at < value.length; at++) {
          state = next[state + (classes[value.charCodeAt(at) & 0xff] as number)] as number;
          if (state < 0) return state === ACCEPTING;
        }
        return next[state + slash] === ACCEPTING;
      };
    }
    case 'suffix':
      return (value) => {
        let state = 0;
        for (let at = value.length - 1; at >= 0; at--) {
          state = next[state + (classes[value.charCodeAt(at) & 0xff] as number)] as number;
          if (state < 0) return state === ACCEPTING;
        }
        return false;
      };
    case 'inside':
      linkFailures(trie);
      return (value) => {
        let state = 0;
        for (let at = 0; at < value.length; at++) {
          state = next[state + (classes[value.charCodeAt(at) & 0xff] as number)] as number;
          if (state === ACCEPTING) return true;
        }
        return false;
      };
  }
}

/** ASCII letters in lower case, all other bytes as they are. */
export function lowerCase(text: ByteString): ByteString {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

/** ASCII letters in upper case, all other bytes as they are. */
export function upperCase(text: ByteString): ByteString {
  return text.replace(/[a-z]+/g, (letters) => letters.toUpperCase());
}

export function reversed(text: ByteString): ByteString {
  return Array.from(text).toReversed().join('');
}

interface Trie {
  /** Class of each byte; 0 for bytes that stand in no word. */
  readonly classes: Uint8Array;
  /** Number of classes. A state is the index of its row, a multiple of it. */
  readonly width: number;
  /** Cells that are in use. */
  readonly size: number;
  /** Next state for state plus class; ACCEPTING where a word ends, DEAD where none goes on. */
  readonly next: Int32Array;
}

/**
 * Numbers for the bytes that stand in some words: 0 is for all others.
 * @returns null where there are so many that they would not fit into a byte
 */
export function byteClasses(
  words: readonly ByteString[],
): { readonly classes: Uint8Array; readonly width: number } | null {
  const classes = new Uint8Array(256);
  let width = 1;
  for (const word of words) {
    for (let at = 0; at < word.length; at++) {
      const byte = word.charCodeAt(at) & 0xff;
      if (classes[byte] === 0) classes[byte] = width++;
      if (width > 255) return null;
    }
  }
  return { classes, width };
}

function buildTrie(words: readonly ByteString[], ignoresCase: boolean): Trie | null {
  const byteTable = byteClasses(words);
  // Then words are tested one by one.
  if (byteTable === null) return null;
  const { classes, width } = byteTable;
  const states = words.reduce((sum, word) => sum + word.length, 1);
  if (ignoresCase) for (let upper = 65; upper <= 90; upper++) classes[upper] = classes[upper + 32] ?? 0;
  if (states * width > MAX_CELLS) return null;
  const next = new Int32Array(states * width).fill(DEAD);
  let size = width;
  for (const word of words) {
    let state = 0;
    for (let at = 0; at < word.length; at++) {
      const cell = state + (classes[word.charCodeAt(at) & 0xff] ?? 0);
      const known = next[cell] ?? DEAD;
      // A shorter word is enough; a longer one that is there already goes.
      if (known === ACCEPTING) break;
      if (at === word.length - 1) {
        next[cell] = ACCEPTING;
      } else if (known === DEAD) {
        next[cell] = state = size;
        size += width;
      } else {
        state = known;
      }
    }
  }
  return { classes, width, size, next };
}

/** Turns the trie into an automaton (Aho-Corasick): where no word goes on, the longest ending that another word begins with does. */
function linkFailures({ width, size, next }: Trie): void {
  const failure = new Int32Array(size / width);
  const queue: number[] = [0];
  for (let head = 0; head < queue.length; head++) {
    const state = queue[head] ?? 0;
    const fallbackState = failure[state / width] ?? 0;
    for (let index = 0; index < width; index++) {
      const cell = state + index;
      const target = next[cell] ?? DEAD;
      const fallback = state === 0 ? 0 : (next[fallbackState + index] ?? 0);
      if (target === ACCEPTING) continue;
      if (target === DEAD || fallback === ACCEPTING) {
        next[cell] = fallback;
      } else {
        failure[target / width] = fallback;
        queue.push(target);
      }
    }
  }
}

/** Words that need too large a table: a look-up for each of their lengths. */
function withoutTable(words: readonly ByteString[], where: Where, ignoresCase: boolean): TextTest {
  const folded = (value: ByteString) => (ignoresCase ? lowerCase(value) : value);
  // Comes to pass with words of one byte alone, which there are not many of.
  if (where === 'inside') return (value) => words.some((word) => folded(value).includes(word));
  const byLength = [...Map.groupBy(words, ({ length }) => length)].map(
    ([length, ofLength]) => [length, new Set(ofLength)] as const,
  );
  const partOf = (value: ByteString, length: number): ByteString =>
    where === 'suffix' ? value.slice(-length) : value.slice(0, length);
  return (value) => {
    const text = where === 'path' ? `${folded(value)}/` : folded(value);
    return byLength.some(([length, set]) => length <= text.length && set.has(partOf(text, length)));
  };
}
