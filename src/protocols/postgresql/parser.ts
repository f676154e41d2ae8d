import { byteString, type ByteString } from '../../base/bytes.ts';

/**
 * Messages of the PostgreSQL frontend/backend protocol 3, from their bytes. All of them read only what lies inside
 * [start, end), say so when that is not the whole message, and never throw.
 * https://www.postgresql.org/docs/current/protocol-message-formats.html
 */

/** Codes that stand where a first message has its protocol version. */
export const CANCEL_REQUEST = 80877102;
export const SSL_REQUEST = 80877103;
export const GSS_REQUEST = 80877104;

/** A value of a parameter that is SQL's NULL: the wire has no bytes for it. */
export const NULL_VALUE: ByteString = 'NULL';

export interface Startup {
  readonly user: ByteString;
  readonly database: ByteString;
}

/** User and database of a StartupMessage's parameters. Nothing else of it is kept: options may hold anything. */
export function readStartup(bytes: Uint8Array, start: number, end: number): Startup {
  let user = '';
  let database = '';
  let at = start;
  while (at < end && bytes[at] !== 0) {
    const nameEnd = endOfString(bytes, at, end);
    const valueEnd = endOfString(bytes, nameEnd + 1, end);
    if (valueEnd >= end) break;
    const name = byteString(bytes, at, nameEnd);
    if (name === 'user') user = byteString(bytes, nameEnd + 1, valueEnd);
    else if (name === 'database') database = byteString(bytes, nameEnd + 1, valueEnd);
    at = valueEnd + 1;
  }
  return { user, database: database === '' ? user : database };
}

/** A text up to its NUL, or up to the end of what there is. */
export function readString(bytes: Uint8Array, start: number, end: number): ByteString {
  return byteString(bytes, Math.min(start, end), endOfString(bytes, start, end));
}

export interface Parse {
  readonly name: ByteString;
  readonly sql: ByteString;
  readonly isTruncated: boolean;
}

export function readParse(bytes: Uint8Array, start: number, end: number): Parse {
  const nameEnd = endOfString(bytes, start, end);
  const sqlEnd = endOfString(bytes, nameEnd + 1, end);
  return {
    name: byteString(bytes, start, nameEnd),
    sql: readString(bytes, nameEnd + 1, end),
    isTruncated: sqlEnd >= end,
  };
}

export interface Bind {
  readonly portal: ByteString;
  readonly statement: ByteString;
  readonly parameters: readonly ByteString[];
  readonly isTruncated: boolean;
}

export function readBind(bytes: Uint8Array, start: number, end: number): Bind {
  const portalEnd = endOfString(bytes, start, end);
  const statementEnd = endOfString(bytes, portalEnd + 1, end);
  // Formats of the parameters: text and binary ones are both kept as their bytes.
  const formats = int16(bytes, statementEnd + 1, end);
  const values = readValues(bytes, statementEnd + 3 + 2 * formats, end);
  return {
    portal: byteString(bytes, start, portalEnd),
    statement: readString(bytes, portalEnd + 1, end),
    parameters: values.values,
    isTruncated: values.isTruncated,
  };
}

export interface FunctionCall {
  /** Object id of the function. */
  readonly oid: number;
  readonly parameters: readonly ByteString[];
  readonly isTruncated: boolean;
}

export function readFunctionCall(bytes: Uint8Array, start: number, end: number): FunctionCall {
  const formats = int16(bytes, start + 4, end);
  const { values, isTruncated } = readValues(bytes, start + 6 + 2 * formats, end);
  return { oid: start + 4 <= end ? uint32(bytes, start) : 0, parameters: values, isTruncated };
}

export interface Failure {
  /** SQLSTATE, see https://www.postgresql.org/docs/current/errcodes-appendix.html */
  readonly code: ByteString;
  readonly message: ByteString;
}

/** Fields of an ErrorResponse: https://www.postgresql.org/docs/current/protocol-error-fields.html */
export function readFailure(bytes: Uint8Array, start: number, end: number): Failure {
  let code = '';
  let message = '';
  let at = start;
  while (at < end && bytes[at] !== 0) {
    const valueEnd = endOfString(bytes, at + 1, end);
    if (bytes[at] === 0x43 && valueEnd < end) code = byteString(bytes, at + 1, valueEnd);
    else if (bytes[at] === 0x4d) message = byteString(bytes, at + 1, valueEnd);
    at = valueEnd + 1;
  }
  return { code, message };
}

/** Number of rows in a command tag: `SELECT 5`, `INSERT 0 3`, `COPY 7`; null for `BEGIN`. */
export function rowsOfTag(tag: ByteString): number | null {
  let start = tag.length;
  while (start > 0 && isDigit(tag.charCodeAt(start - 1))) start--;
  return start === tag.length || tag[start - 1] !== ' ' ? null : Number(tag.slice(start));
}

function readValues(
  bytes: Uint8Array,
  start: number,
  end: number,
): { values: ByteString[]; isTruncated: boolean } {
  const values: ByteString[] = [];
  const count = int16(bytes, start, end);
  let at = start + 2;
  while (values.length < count && at + 4 <= end) {
    const length = uint32(bytes, at);
    at += 4;
    if (length === 0xffffffff) {
      values.push(NULL_VALUE);
      continue;
    }
    values.push(byteString(bytes, at, Math.min(at + length, end)));
    at += length;
  }
  return { values, isTruncated: start + 2 > end || values.length < count || at > end };
}

/** Offset of the NUL that ends a text, `end` where there is none. */
export function endOfString(bytes: Uint8Array, start: number, end: number): number {
  if (start >= end) return end;
  const at = bytes.indexOf(0, start);
  return at < 0 || at > end ? end : at;
}

export function uint32(bytes: Uint8Array, at: number): number {
  const high = ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
  return ((high << 16) | ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0)) >>> 0;
}

/** 0 where it is cut off. */
export function int16(bytes: Uint8Array, at: number, end: number): number {
  return at + 2 <= end ? ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0) : 0;
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}
