import type { ByteString } from '../../base/bytes.ts';

/** Bytes of a word's beginning that are looked at: further is not skipped at a time. */
const MAX_WINDOW = 64;
/** Places that looked right and were not, after which the whole text is gone through instead. */
const MAX_MISTAKES = 8;
/** Pairs of bytes have a number of 12 bits, which several share. */
const PAIRS = 1 << 12;

/**
 * Whether one of some words stands in a text, mostly without looking at each byte of it (Wu and Manber, A fast algorithm for
 * multi-pattern searching, 1994): pairs of bytes tell how far it is at least to the place where the beginning of a word could
 * end. Many words cost what few cost, as long as no short ones are among them.
 * @param words not empty; in lower case where case is ignored
 * @param isInside says the same and takes the same time for all texts of a length; null: there is none
 * @returns null for words of one byte
 */
export function skippingTest(
  words: readonly ByteString[],
  foldCase: ((text: ByteString) => ByteString) | null,
  isInside: ((text: ByteString) => boolean) | null,
): ((text: ByteString) => boolean) | null {
  const window = words.reduce((least, { length }) => Math.min(least, length), MAX_WINDOW);
  if (window < 2) return null;
  const shifts = shiftsOf(words, window, foldCase !== null);
  const byBeginning = Map.groupBy(words, (word) => word.slice(0, window));
  const isWordAt = (text: ByteString, start: number): boolean => {
    const beginning = text.slice(start, start + window);
    const possible = byBeginning.get(foldCase === null ? beginning : foldCase(beginning));
    if (possible === undefined) return false;
    return possible.some(({ length }, index) => {
      const part = text.slice(start, start + length);
      return (foldCase === null ? part : foldCase(part)) === possible[index];
    });
  };
  return (text) => {
    let mistakes = 0;
    let at = window - 1;
    while (at < text.length) {
      const pair = ((text.charCodeAt(at - 1) & 0xff) << 4) ^ (text.charCodeAt(at) & 0xff);
      const shift = shifts[pair] as number;
      if (shift > 0) {
        at += shift;
        continue;
      }
      if (isWordAt(text, at - window + 1)) return true;
      if (++mistakes === MAX_MISTAKES && isInside !== null) return isInside(text);
      at++;
    }
    return false;
  };
}

/** By pair of bytes how far it is at least from its end to the end of the beginning of a word. */
function shiftsOf(words: readonly ByteString[], window: number, ignoresCase: boolean): Uint8Array {
  const shifts = new Uint8Array(PAIRS).fill(window - 1);
  const waysOf = (byte: number) => (ignoresCase && byte >= 97 && byte <= 122 ? [byte, byte - 32] : [byte]);
  for (const word of words) {
    for (let at = 1; at < window; at++) {
      const shift = window - 1 - at;
      for (const first of waysOf(word.charCodeAt(at - 1) & 0xff)) {
        for (const second of waysOf(word.charCodeAt(at) & 0xff)) {
          const pair = (first << 4) ^ second;
          if (shift < (shifts[pair] ?? 0)) shifts[pair] = shift;
        }
      }
    }
  }
  return shifts;
}
