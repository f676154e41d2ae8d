import type { ByteString } from '../../base/bytes.ts';

/** Header fields of a message that are listed. */
export const MAX_HEADERS = 256;

const TAB = 9;
const LF = 10;
const CR = 13;
const SPACE = 32;

/**
 * Header fields of a head: names in lower case, values without surrounding white space, folded lines joined by a
 * space. Lines without a colon are left out.
 * @param head the first line is skipped; the last line may be cut
 */
export function headerLines(head: ByteString, limit: number): [name: ByteString, value: ByteString][] {
  const found: [ByteString, ByteString][] = [];
  let start = head.indexOf('\n') + 1;
  if (start === 0) return found;
  while (start < head.length) {
    let end = head.indexOf('\n', start);
    if (end === -1) end = head.length;
    const first = head.charCodeAt(start);
    if (first === LF || (first === CR && end === start + 1)) break;
    if (first === SPACE || first === TAB) {
      const last = found.at(-1);
      const part = trimBlanks(head.slice(start, end));
      if (last !== undefined && part !== '') last[1] = last[1] === '' ? part : `${last[1]} ${part}`;
    } else {
      const colon = head.indexOf(':', start);
      if (colon !== -1 && colon < end) {
        if (found.length >= limit) break;
        const name = trimBlanks(head.slice(start, colon)).toLowerCase();
        found.push([name, trimBlanks(head.slice(colon + 1, end))]);
      }
    }
    start = end + 1;
  }
  return found;
}

/** Without spaces, tabs and carriage returns at both ends: not what JavaScript trims, which an attacker can use. */
export function trimBlanks(text: ByteString): ByteString {
  let start = 0;
  let end = text.length;
  while (start < end && isBlank(text.charCodeAt(start))) start++;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

/** Space, tab, or the carriage return of a line end. */
export function isBlank(byte: number | undefined): boolean {
  return byte === SPACE || byte === CR || byte === TAB;
}
