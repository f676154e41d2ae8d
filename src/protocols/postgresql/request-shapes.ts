import { BIND, CLOSE, EXECUTE, PARSE, QUERY } from './messages.ts';
import { endOfString, int16, uint32 } from './parser.ts';

/** What a message's body says about its being one. */
export type Shape = 'wrong' | 'weak' | 'strong';

/** So much text without a control character stands for a statement that goes on beyond what was captured. */
export const ENOUGH_TEXT = 8;
/** PostgreSQL's values have less than 1 GiB. */
const MAX_VALUE_LENGTH = 0x3fffffff;
const NULL_LENGTH = 0xffffffff;

/** What the body of a client's message says about its being one. */
export function checkRequest(
  type: number,
  bytes: Uint8Array,
  start: number,
  end: number,
  isWhole: boolean,
): Shape {
  switch (type) {
    case QUERY:
      return checkSql(bytes, start, end, isWhole, 0);
    case PARSE: {
      const nameEnd = endOfString(bytes, start, end);
      if (!isText(bytes, start, nameEnd)) return 'wrong';
      if (nameEnd === end) return isWhole ? 'wrong' : 'weak';
      const sqlEnd = endOfString(bytes, nameEnd + 1, end);
      if (sqlEnd >= end) return isWhole ? 'wrong' : checkSql(bytes, nameEnd + 1, end, false, 0);
      return checkSql(bytes, nameEnd + 1, end, isWhole, 2 + 4 * int16(bytes, sqlEnd + 1, end));
    }
    case BIND:
      return checkBind(bytes, start, end, isWhole);
    case EXECUTE:
      return checkName(bytes, start, end, isWhole, 4);
    case CLOSE:
    case 0x44: // Describe
      if (start < end && bytes[start] !== 0x50 && bytes[start] !== 0x53) return 'wrong';
      return checkName(bytes, start + 1, end, isWhole, 0);
    default:
      return 'weak';
  }
}

/** A statement that ends with NUL, and so many bytes after it. */
function checkSql(bytes: Uint8Array, start: number, end: number, isWhole: boolean, after: number): Shape {
  const sqlEnd = endOfString(bytes, start, end);
  if (!isText(bytes, start, sqlEnd)) return 'wrong';
  if (isWhole) return sqlEnd + 1 + after === end ? 'strong' : 'wrong';
  if (sqlEnd < end && after === 0) return 'wrong';
  return sqlEnd - start >= ENOUGH_TEXT ? 'strong' : 'weak';
}

/** A name that ends with NUL, and so many bytes after it. */
function checkName(bytes: Uint8Array, start: number, end: number, isWhole: boolean, after: number): Shape {
  const nameEnd = endOfString(bytes, start, end);
  if (!isText(bytes, start, nameEnd)) return 'wrong';
  if (!isWhole) return 'weak';
  return nameEnd + 1 + after === end ? 'strong' : 'wrong';
}

function checkBind(bytes: Uint8Array, start: number, end: number, isWhole: boolean): Shape {
  const portalEnd = endOfString(bytes, start, end);
  const nameEnd = endOfString(bytes, portalEnd + 1, end);
  if (!isText(bytes, start, portalEnd) || !isText(bytes, portalEnd + 1, nameEnd)) return 'wrong';
  const formats = int16(bytes, nameEnd + 1, end);
  let at = nameEnd + 3;
  for (const last = at + 2 * formats; at < last && at + 2 <= end; at += 2)
    if (int16(bytes, at, end) > 1) return 'wrong';
  const values = int16(bytes, at, end);
  if (at + 2 > end) return isWhole ? 'wrong' : 'weak';
  // One format for all of them, or one for each.
  if (formats > 1 && formats !== values) return 'wrong';
  let count = values;
  for (at += 2; count > 0 && at + 4 <= end; count--) {
    const length = uint32(bytes, at);
    if (length > MAX_VALUE_LENGTH && length !== NULL_LENGTH) return 'wrong';
    at += 4 + (length === NULL_LENGTH ? 0 : length);
  }
  // A value that goes on beyond what was captured: names, formats and lengths fit so far.
  if (!isWhole) return values > count && at > end ? 'strong' : 'weak';
  // Formats of the results end it.
  return count === 0 && at + 2 + 2 * int16(bytes, at, end) === end ? 'strong' : 'wrong';
}

/** No control characters but blanks: statements and names have none. */
export function isText(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at++) {
    const byte = bytes[at] as number;
    if (byte < 0x20 && byte !== 9 && byte !== 10 && byte !== 12 && byte !== 13) return false;
    if (byte === 0x7f) return false;
  }
  return true;
}
