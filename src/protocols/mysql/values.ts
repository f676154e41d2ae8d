import type { ByteString } from '../../base/bytes.ts';
import type { Reader } from './parser.ts';

/** A value of a parameter that is SQL's NULL: the wire has no bytes for it. */
export const NULL_VALUE: ByteString = 'NULL';

/** Second byte of a parameter's type. */
const UNSIGNED = 0x80;

/**
 * A parameter's value in its binary form, as text; null where the type is not known, so that nothing after it can be
 * read. https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_binary_resultset.html
 * @param type type in the low byte, flags in the high one
 */
export function readValue(reader: Reader, type: number): ByteString | null {
  const isUnsigned = ((type >>> 8) & UNSIGNED) !== 0;
  switch (type & 0xff) {
    case 0x01: // TINY
      return integer(reader.uint(1), 8, isUnsigned);
    case 0x02: // SHORT
    case 0x0d: // YEAR
      return integer(reader.uint(2), 16, isUnsigned);
    case 0x03: // LONG
    case 0x09: // INT24
      return integer(reader.uint(4), 32, isUnsigned);
    case 0x08: {
      // LONGLONG
      const value = reader.uint64();
      return String(isUnsigned ? value : BigInt.asIntN(64, value));
    }
    case 0x04: // FLOAT
      return float32(reader.float(4));
    case 0x05: // DOUBLE
      return String(reader.float(8));
    case 0x06: // NULL
      return NULL_VALUE;
    case 0x07: // TIMESTAMP
    case 0x0a: // DATE
    case 0x0c: // DATETIME
      return dateTime(reader);
    case 0x0b: // TIME
      return time(reader);
    default:
      return isTextType(type & 0xff) ? reader.text() : null;
  }
}

/** Decimals, texts, blobs, bits, JSON, vectors, enumerations, geometries: bytes with their length before them. */
function isTextType(type: number): boolean {
  return type === 0x00 || type === 0x0f || type === 0x10 || (type >= 0xf2 && type <= 0xff && type !== 0xf3);
}

function integer(value: number, bits: number, isUnsigned: boolean): ByteString {
  return String(!isUnsigned && value >= 2 ** (bits - 1) ? value - 2 ** bits : value);
}

/** The shortest decimal that stands for the same float. */
function float32(value: number): ByteString {
  for (let digits = 6; digits < 9; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return String(short);
  }
  return String(value);
}

/** '2024-02-29', '2024-02-29 12:30:15', '2024-02-29 12:30:15.250000', by the length that comes first. */
function dateTime(reader: Reader): ByteString {
  const length = reader.uint8();
  const date =
    length >= 4 ? `${pad(reader.uint(2), 4)}-${pad(reader.uint(1))}-${pad(reader.uint(1))}` : '0000-00-00';
  if (length < 7) return date;
  return `${date} ${clock(reader)}${length < 11 ? '' : `.${pad(reader.uint(4), 6)}`}`;
}

/** '-26:00:00.5': hours go beyond a day. */
function time(reader: Reader): ByteString {
  const length = reader.uint8();
  if (length < 8) return '00:00:00';
  const sign = reader.uint(1) === 1 ? '-' : '';
  const hours = reader.uint(4) * 24 + reader.uint(1);
  const rest = `${pad(reader.uint(1))}:${pad(reader.uint(1))}`;
  return `${sign}${pad(hours)}:${rest}${length < 12 ? '' : `.${pad(reader.uint(4), 6)}`}`;
}

function clock(reader: Reader): ByteString {
  return `${pad(reader.uint(1))}:${pad(reader.uint(1))}:${pad(reader.uint(1))}`;
}

function pad(value: number, digits = 2): string {
  return String(value).padStart(digits, '0');
}
