import type { MessageSink, ProtocolConnection } from '../contract.ts';
import { Exchange } from './exchange.ts';
import { PREFACE } from './parser.ts';
import { ReplyReader } from './replies.ts';
import { RequestReader } from './requests.ts';

/** One connection of HTTP/2 in cleartext: with prior knowledge, after an upgrade, or joined in its middle. */
export class Http2Connection implements ProtocolConnection {
  readonly #exchange: Exchange;
  readonly #requests: RequestReader;
  readonly #replies: ReplyReader;
  #isFinished = false;
  /** Bytes of the preface that have come; -1 when it was complete or did not come. */
  #prefaceLength = 0;

  constructor(sink: MessageSink) {
    this.#exchange = new Exchange(sink);
    this.#requests = new RequestReader(this.#exchange);
    this.#replies = new ReplyReader(this.#exchange);
  }

  get isFinished(): boolean {
    return this.#isFinished;
  }

  /** For tests. */
  get openStreams(): number {
    return this.#exchange.size;
  }

  fromClient(bytes: Uint8Array, missing: number): void {
    if (this.#isFinished) return;
    const start = this.#prefaceLength === -1 ? 0 : this.#readPreface(bytes, missing);
    this.#requests.read(start === 0 ? bytes : bytes.subarray(start), missing);
    if (this.#requests.isHopeless) this.#finish();
  }

  fromServer(bytes: Uint8Array, missing: number): void {
    if (!this.#isFinished) this.#replies.read(bytes, missing);
  }

  close(): void {
    if (this.#isFinished) return;
    this.#requests.close();
    this.#finish();
  }

  /** @returns how many of the bytes are of the preface */
  #readPreface(bytes: Uint8Array, missing: number): number {
    let index = 0;
    while (index < bytes.length && bytes[index] === PREFACE[this.#prefaceLength]) {
      index++;
      if (++this.#prefaceLength < PREFACE.length) continue;
      this.#prefaceLength = -1;
      return index;
    }
    if (index === bytes.length && missing === 0) return index;
    // A connection that was open before anyone looked: what its tables hold is unknown.
    const known = this.#prefaceLength - index;
    this.#prefaceLength = -1;
    this.#requests.joinLate();
    this.#replies.joinLate();
    if (known > 0) this.#requests.read(PREFACE.subarray(0, known), 0);
    return 0;
  }

  #finish(): void {
    this.#isFinished = true;
    this.#exchange.finish();
  }
}
