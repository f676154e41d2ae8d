import { COMMAND_COMPLETE, DATA_ROW, ERROR, READY, ROW_DESCRIPTION } from './messages.ts';
import { endOfString, int16, uint32 } from './parser.ts';
import { isText, type Shape } from './request-shapes.ts';

const NOTICE = 0x4e; // N
const PARAMETER_STATUS = 0x53; // S
/** Columns have a name, and numbers of this many bytes. */
const COLUMN_BYTES = 18;

/** What the body of a server's message says about its being one. */
export function checkReply(
  type: number,
  bytes: Uint8Array,
  start: number,
  end: number,
  isWhole: boolean,
): Shape {
  switch (type) {
    case READY: {
      const status = bytes[start];
      if (!isWhole) return 'weak';
      return status === 0x49 || status === 0x54 || status === 0x45 ? 'strong' : 'wrong';
    }
    case COMMAND_COMPLETE: {
      const tagEnd = endOfString(bytes, start, end);
      if (!isText(bytes, start, tagEnd) || (start < end && !isUpper(bytes[start]))) return 'wrong';
      if (!isWhole) return 'weak';
      return tagEnd + 1 === end ? 'strong' : 'wrong';
    }
    case ERROR:
    case NOTICE:
      // The first field is the severity.
      if (start < end && bytes[start] !== 0x53) return 'wrong';
      if (!isWhole) return 'weak';
      return isUpper(bytes[start + 1]) && bytes[end - 1] === 0 && bytes[end - 2] === 0 ? 'strong' : 'wrong';
    case PARAMETER_STATUS: {
      const nameEnd = endOfString(bytes, start, end);
      if (!isText(bytes, start, nameEnd)) return 'wrong';
      if (!isWhole) return 'weak';
      return endOfString(bytes, nameEnd + 1, end) + 1 === end ? 'strong' : 'wrong';
    }
    case ROW_DESCRIPTION:
      return isWhole ? checkColumns(bytes, start, end) : 'weak';
    case DATA_ROW:
      return isWhole ? checkRow(bytes, start, end) : 'weak';
    default:
      return 'weak';
  }
}

function checkColumns(bytes: Uint8Array, start: number, end: number): Shape {
  let at = start + 2;
  let count = int16(bytes, start, end);
  for (; count > 0 && at < end; count--) at = endOfString(bytes, at, end) + 1 + COLUMN_BYTES;
  return count === 0 && at === end ? 'strong' : 'wrong';
}

function checkRow(bytes: Uint8Array, start: number, end: number): Shape {
  let at = start + 2;
  let count = int16(bytes, start, end);
  for (; count > 0 && at + 4 <= end; count--) {
    const length = uint32(bytes, at);
    at += 4 + (length === 0xffffffff ? 0 : length);
  }
  return count === 0 && at === end ? 'strong' : 'wrong';
}

function isUpper(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x41 && byte <= 0x5a;
}
