import type { ByteString } from '../../base/bytes.ts';
import { Reader } from './parser.ts';
import type { Statement } from './statements.ts';
import { NULL_VALUE, readValue } from './values.ts';

/** Types are remembered up to here: executions of longer statements tell no parameters when they leave them out. */
const MAX_REMEMBERED_TYPES = 1024;
/** Each guess reads the message once: statements of the wide kind are left out. */
const MAX_GUESSED = 64;
/** Flag of COM_STMT_BULK_EXECUTE. */
const SENDS_TYPES = 128;
const INDICATED: Readonly<Record<number, ByteString>> = { 1: NULL_VALUE, 2: 'DEFAULT', 3: 'IGNORE' };

export interface Parameters {
  readonly values: readonly ByteString[];
  readonly isTruncated: boolean;
}

export const NO_PARAMETERS: Parameters = { values: [], isTruncated: false };
const UNREADABLE: Parameters = { values: [], isTruncated: true };

/**
 * Which of them are NULL, their types where those are new, their values.
 * https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_stmt_execute.html
 * @param hasNames each type is followed by a name (query attributes)
 */
export function readParameters(
  reader: Reader,
  count: number,
  hasNames: boolean,
  statement: Statement | null,
): Parameters {
  if (count === 0) return NO_PARAMETERS;
  const nulls = reader.take((count + 7) >>> 3);
  const types = reader.uint8() === 1 ? readTypes(reader, count, hasNames, statement) : statement?.types;
  if (reader.isOver || types === null || types === undefined) return UNREADABLE;
  const values: ByteString[] = [];
  for (let index = 0; index < count; index++) {
    const value = statement?.longData.get(index);
    const isNull = (nulls.charCodeAt(index >>> 3) & (1 << (index & 7))) !== 0;
    if (value !== undefined) values.push(value);
    else if (isNull) values.push(NULL_VALUE);
    else if (!push(values, reader, types[index] ?? 0)) return { values, isTruncated: true };
  }
  return { values, isTruncated: false };
}

/**
 * The parameters of a statement whose number of them is not known: where their types are sent along, only the right
 * number gives values that end where the message ends.
 */
export function guessParameters(reader: Reader): Parameters {
  let found: Parameters | null = null;
  for (let count = 1; 2 * count + 1 < reader.left && count <= MAX_GUESSED; count++) {
    const guess = new Reader(reader.bytes, reader.at + ((count + 7) >>> 3), reader.end);
    // No types, or bits for more parameters than there are.
    if (guess.uint8() !== 1 || (reader.bytes[guess.at - 2] ?? 0) >>> (((count - 1) & 7) + 1) !== 0) continue;
    guess.at = reader.at;
    const parameters = readParameters(guess, count, false, null);
    if (parameters.isTruncated || guess.left > 0) continue;
    if (found !== null) return UNREADABLE;
    found = parameters;
  }
  return found ?? UNREADABLE;
}

/** Rows of parameters, each value with an indicator before it: https://mariadb.com/kb/en/com_stmt_bulk_execute/ */
export function readBulkParameters(
  reader: Reader,
  flags: number,
  count: number,
  statement: Statement,
): Parameters {
  const types = (flags & SENDS_TYPES) === 0 ? statement.types : readTypes(reader, count, false, statement);
  if (types === null || count === 0) return UNREADABLE;
  const values: ByteString[] = [];
  while (reader.left > 0) {
    const type = types[values.length % count] ?? 0;
    const indicator = reader.uint8();
    if (indicator !== 0) values.push(INDICATED[indicator] ?? '');
    else if (!push(values, reader, type)) return { values, isTruncated: true };
  }
  return { values, isTruncated: values.length % count !== 0 };
}

/** How many parameters a statement has, for an execution that does not wait for the server's count of them. */
export function countPlaceholders(sql: ByteString): number {
  let count = 0;
  let at = 0;
  while (at < sql.length) {
    const character = sql[at];
    if (character === '?') count++;
    if (character === "'" || character === '"' || character === '`') at = endOfQuote(sql, at, character);
    else if (sql.startsWith('/*', at)) at = endOf(sql, '*/', at + 2);
    else if (character === '#' || sql.startsWith('-- ', at)) at = endOf(sql, '\n', at);
    else at++;
  }
  return count;
}

function push(values: ByteString[], reader: Reader, type: number): boolean {
  const value = readValue(reader, type);
  // Of a text that is cut off, what there is; of a number nothing.
  if (value === null) return false;
  if (reader.isOver && value.length < 2) return false;
  values.push(value);
  return !reader.isOver;
}

function readTypes(
  reader: Reader,
  count: number,
  hasNames: boolean,
  statement: Statement | null,
): readonly number[] | null {
  if (reader.left < 2 * count) return null;
  const types: number[] = [];
  while (types.length < count) {
    types.push(reader.uint(2));
    if (hasNames) reader.text();
  }
  if (statement !== null && count <= MAX_REMEMBERED_TYPES) statement.types = types;
  return types;
}

function endOfQuote(sql: ByteString, start: number, quote: string): number {
  let at = start + 1;
  while (at < sql.length && sql[at] !== quote) at += sql[at] === '\\' && quote !== '`' ? 2 : 1;
  return at + 1;
}

function endOf(sql: ByteString, mark: string, start: number): number {
  const end = sql.indexOf(mark, start);
  return end < 0 ? sql.length : end + mark.length;
}
