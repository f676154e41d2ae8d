import type { ByteString } from '../../base/bytes.ts';
import type { QueryOutcome } from '../../model/query.ts';
import { BSON, BsonCursor, countAt, int32, numberAt, stringAt } from './bson.ts';
import { HEADER_BYTES, parseMessage } from './parser.ts';

const MAX_TEXT_BYTES = 1024;
/** OP_REPLY: flags, cursor (8 bytes), position, number of documents. */
const OLD_REPLY_BYTES = 20;
const QUERY_FAILURE = 2;

type MutableOutcome = { -readonly [Key in keyof QueryOutcome]: QueryOutcome[Key] };

/** OP_MSG of a server. */
export function parseReply(bytes: Uint8Array, start: number, end: number, length: number): QueryOutcome {
  const [body] = parseMessage(bytes, start, end, length).sections;
  return body === undefined ? nothing() : readOutcome(new BsonCursor(bytes, body.start, body.end), nothing());
}

/** OP_REPLY: to a command, its one document says the same as that of OP_MSG does. */
export function parseOldReply(
  bytes: Uint8Array,
  start: number,
  end: number,
  isCommand: boolean,
): QueryOutcome {
  const at = start + HEADER_BYTES;
  if (at + OLD_REPLY_BYTES > end) return nothing();
  const outcome = nothing();
  outcome.isError = (int32(bytes, at) & QUERY_FAILURE) !== 0;
  if (!isCommand && !outcome.isError) outcome.rows = int32(bytes, at + 16);
  else readOutcome(new BsonCursor(bytes, at + OLD_REPLY_BYTES, end), outcome);
  return outcome;
}

function nothing(): MutableOutcome {
  return { isError: false, code: '', message: '', rows: null, answers: [] };
}

function readOutcome(cursor: BsonCursor, outcome: MutableOutcome): QueryOutcome {
  let number = '';
  while (cursor.next()) {
    switch (cursor.name) {
      case 'ok':
        if (numberAt(cursor) === 0) outcome.isError = true;
        break;
      case 'code':
        number = String(numberAt(cursor) ?? '');
        break;
      case 'codeName':
        outcome.code = stringAt(cursor, MAX_TEXT_BYTES) ?? '';
        break;
      case 'errmsg':
      case '$err':
        outcome.message = stringAt(cursor, MAX_TEXT_BYTES) ?? '';
        break;
      case 'n':
        outcome.rows ??= numberAt(cursor);
        break;
      case 'cursor':
        readCursor(inside(cursor), outcome);
        break;
      case 'values':
        if (cursor.type === BSON.array) outcome.rows ??= countAt(cursor);
        break;
      case 'lastErrorObject':
        for (const inner = inside(cursor); inner.next();)
          if (inner.name === 'n') outcome.rows ??= numberAt(inner);
        break;
      case 'writeErrors':
        readFirstError(cursor, outcome);
        break;
      case 'writeConcernError':
        if (!outcome.isError) readError(inside(cursor), outcome);
        break;
      default:
    }
  }
  if (outcome.isError && outcome.code === '') outcome.code = number;
  return outcome;
}

function inside(cursor: BsonCursor): BsonCursor {
  return new BsonCursor(cursor.bytes, cursor.valueStart, cursor.valueEnd);
}

function readCursor(cursor: BsonCursor, outcome: MutableOutcome): void {
  while (cursor.next()) {
    if ((cursor.name === 'firstBatch' || cursor.name === 'nextBatch') && cursor.type === BSON.array)
      outcome.rows = countAt(cursor);
  }
}

/** Of the documents that were refused, the first. */
function readFirstError(cursor: BsonCursor, outcome: MutableOutcome): void {
  const errors = inside(cursor);
  if (cursor.type === BSON.array && errors.next()) readError(inside(errors), outcome);
}

function readError(cursor: BsonCursor, outcome: MutableOutcome): void {
  outcome.isError = true;
  let number: ByteString = '';
  while (cursor.next()) {
    if (cursor.name === 'code') number = String(numberAt(cursor) ?? '');
    else if (cursor.name === 'codeName') outcome.code = stringAt(cursor, MAX_TEXT_BYTES) ?? '';
    else if (cursor.name === 'errmsg') outcome.message = stringAt(cursor, MAX_TEXT_BYTES) ?? '';
  }
  if (outcome.code === '') outcome.code = number;
}
