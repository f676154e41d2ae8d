import type { HandOver, ProtocolConnection, RequestSink } from '../contract.ts';
import { Exchange } from './exchange.ts';
import { ReplyReader } from './replies.ts';
import { RequestReader } from './requests.ts';

/** One connection to a server that speaks HTTP/1.0 or 1.1. */
export class Http1Connection implements ProtocolConnection {
  readonly #exchange: Exchange;
  readonly #requests: RequestReader;
  readonly #replies: ReplyReader;

  constructor(sink: RequestSink) {
    this.#exchange = new Exchange(sink);
    this.#requests = new RequestReader(this.#exchange);
    this.#replies = new ReplyReader(this.#exchange, this.#requests);
  }

  get isFinished(): boolean {
    return this.#exchange.isFinished;
  }

  get handOver(): HandOver | null {
    return this.#exchange.successor;
  }

  get isIdle(): boolean {
    return this.#exchange.isIdle && this.#requests.isIdle && this.#replies.isIdle;
  }

  /** Memory that is held between calls, apart from unanswered requests; for tests. */
  get bufferedBytes(): number {
    return this.#requests.bufferedBytes + this.#replies.bufferedBytes;
  }

  /** Requests that wait for a reply; for tests. */
  get unansweredCount(): number {
    return this.#exchange.unanswered.length;
  }

  fromClient(bytes: Uint8Array, missing: number): void {
    if (!this.#exchange.isFinished) this.#requests.read(bytes, missing);
  }

  fromServer(bytes: Uint8Array, missing: number): void {
    if (!this.#exchange.isFinished) this.#replies.read(bytes, missing);
  }

  close(): void {
    if (this.#exchange.isFinished) return;
    this.#requests.beginIncomplete('cut-head');
    this.#exchange.finish();
  }
}
