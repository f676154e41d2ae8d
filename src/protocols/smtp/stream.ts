import { bytesOf, type ByteString } from '../../base/bytes.ts';
import type { QueryMessage } from '../../model/query.ts';
import type { HandOver, ProtocolConnection, QuerySink } from '../contract.ts';
import { Authentication } from './authentication.ts';
import { LineBuffer, type Line } from './lines.ts';
import { MessageEnd } from './message-end.ts';
import { addressOf, isText, parseCommand } from './parser.ts';
import { ReplyReader, type Reply } from './replies.ts';

/** What is kept of a command line; RFC 5321 has them end after 512 bytes, extensions later. */
export const MAX_COMMAND_BYTES = 4096;
/** Commands that wait for a reply: a pipeline of recipients. */
export const MAX_OUTSTANDING = 1024;
/** Bytes of TLS that came before the server's consent was seen. */
const MAX_HELD_BYTES = 16 * 1024;
const TLS_HANDSHAKE = 0x16;
const NO_BYTES = new Uint8Array(0);

interface Outstanding {
  readonly number: number;
  readonly verb: ByteString;
  /** Replies that end it: more than one where LMTP answers for each recipient. */
  repliesLeft: number;
  isAnswered: boolean;
  /** Told already; a message is told when it is over. */
  isTold: boolean;
}

/** What the client's next bytes are. */
type Mode = 'command' | 'response' | 'message' | 'chunk' | 'tls' | 'lost';

/**
 * One connection to a mail server. Commands are numbered, because replies may be lost: an outcome names the command
 * that it belongs to.
 */
export class SmtpConnection implements ProtocolConnection {
  handOver: HandOver | null = null;

  readonly #sink: QuerySink;
  readonly #line = new LineBuffer(MAX_COMMAND_BYTES);
  readonly #replies = new ReplyReader((reply) => this.#reply(reply));
  readonly #outstanding: Outstanding[] = [];
  #number = 0;
  #mode: Mode = 'command';
  #end = new MessageEnd();
  #chunkLeft = 0;
  #isMessageCut = false;
  #authentication: Authentication | null = null;
  #user: ByteString = '';
  #held: Uint8Array = NO_BYTES;
  #isLmtp = false;
  #recipients = 0;
  #isFinished = false;

  constructor(sink: QuerySink) {
    this.#sink = sink;
  }

  get isFinished(): boolean {
    return this.#isFinished;
  }

  fromClient(bytes: Uint8Array, missing: number): void {
    if (this.#isFinished) return;
    if (this.#replies.isLost && bytes.length > 0) this.#resume();
    let index = 0;
    while (index < bytes.length && !this.#isFinished) index = this.#read(bytes, index);
    if (missing > 0 && !this.#isFinished) this.#skip(missing);
  }

  fromServer(bytes: Uint8Array, missing: number): void {
    if (this.#isFinished) return;
    const index = this.#replies.read(bytes, missing);
    // What follows the consent to STARTTLS is TLS.
    if (this.handOver !== null)
      this.handOver = { ...this.handOver, fromServer: Uint8Array.from(bytes.subarray(index)) };
    else if (this.#replies.isBroken) this.close();
  }

  close(): void {
    if (this.#isFinished) return;
    this.#endMessage(true);
    this.#isFinished = true;
    this.#outstanding.length = 0;
  }

  #read(bytes: Uint8Array, start: number): number {
    switch (this.#mode) {
      case 'message': {
        const end = this.#end.read(bytes, start);
        if (end < 0) return bytes.length;
        this.#endMessage(false);
        return end;
      }
      case 'chunk': {
        const end = Math.min(bytes.length, start + this.#chunkLeft);
        this.#chunkLeft -= end - start;
        if (this.#chunkLeft === 0) this.#mode = 'command';
        return end;
      }
      case 'tls':
        if (this.#held.length > 0 || (this.#line.length === 0 && bytes[start] === TLS_HANDSHAKE)) {
          const room = Math.max(0, MAX_HELD_BYTES - this.#held.length);
          this.#held = Uint8Array.from(Buffer.concat([this.#held, bytes.subarray(start, start + room)]));
          return bytes.length;
        }
        return this.#readLine(bytes, start);
      case 'command':
      case 'response':
      case 'lost':
        return this.#readLine(bytes, start);
    }
  }

  #skip(missing: number): void {
    if (this.#markMessageCut()) return;
    if (this.#mode === 'chunk' && missing <= this.#chunkLeft) {
      this.#chunkLeft -= missing;
      if (this.#chunkLeft === 0) this.#mode = 'command';
    } else if (this.#mode !== 'tls' || this.#held.length === 0) {
      const pending = this.#line.take();
      if (this.#mode === 'command' && parseCommand(pending.text).isKnown)
        this.#command({ ...pending, isTruncated: true, isBareLf: false });
      // A message may begin in what was not seen, but one that was announced goes on.
      if (!this.#markMessageCut()) this.#mode = 'lost';
    }
  }

  #markMessageCut(): boolean {
    if (this.#mode !== 'message') return false;
    this.#isMessageCut = true;
    this.#end.skip();
    return true;
  }

  #readLine(bytes: Uint8Array, start: number): number {
    const { index, line } = this.#line.read(bytes, start);
    if (line === null) return index;
    if (this.#mode === 'response' && this.#isResponse(line.text)) {
      this.#authentication?.response(line.text);
    } else if (this.#mode !== 'lost' || parseCommand(line.text).isKnown) {
      if (this.#mode === 'lost') this.#forget();
      this.#command(line);
    }
    return index;
  }

  /** Base64, unless the end of the exchange was not seen and commands go on. */
  #isResponse(text: ByteString): boolean {
    return this.#authentication?.isChallenged === true || !(text.includes(' ') || text.includes(':'));
  }

  #command(line: Line): void {
    if (!isText(line.text)) {
      this.close();
      return;
    }
    if (line.text.trim() === '') return;
    const anomalies = [
      ...(line.isBareLf && !line.isTruncated ? ['bare-lf'] : []),
      // Bytes that a server may run before TLS and the client never meant (CVE-2011-0411).
      ...(this.#mode === 'tls' ? ['command-after-starttls'] : []),
    ];
    const { verb, rest } = parseCommand(line.text);
    if (this.#outstanding.length >= MAX_OUTSTANDING) {
      this.close();
      return;
    }
    const isTold = verb !== 'DATA';
    const outstanding: Outstanding = {
      number: ++this.#number,
      verb,
      repliesLeft: 1,
      isAnswered: false,
      isTold,
    };
    this.#outstanding.push(outstanding);
    if (outstanding.isTold) this.#tell(outstanding.number, verb, line, rest, anomalies);
    this.#enter(verb, rest);
  }

  #tell(number: number, verb: ByteString, line: Line, rest: ByteString, anomalies: readonly string[]): void {
    const isAuthentication = verb === 'AUTH';
    const mechanism = isAuthentication ? (rest.split(' ', 1)[0] ?? '') : '';
    const value = isAuthentication ? mechanism : verb === 'MAIL' || verb === 'RCPT' ? addressOf(rest) : rest;
    const query: QueryMessage = {
      protocol: 'smtp',
      operation: verb,
      statement: isAuthentication ? `AUTH ${mechanism}` : line.text,
      parameters: value === '' ? [] : [value],
      database: '',
      user: this.#user,
      isTruncated: line.isTruncated,
      anomalies,
    };
    this.#sink.queryStarted(query, number);
  }

  /** What a command does to the bytes after it. */
  #enter(verb: ByteString, rest: ByteString): void {
    this.#mode = 'command';
    switch (verb) {
      case 'AUTH':
        this.#authentication = new Authentication(rest.split(' ').filter((word) => word !== ''));
        this.#mode = 'response';
        break;
      case 'DATA':
        this.#mode = 'message';
        this.#end = new MessageEnd();
        this.#isMessageCut = false;
        break;
      case 'BDAT': {
        // RFC 3030: so many bytes follow at once.
        const size = Number(rest.split(' ', 1)[0]);
        this.#chunkLeft = Number.isSafeInteger(size) && size > 0 ? size : 0;
        if (this.#chunkLeft > 0) this.#mode = 'chunk';
        break;
      }
      case 'STARTTLS':
        this.#mode = 'tls';
        break;
      case 'LHLO':
        this.#isLmtp = true;
        break;
      case 'MAIL':
      case 'RSET':
        this.#recipients = 0;
        break;
      default:
    }
  }

  /** The message is over, or as over as it gets: now it is told. */
  #endMessage(isCut: boolean): void {
    if (this.#mode === 'message') this.#mode = 'command';
    const outstanding = this.#outstanding.find(({ isTold }) => !isTold);
    if (outstanding === undefined) return;
    outstanding.isTold = true;
    if (this.#isLmtp && !isCut) outstanding.repliesLeft = Math.max(1, this.#recipients);
    const line = { text: 'DATA', isTruncated: isCut || this.#isMessageCut, isBareLf: false };
    this.#tell(outstanding.number, 'DATA', line, '', this.#end.hasBareDot ? ['bare-lf-dot'] : []);
  }

  #reply(reply: Reply): void {
    const [oldest] = this.#outstanding;
    const { code } = reply;
    // Which commands were not seen is not known, nor whose reply this is.
    if (oldest === undefined || this.#mode === 'lost') return;
    // The greeting, of which a hasty client did not wait.
    if (code === 220 && oldest.verb !== 'STARTTLS') return;
    if (code === 334 && oldest.verb === 'AUTH') {
      if (this.#authentication !== null) this.#authentication.isChallenged = true;
      return;
    }
    if (code === 354 && !oldest.isTold) return;
    // A message whose end was not seen, or that was refused at once.
    if (!oldest.isTold) this.#endMessage(this.#isMessageCut);
    this.#sinkOnce(oldest, reply);
    if (oldest.repliesLeft > 0) return;
    this.#outstanding.shift();
    this.#answered(oldest.verb, code);
  }

  /** Of several replies to one message, the first error is told, else the last. */
  #sinkOnce(oldest: Outstanding, { code, text }: Reply): void {
    oldest.repliesLeft--;
    const isError = code >= 400;
    if (oldest.isAnswered || (oldest.repliesLeft > 0 && !isError)) return;
    oldest.isAnswered = true;
    const outcome = { isError, code: String(code), message: isError ? text : '', rows: null, answers: [] };
    this.#sink.queryEnded(outcome, oldest.number);
  }

  #answered(verb: ByteString, code: number): void {
    if (verb === 'RCPT' && code < 300) this.#recipients++;
    if (verb === 'AUTH') {
      if (code === 235) this.#user = this.#authentication?.user ?? '';
      this.#authentication = null;
      if (this.#mode === 'response') this.#mode = 'command';
    }
    if (verb !== 'STARTTLS') return;
    if (code === 220) this.#handOver();
    else if (this.#held.length > 0) this.close();
    else if (this.#mode === 'tls') this.#mode = 'command';
  }

  #handOver(): void {
    const fromClient = this.#held.length > 0 ? this.#held : bytesOf(this.#line.pending);
    this.handOver = { protocol: 'tls', fromClient, fromServer: NO_BYTES };
    this.#replies.isDone = true;
    this.close();
  }

  /** Replies were lost, and the client goes on: it has got them, but for the one to what it is in the middle of. */
  #resume(): void {
    const partial = this.#replies.resume();
    const isInside = this.#mode === 'message' || this.#mode === 'chunk' || this.#mode === 'response';
    const kept = isInside ? this.#outstanding.at(-1) : undefined;
    const [oldest] = this.#outstanding;
    if (partial !== null && oldest !== undefined && oldest !== kept) this.#reply(partial);
    this.#outstanding.length = 0;
    if (kept !== undefined) this.#outstanding.push(kept);
  }

  /** Commands were lost: which replies belong to the ones before is not known. */
  #forget(): void {
    this.#mode = 'command';
    this.#outstanding.length = 0;
    this.#authentication = null;
  }
}
