import { bytesOf } from '../../base/bytes.ts';
import { WireRecorder } from '../testing.ts';
import { MysqlConnection } from './stream.ts';

/** Messages for the tests, and conversations made of them. */

type Piece = readonly ['>' | '<', string, number?];

export function talk(...pieces: readonly Piece[]): {
  lines: string[];
  recorder: WireRecorder;
  connection: MysqlConnection;
} {
  const recorder = new WireRecorder();
  const connection = new MysqlConnection(recorder);
  for (const [direction, text, missing] of pieces) {
    if (direction === '>') connection.fromClient(bytesOf(text), missing ?? 0);
    else connection.fromServer(bytesOf(text), missing ?? 0);
  }
  return { lines: recorder.lines, recorder, connection };
}

export function little(value: number, size: number): string {
  let text = '';
  for (let index = 0; index < size; index++)
    text += String.fromCharCode(Math.floor(value / 256 ** index) & 255);
  return text;
}

export function packet(sequence: number, body: string): string {
  return little(body.length, 3) + String.fromCharCode(sequence) + body;
}

export const PROTOCOL_41 = 0x200;
const LONG_PASSWORD = 1;
const WITH_DB = 8;

export function greeting(flags: number): string {
  return packet(
    0,
    `\x0a8.0.36\0${little(7, 4)}challeng\0${little(flags & 0xffff, 2)}\xff${little(2, 2)}${little(flags >>> 16, 2)}\x15${'\0'.repeat(10)}challenge123\0plugin\0`,
  );
}

function response(flags: number): string {
  return packet(1, `${little(flags, 4)}${little(1 << 24, 4)}\xff${'\0'.repeat(23)}ann\0\x07hunter2shop\0`);
}

export function signOn(flags: number): Piece[] {
  const all = flags | PROTOCOL_41 | LONG_PASSWORD | WITH_DB | 0x8000;
  return [
    ['<', greeting(all)],
    ['>', response(all)],
    ['<', packet(2, '\x00\0\0\x02\0\0\0')],
  ];
}

export const query = (sql: string): string => packet(0, `\x03${sql}`);
export const prepare = (sql: string): string => packet(0, `\x16${sql}`);
export const execute = (id: number, rest = ''): string =>
  packet(0, `\x17${little(id, 4)}\0${little(1, 4)}${rest}`);
export const ok = (sequence: number, rows = 0, status = 2): string =>
  packet(sequence, `\0${little(rows, 1)}\0${little(status, 2)}\0\0`);
export const eof = (sequence: number, status = 2): string => packet(sequence, `\xfe\0\0${little(status, 2)}`);
export const failure = (sequence: number, code: number, text: string): string =>
  packet(sequence, `\xff${little(code, 2)}#42000${text}`);
export const column = (sequence: number): string =>
  packet(sequence, `\x03def\0\0\0\x01a\0${'\0'.repeat(13)}`);
export const prepared = (id: number, parameters: number): string =>
  packet(1, `\0${little(id, 4)}${little(0, 2)}${little(parameters, 2)}\0\0\0`) +
  Array.from({ length: parameters }, (_, index) => column(index + 2)).join('');
