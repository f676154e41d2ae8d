import type { ProtocolConnection, QuerySink } from '../contract.ts';
import { Exchange } from './exchange.ts';
import { FrameReader } from './frames.ts';
import { parseMessage } from './parser.ts';
import { judgeMessage } from './recognition.ts';

/** DNS over TCP (RFC 7766): messages with their length before them, answered in any order. */
export class DnsStream implements ProtocolConnection {
  readonly #exchange: Exchange;
  readonly #queries: FrameReader;
  readonly #replies: FrameReader;

  constructor(sink: QuerySink) {
    const exchange = new Exchange(sink);
    this.#exchange = exchange;
    this.#queries = new FrameReader({
      message(bytes, start, end, isCut) {
        const message = parseMessage(bytes, start, end, isCut);
        if (message !== null) exchange.query(message, isCut);
      },
      isBeginning: (bytes) => isFrame(bytes, true),
    });
    this.#replies = new FrameReader({
      message(bytes, start, end, isCut) {
        const message = parseMessage(bytes, start, end, isCut);
        if (message !== null) exchange.reply(message);
      },
      isBeginning: (bytes) => isFrame(bytes, false),
    });
  }

  get isFinished(): boolean {
    return this.#queries.isMalformed || this.#replies.isMalformed;
  }

  /** Questions that wait; for tests. */
  get openCount(): number {
    return this.#exchange.openCount;
  }

  fromClient(bytes: Uint8Array, missing: number): void {
    if (!this.isFinished) this.#queries.read(bytes, missing);
  }

  fromServer(bytes: Uint8Array, missing: number): void {
    if (!this.isFinished) this.#replies.read(bytes, missing);
  }

  close(): void {
    this.#queries.finish();
  }
}

function isFrame(bytes: Uint8Array, isFromClient: boolean): boolean {
  if (bytes.length < 2) return false;
  const length = ((bytes[0] ?? 0) << 8) | (bytes[1] ?? 0);
  const end = Math.min(bytes.length, 2 + length);
  return judgeMessage(bytes, 2, end, isFromClient, { isDatagram: false, length }) === 'likely';
}

/** DNS over UDP, mDNS and LLMNR: each call is one datagram and one message. */
export class DnsDatagrams implements ProtocolConnection {
  readonly #exchange: Exchange;
  /** A socket may carry anything next: what is not DNS is passed over. */
  readonly isFinished = false;

  constructor(sink: QuerySink) {
    this.#exchange = new Exchange(sink);
  }

  /** Questions that wait; for tests. */
  get openCount(): number {
    return this.#exchange.openCount;
  }

  fromClient(bytes: Uint8Array, missing: number): void {
    const message = parseMessage(bytes, 0, bytes.length, missing > 0);
    if (message !== null) this.#exchange.query(message, missing > 0);
  }

  fromServer(bytes: Uint8Array, missing: number): void {
    const message = parseMessage(bytes, 0, bytes.length, missing > 0);
    if (message !== null) this.#exchange.reply(message);
  }

  close(): void {
    // Questions without an answer stay so.
  }
}
