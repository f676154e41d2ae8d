import type { MessageSink } from '../contract.ts';
import type { Http2Request } from './message.ts';

/** Streams that are open at once; servers of today allow 100 to 250. */
export const MAX_STREAMS = 256;

/** One request and its reply. */
export class Http2Stream {
  readonly id: number;
  readonly request: Http2Request;
  isRequestOpen = true;
  /** Frames were missed among which the end of the request may be: it ends with its reply, if not before. */
  isRequestDoubtful = false;
  isReplyOpen = true;
  hasReplyBegun = false;
  hasStatus = false;
  /** Status of a reply that is told later: what gRPC means by it stands at its end. 0 for none. */
  heldStatus = 0;
  /** Newest stream when frames were missed among which the end of the reply may be; -1 when there were none. */
  replyDoubt = -1;
  /** Bytes of the request's body that the frames told; -1 when frames were missed. */
  bodyBytes = 0;

  constructor(id: number, request: Http2Request) {
    this.id = id;
    this.request = request;
  }
}

/** The streams of one connection: what both directions know about each other. */
export class Exchange {
  /** The highest stream that a client has begun. */
  newest = 0;
  /** Calls of gRPC were seen: what cannot be told is one as well. */
  hasGrpc = false;
  readonly #sink: MessageSink;
  readonly #streams = new Map<number, Http2Stream>();
  #hasDoubt = false;

  constructor(sink: MessageSink) {
    this.#sink = sink;
  }

  get size(): number {
    return this.#streams.size;
  }

  get(id: number): Http2Stream | undefined {
    return this.#streams.get(id);
  }

  begin(id: number, request: Http2Request): Http2Stream {
    if (this.#streams.size >= MAX_STREAMS) this.#dropOldest();
    // A reply that had begun and of which nothing came any more while others did is over.
    if (this.#hasDoubt) this.#endDoubtful((stream) => stream.hasReplyBegun);
    if (id > this.newest) this.newest = id;
    if (request.grpc === 'yes') this.hasGrpc = true;
    const stream = new Http2Stream(id, request);
    this.#streams.set(id, stream);
    this.#sink.requestStarted(request, id);
    return stream;
  }

  endRequest(stream: Http2Stream): void {
    if (!stream.isRequestOpen) return;
    stream.isRequestOpen = false;
    this.#sink.requestEnded(stream.id);
    if (!stream.isReplyOpen) this.#streams.delete(stream.id);
  }

  tellStatus(stream: Http2Stream, status: number): void {
    if (stream.hasStatus) return;
    stream.hasStatus = true;
    this.#sink.responseStarted(status, stream.id);
  }

  endReply(stream: Http2Stream): void {
    if (!stream.isReplyOpen) return;
    if (stream.isRequestDoubtful) this.endRequest(stream);
    stream.isReplyOpen = false;
    this.#sink.responseEnded(stream.id);
    if (!stream.isRequestOpen) this.#streams.delete(stream.id);
    // A younger one was answered from beginning to end: where a whole reply may be missing, it probably is.
    if (this.#hasDoubt) this.#endDoubtful((other) => other.replyDoubt < stream.id);
  }

  /** The stream is over, whatever of it was still to come. */
  reset(id: number): void {
    const stream = this.#streams.get(id);
    if (stream === undefined) return;
    this.endRequest(stream);
    this.endReply(stream);
  }

  /** The server goes away and will not look at streams beyond the last one it names. */
  resetBeyond(last: number): void {
    for (const id of [...this.#streams.keys()]) if (id > last) this.reset(id);
  }

  /** Frames from the client were missed. */
  loseRequests(): void {
    for (const stream of [...this.#streams.values()]) {
      if (!stream.isRequestOpen) continue;
      stream.request.markTruncated();
      stream.isRequestDoubtful = true;
      stream.bodyBytes = -1;
      if (!stream.isReplyOpen) this.endRequest(stream);
    }
    this.#sink.unreadInbound?.();
  }

  /** Frames to the client were missed. */
  loseReplies(): void {
    for (const stream of this.#streams.values()) {
      if (!stream.isReplyOpen || stream.replyDoubt !== -1) continue;
      stream.replyDoubt = this.newest;
      this.#hasDoubt = true;
    }
  }

  /** Nothing more is read: ends what was begun. */
  finish(): void {
    for (const stream of [...this.#streams.values()]) {
      this.endRequest(stream);
      if (stream.hasReplyBegun) this.endReply(stream);
    }
    this.#streams.clear();
  }

  #endDoubtful(isOver: (stream: Http2Stream) => boolean): void {
    this.#hasDoubt = false;
    for (const stream of [...this.#streams.values()]) {
      if (stream.replyDoubt === -1 || !stream.isReplyOpen) continue;
      if (isOver(stream)) this.endReply(stream);
      else this.#hasDoubt = true;
    }
  }

  #dropOldest(): void {
    for (const oldest of this.#streams.values()) {
      oldest.request.flag('too-many-streams');
      this.reset(oldest.id);
      return;
    }
  }
}
