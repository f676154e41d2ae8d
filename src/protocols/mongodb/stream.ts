import type { ByteString } from '../../base/bytes.ts';
import { Frames } from '../../base/frames.ts';
import { dropOldest } from '../../base/oldest.ts';
import type { QueryOutcome } from '../../model/query.ts';
import type { ProtocolConnection, QuerySink } from '../contract.ts';
import { parseCommand, parseOldCommand, type ParsedCommand } from './commands.ts';
import { messageLength, OPERATION, parseHeader } from './parser.ts';
import { parseOldReply, parseReply } from './replies.ts';

/** What is kept of a message that does not come in one piece. */
export const MAX_KEPT_BYTES = 64 * 1024;
/** Commands that wait for an answer; drivers send one at a time on a connection. */
export const MAX_OUTSTANDING = 256;

interface Outstanding {
  readonly isCommand: boolean;
  readonly isSignOn: boolean;
}

/** One connection to a MongoDB server. A command's number is its requestID; the answer names it. */
export class MongodbConnection implements ProtocolConnection {
  readonly #sink: QuerySink;
  readonly #requests = new Frames({
    keptBytes: MAX_KEPT_BYTES,
    lengthAt: messageLength,
    frame: (bytes, start, end, length) => this.#request(bytes, start, end, length),
  });
  readonly #replies = new Frames({
    keptBytes: MAX_KEPT_BYTES,
    lengthAt: messageLength,
    frame: (bytes, start, end, length) => this.#reply(bytes, start, end, length),
  });
  readonly #outstanding = new Map<number, Outstanding>();
  /** Who the connection is signed on as, and who is about to be. */
  #user: ByteString = '';
  #candidate: ByteString = '';
  #isFinished = false;

  constructor(sink: QuerySink) {
    this.#sink = sink;
  }

  get isFinished(): boolean {
    return this.#isFinished;
  }

  fromClient(bytes: Uint8Array, missing: number): void {
    if (this.#isFinished) return;
    this.#requests.read(bytes, missing);
    if (this.#requests.isBroken) this.close();
  }

  fromServer(bytes: Uint8Array, missing: number): void {
    if (this.#isFinished) return;
    this.#replies.read(bytes, missing);
    if (this.#replies.isBroken) this.close();
  }

  close(): void {
    if (this.#isFinished) return;
    this.#isFinished = true;
    this.#requests.close();
    this.#replies.close();
    this.#outstanding.clear();
  }

  #request(bytes: Uint8Array, start: number, end: number, length: number): void {
    const { requestId, operation } = parseHeader(bytes, start);
    if (operation === OPERATION.reply) return;
    const { query, user, hasAnswer } = this.#parse(operation, bytes, start, end, length);
    this.#sink.queryStarted(query, requestId);
    if (user !== null) this.#candidate = user;
    if (!hasAnswer) return;
    if (this.#outstanding.size >= MAX_OUTSTANDING) dropOldest(this.#outstanding);
    const isSignOn = user !== null || query.operation === 'saslContinue';
    this.#outstanding.set(requestId, { isCommand: query.operation !== 'query', isSignOn });
  }

  #parse(operation: number, bytes: Uint8Array, start: number, end: number, length: number): ParsedCommand {
    if (operation === OPERATION.message) return parseCommand(bytes, start, end, length, this.#user);
    if (operation !== OPERATION.compressed)
      return parseOldCommand(operation, bytes, start, end, length, this.#user);
    const query = {
      protocol: 'mongodb',
      operation: 'compressed',
      statement: '',
      parameters: [],
      database: '',
      user: this.#user,
      isTruncated: true,
      anomalies: [],
    };
    return { query, user: null, hasAnswer: true };
  }

  #reply(bytes: Uint8Array, start: number, end: number, length: number): void {
    const { responseTo, operation } = parseHeader(bytes, start);
    const asked = this.#outstanding.get(responseTo);
    // An answer to what was not seen, or one more of those that a streaming hello gets.
    if (asked === undefined) return;
    this.#outstanding.delete(responseTo);
    const outcome = outcomeOf(operation, bytes, start, end, length, asked);
    if (asked.isSignOn) this.#user = outcome.isError ? '' : this.#candidate;
    this.#sink.queryEnded(outcome, responseTo);
  }
}

function outcomeOf(
  operation: number,
  bytes: Uint8Array,
  start: number,
  end: number,
  length: number,
  { isCommand }: Outstanding,
): QueryOutcome {
  if (operation === OPERATION.message) return parseReply(bytes, start, end, length);
  if (operation === OPERATION.reply) return parseOldReply(bytes, start, end, isCommand);
  return { isError: false, code: '', message: '', rows: null, answers: [] };
}
