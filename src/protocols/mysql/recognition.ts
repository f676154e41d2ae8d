import { byteString } from '../../base/bytes.ts';
import { sqlVerb } from '../../base/sql-verb.ts';
import type { Confidence, FirstBytes } from '../contract.ts';
import { QUERY, STMT_EXECUTE, STMT_PREPARE, answerOf } from './commands.ts';
import { isHandshakeResponse, readGreeting } from './handshake.ts';
import { Reader } from './parser.ts';

const HEADER_BYTES = 4;
/** Greetings are a version, a challenge and a name: some hundred bytes. */
const MAX_GREETING_LENGTH = 512;
/** So many packets with lengths and numbers that fit one another are no accident. */
const ENOUGH_PACKETS = 3;
/** A statement that stands for the protocol is read so far. */
const ENOUGH_TEXT = 256;
/** What a statement begins with that a connection is taken up with. */
const VERBS = new Set(
  (
    'ALTER ANALYZE BEGIN CALL COMMIT CREATE DEALLOCATE DELETE DESC DESCRIBE DO DROP EXECUTE EXPLAIN FLUSH GRANT ' +
    'HANDLER INSERT KILL LOAD LOCK OPTIMIZE PREPARE RELEASE RENAME REPLACE REVOKE ROLLBACK SAVEPOINT SELECT SET SHOW ' +
    'START TABLE TRUNCATE UNLOCK UPDATE USE VALUES WITH XA'
  ).split(' '),
);

/** Whether the bytes are of the protocol of MySQL and MariaDB. */
export function recognise({ fromClient, fromServer, isBeginning }: FirstBytes): Confidence {
  const greeting = fromServer.length === 0 ? 'maybe' : recogniseGreeting(fromServer);
  if (greeting === 'certain') return greeting;
  // The server speaks first.
  if (isBeginning) return fromClient.length > 0 ? 'no' : greeting;
  if (fromClient.length === 0) return fromServer.length === 0 ? 'maybe' : recogniseReply(fromServer);
  return recogniseCommand(fromClient, fromServer);
}

/** Whether a command begins here, as far as can be seen. */
export function beginsLikeCommand(bytes: Uint8Array): boolean {
  return bytes.length > HEADER_BYTES && recogniseCommand(bytes, bytes.subarray(0, 0)) !== 'no';
}

function recogniseGreeting(bytes: Uint8Array): Confidence {
  if (bytes.length < HEADER_BYTES + 1)
    return bytes.length > 2 && (bytes[2] !== 0 || (bytes[3] ?? 0) !== 0) ? 'no' : 'maybe';
  const length = lengthAt(bytes, 0);
  if (length > MAX_GREETING_LENGTH || bytes[3] !== 0 || bytes[4] !== 10) return 'no';
  if (bytes.length < HEADER_BYTES + length) return isVersionBegun(bytes) ? 'maybe' : 'no';
  return readGreeting(bytes, HEADER_BYTES, HEADER_BYTES + length) === null ? 'no' : 'certain';
}

function isVersionBegun(bytes: Uint8Array): boolean {
  for (let at = HEADER_BYTES + 1; at < bytes.length && bytes[at] !== 0; at++) {
    const byte = bytes[at] as number;
    if (byte < 0x20 || byte > 0x7e) return false;
  }
  return bytes[HEADER_BYTES + 1] !== 0;
}

/** The middle of a connection: an answer from its first packet on. */
function recogniseReply(bytes: Uint8Array): Confidence {
  return chainOf(bytes) >= ENOUGH_PACKETS ? 'likely' : 'no';
}

/** The middle of a connection: a command, and what answers it. */
function recogniseCommand(client: Uint8Array, server: Uint8Array): Confidence {
  if (client.length <= HEADER_BYTES) {
    return client.length === HEADER_BYTES && client[3] !== 0 ? 'no' : 'maybe';
  }
  const length = lengthAt(client, 0);
  const command = client[HEADER_BYTES] as number;
  // The greeting was not seen, but what answers it.
  if (client[3] === 1 && length <= MAX_GREETING_LENGTH)
    return isHandshakeResponse(client, HEADER_BYTES, Math.min(client.length, HEADER_BYTES + length))
      ? 'likely'
      : 'no';
  if (length === 0 || client[3] !== 0 || answerOf(command) === null) return 'no';
  const end = Math.min(client.length, HEADER_BYTES + length);
  const isWhole = client.length >= HEADER_BYTES + length;
  const reader = new Reader(client, HEADER_BYTES + 1, end);
  if (command === QUERY || command === STMT_PREPARE) return recogniseSql(client, end, isWhole);
  if (command === STMT_EXECUTE) {
    if (!isWhole && client.length < HEADER_BYTES + 10) return 'maybe';
    reader.skip(4);
    return reader.uint8() <= 15 && reader.uint(4) === 1 && !reader.isOver ? 'likely' : 'no';
  }
  if (!isArgumentPossible(command, length)) return 'no';
  // Short commands prove little: their answer has to fit, too.
  if (server.length === 0) return 'maybe';
  return isWhole && chainOf(server) >= 1 && server[0] === 7 && server[HEADER_BYTES] === 0 ? 'likely' : 'no';
}

function recogniseSql(bytes: Uint8Array, end: number, isWhole: boolean): Confidence {
  let start = HEADER_BYTES + 1;
  // Query attributes: none of them.
  if (bytes[start] === 0 && bytes[start + 1] === 1) start += 2;
  const text = byteString(bytes, start, Math.min(end, start + ENOUGH_TEXT));
  const verb = sqlVerb(text, 'mysql');
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code < 0x20 && code !== 9 && code !== 10 && code !== 13) return 'no';
  }
  if (VERBS.has(verb)) return 'likely';
  return isWhole || verb.length > 10 || text.length >= ENOUGH_TEXT ? 'no' : 'maybe';
}

/** Commands with a fixed length, or with a name. */
function isArgumentPossible(command: number, length: number): boolean {
  switch (command) {
    case 0x01: // QUIT
    case 0x09: // STATISTICS
    case 0x0d: // DEBUG
    case 0x0e: // PING
    case 0x1f: // RESET_CONNECTION
      return length === 1;
    case 0x19: // STMT_CLOSE
    case 0x1a: // STMT_RESET
    case 0x0c: // PROCESS_KILL
      return length === 5;
    case 0x1c: // STMT_FETCH
      return length === 9;
    default:
      return length <= MAX_GREETING_LENGTH;
  }
}

/** How many packets follow one another with the numbers 1, 2, 3, ...; the last one may go on beyond the bytes. */
function chainOf(bytes: Uint8Array): number {
  let at = 0;
  let count = 0;
  while (at + HEADER_BYTES < bytes.length) {
    const length = lengthAt(bytes, at);
    if (length === 0 || bytes[at + 3] !== ((count + 1) & 0xff)) return 0;
    count++;
    at += HEADER_BYTES + length;
  }
  return count;
}

function lengthAt(bytes: Uint8Array, at: number): number {
  return (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16);
}
