import { bytesOf } from '../../base/bytes.ts';
import { WireRecorder } from '../testing.ts';
import { PostgresqlConnection } from './stream.ts';

/** Messages for the tests, and conversations made of them. */

export type Piece = readonly ['>' | '<', string, number?];

export function talk(...pieces: readonly Piece[]): {
  lines: string[];
  recorder: WireRecorder;
  connection: PostgresqlConnection;
} {
  const recorder = new WireRecorder();
  const connection = new PostgresqlConnection(recorder);
  for (const [direction, text, missing] of pieces) {
    if (direction === '>') connection.fromClient(bytesOf(text), missing ?? 0);
    else connection.fromServer(bytesOf(text), missing ?? 0);
  }
  return { lines: recorder.lines, recorder, connection };
}

export function int32(value: number): string {
  return String.fromCharCode((value >>> 24) & 255, (value >>> 16) & 255, (value >>> 8) & 255, value & 255);
}

export function int16(value: number): string {
  return String.fromCharCode((value >>> 8) & 255, value & 255);
}

export function message(type: string, body = ''): string {
  return type + int32(body.length + 4) + body;
}

export const query = (sql: string): string => message('Q', `${sql}\0`);
export const parse = (name: string, sql: string): string => message('P', `${name}\0${sql}\0${int16(0)}`);
export const bind = (portal: string, name: string, ...values: readonly (string | null)[]): string =>
  message(
    'B',
    `${portal}\0${name}\0${int16(0)}${int16(values.length)}${values
      .map((value) => (value === null ? int32(-1) : int32(value.length) + value))
      .join('')}${int16(0)}`,
  );
export const execute = (portal = '', rows = 0): string => message('E', `${portal}\0${int32(rows)}`);
export const complete = (tag: string): string => message('C', `${tag}\0`);
export const error = (code: string, text: string): string => message('E', `SERROR\0C${code}\0M${text}\0\0`);
export const startup = (text: string): string => int32(text.length + 8) + int32(196608) + text;
export const SYNC = message('S');
export const READY = message('Z', 'I');
export const IN_TRANSACTION = message('Z', 'T');
export const SSL = int32(8) + int32(80877103);
export const ROW = message('D', `${int16(1)}${int32(3)}abc`);
export const COLUMNS = message('T', `${int16(1)}a\0${'\0'.repeat(18)}`);
