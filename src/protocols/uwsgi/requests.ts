import type { RequestSink } from '../contract.ts';
import { BoundedBytes } from '../http/bounded-bytes.ts';
import { CgiRequest } from '../http/cgi.ts';
import { HEADER_BYTES, isRequestModifier, readVariables, uint16 } from './parser.ts';
import type { ReplyReader } from './replies.ts';

/** Bytes of a request's variables that are kept. */
export const MAX_VARIABLE_BYTES = 16 * 1024;

/** The inbound direction: a header, variables, and a body as long as CONTENT_LENGTH says. */
export class RequestReader {
  /** The bytes are no request: nothing more can be read. */
  isForeign = false;

  /** 'lost': bytes are passed over until the reply has begun, then the next ones begin a request. */
  #state: 'head' | 'body' | 'lost' = 'head';
  readonly #sink: RequestSink;
  readonly #replies: ReplyReader;
  #head = new BoundedBytes(HEADER_BYTES + MAX_VARIABLE_BYTES);
  /** Bytes of the head seen, kept or not; its length is known with the first four. */
  #seen = 0;
  #message: CgiRequest | null = null;
  #remaining = 0;
  #isAnswered = false;

  constructor(sink: RequestSink, replies: ReplyReader) {
    this.#sink = sink;
    this.#replies = replies;
  }

  read(bytes: Uint8Array, missing: number): void {
    const end = bytes.length;
    let offset = 0;
    while (offset < end && !this.isForeign) {
      if (this.#state === 'head') offset = this.#readHead(bytes, offset, end);
      else if (this.#state === 'body') {
        const next = Math.min(end, offset + this.#remaining);
        this.#message?.appendBody(bytes, offset, next);
        this.#pass(next - offset);
        offset = next;
      } else if (this.#isAnswered) this.#state = 'head';
      else offset = end;
    }
    if (missing > 0 && !this.isForeign) this.#skip(missing);
  }

  /** A reply comes: what the client sends next, after what is still due of its request, is another one. */
  answered(): void {
    this.#isAnswered = true;
    if (this.#state === 'lost') this.#end();
  }

  /** The connection is gone. */
  close(): void {
    if (this.#state === 'head' && this.#seen > HEADER_BYTES) this.#begin('cut-head');
    this.#end();
  }

  #readHead(bytes: Uint8Array, offset: number, end: number): number {
    let next = offset;
    if (this.#seen < HEADER_BYTES)
      next = this.#take(bytes, offset, Math.min(end, offset + HEADER_BYTES - this.#seen));
    const head = this.#head.bytes;
    if (!isRequestModifier(head[0] as number)) {
      this.isForeign = true;
      return end;
    }
    if (this.#seen < HEADER_BYTES) return next;
    const length = HEADER_BYTES + uint16(head, 1);
    next = this.#take(bytes, next, Math.min(end, next + length - this.#seen));
    if (this.#seen === length) this.#begin(this.#head.isOverfull ? 'oversized-head' : null);
    return next;
  }

  #take(bytes: Uint8Array, start: number, end: number): number {
    this.#head.append(bytes, start, end);
    this.#seen += end - start;
    return end;
  }

  #begin(anomaly: string | null): void {
    const head = this.#head.bytes;
    const { variables, isCut } = readVariables(head, HEADER_BYTES, head.length);
    this.#head = new BoundedBytes(HEADER_BYTES + MAX_VARIABLE_BYTES);
    this.#seen = 0;
    const message = new CgiRequest('uwsgi', variables, anomaly !== null);
    if (anomaly !== null) message.flag(anomaly);
    else if (isCut) message.flag('length-mismatch');
    this.#end();
    this.#replies.requestBegan();
    this.#isAnswered = false;
    this.#message = message;
    this.#sink.requestStarted(message);
    this.#remaining = message.contentLength;
    if (anomaly !== null && message.contentLength === 0) this.#state = 'lost';
    else if (this.#remaining > 0) this.#state = 'body';
    else this.#end();
  }

  #pass(count: number): void {
    this.#remaining -= count;
    if (this.#remaining <= 0) this.#end();
  }

  #end(): void {
    this.#state = 'head';
    if (this.#message === null) return;
    this.#message = null;
    this.#sink.requestEnded();
  }

  /** Passes over bytes that were not captured. */
  #skip(missing: number): void {
    this.#message?.markTruncated();
    if (this.#state === 'body') {
      const beyond = missing - this.#remaining;
      this.#pass(Math.min(missing, this.#remaining));
      if (beyond > 0) this.#lose();
    } else if (this.#state === 'head') {
      if (this.#seen > HEADER_BYTES) this.#skipHead(missing);
      else this.#lose();
    }
  }

  /** The rest of the variables, or some of it, is missing: the request is told with what there is. */
  #skipHead(missing: number): void {
    const beyond = missing - (HEADER_BYTES + uint16(this.#head.bytes, 1) - this.#seen);
    this.#begin('cut-head');
    // How long the body is may have stood in what is missing, and what follows may be the rest of the variables.
    if (this.#state !== 'body' || beyond < 0) this.#state = 'lost';
    else this.#pass(Math.min(beyond, this.#remaining));
  }

  #lose(): void {
    if (this.#message === null) this.#sink.unreadInbound?.();
    this.#state = 'lost';
    this.#seen = 0;
    this.#head = new BoundedBytes(HEADER_BYTES + MAX_VARIABLE_BYTES);
  }
}
