import type { HandOver, RequestSink } from '../contract.ts';
import type { Http1Request } from './message.ts';

/** Requests without a reply on one connection. Browsers pipeline none, proxies few: more are an attack on memory. */
export const MAX_UNANSWERED = 64;

/**
 * What both directions of a connection know about each other: which request is being received, which ones wait for
 * a reply, and which of them cannot be followed byte by byte any more and ends with the next sign of life.
 */
export class Exchange {
  isFinished = false;
  /** Requests have begun on this connection. */
  hasRequests = false;
  /** The newest request while it has not ended. */
  openRequest: Http1Request | null = null;
  /** The end of the open request is not visible: it ends with its reply. */
  isRequestUnframed = false;
  readonly unanswered: Http1Request[] = [];
  /**
   * The reply under way: of the oldest unanswered request, or 'unmatched' when its request was not seen.
   * 'unframed': its end is not visible, it ends when the next request begins.
   */
  reply: 'none' | 'open' | 'unframed' | 'unmatched' = 'none';
  /** Replies were not captured: what waits now was perhaps answered. */
  hasLostReplies = false;
  /** The leaf that goes on, as the last reply says; '' for none. */
  upgrade = '';
  /** What it goes on with. */
  successor: HandOver | null = null;

  readonly #sink: RequestSink;

  constructor(sink: RequestSink) {
    this.#sink = sink;
  }

  /** Every request that was begun has been answered in full. */
  get isIdle(): boolean {
    return (
      !this.isFinished &&
      this.hasRequests &&
      this.openRequest === null &&
      this.unanswered.length === 0 &&
      this.reply === 'none' &&
      !this.hasLostReplies
    );
  }

  requestBegan(request: Http1Request): void {
    if (this.openRequest !== null) this.requestEnded();
    if (this.reply === 'unframed') this.replyEnded();
    else if (this.reply === 'unmatched') this.reply = 'none';
    if (this.hasLostReplies) this.#endLostReplies();
    if (this.unanswered.length >= MAX_UNANSWERED) {
      this.finish();
      return;
    }
    this.hasRequests = true;
    this.openRequest = request;
    this.isRequestUnframed = false;
    this.unanswered.push(request);
    this.#sink.requestStarted(request);
  }

  /** Inbound bytes were passed over in which requests may stand. */
  unreadInbound(): void {
    this.#sink.unreadInbound?.();
  }

  requestEnded(): void {
    this.openRequest = null;
    this.isRequestUnframed = false;
    this.#sink.requestEnded();
  }

  replyBegan(status: number): void {
    this.reply = 'open';
    this.#sink.responseStarted(status);
  }

  replyEnded(): void {
    this.reply = 'none';
    const request = this.unanswered.shift();
    if (this.isRequestUnframed && request === this.openRequest) this.requestEnded();
    this.#sink.responseEnded();
  }

  /** Nothing more is read: ends what was begun. */
  finish(): void {
    if (this.isFinished) return;
    this.isFinished = true;
    if (this.openRequest !== null) this.requestEnded();
    if (this.reply === 'open' || this.reply === 'unframed') this.replyEnded();
    this.reply = 'none';
    this.unanswered.length = 0;
  }

  /**
   * Somebody else goes on. The client waits for the reply before it speaks the new protocol.
   * @param offset of the first byte after the reply's head
   */
  handOver(bytes: Uint8Array, offset: number): void {
    // Not slice: that of a Buffer shares memory, and the caller uses it again.
    const fromServer = Uint8Array.from(bytes.subarray(offset));
    this.successor ??= { protocol: this.upgrade, fromClient: new Uint8Array(0), fromServer };
  }

  #endLostReplies(): void {
    this.hasLostReplies = false;
    while (this.reply === 'none' && this.unanswered.length > 0) this.replyEnded();
  }
}
