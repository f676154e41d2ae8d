import type { RequestSink } from '../contract.ts';
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

  readonly #sink: RequestSink;

  constructor(sink: RequestSink) {
    this.#sink = sink;
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

  #endLostReplies(): void {
    this.hasLostReplies = false;
    while (this.reply === 'none' && this.unanswered.length > 0) this.replyEnded();
  }
}
