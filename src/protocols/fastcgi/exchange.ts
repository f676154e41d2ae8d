import { byteString } from '../../base/bytes.ts';
import type { RequestSink } from '../contract.ts';
import { BoundedBytes } from '../http/bounded-bytes.ts';
import { CgiRequest, cgiStatus } from '../http/cgi.ts';
import { AUTHORIZER, readPairs } from './parser.ts';

/** Bytes of a request's variables that are kept. */
export const MAX_PARAMS_BYTES = 16 * 1024;
/** Bytes of a reply in which its Status field is looked for; applications put it first. */
const MAX_REPLY_HEAD_BYTES = 2 * 1024;

/** One request, from the record that begins it to the one that ends its reply. */
export class Exchange {
  readonly #id: number;
  readonly #role: number;
  readonly #sink: RequestSink;
  readonly #params = new BoundedBytes(MAX_PARAMS_BYTES);
  #message: CgiRequest | null = null;
  /** More of the request may come. */
  isReceiving = true;
  #replyHead: BoundedBytes | null = new BoundedBytes(MAX_REPLY_HEAD_BYTES);

  constructor(id: number, role: number, sink: RequestSink) {
    this.#id = id;
    this.#role = role;
    this.#sink = sink;
  }

  addParams(bytes: Uint8Array, start: number, end: number): void {
    if (this.#message === null) this.#params.append(bytes, start, end);
  }

  /** The variables are complete: the request is told. */
  endParams(): void {
    if (this.#message === null) this.#begin(this.#params.isOverfull ? 'oversized-head' : null);
  }

  addBody(bytes: Uint8Array, start: number, end: number): void {
    if (this.isReceiving) this.#ensureBegun('cut-head')?.appendBody(bytes, start, end);
  }

  /** Some of the request was not captured. */
  truncate(): void {
    this.#ensureBegun('cut-head')?.markTruncated();
  }

  /** The body is complete, or given up. */
  endRequest(): void {
    if (this.#message === null || !this.isReceiving) return;
    this.isReceiving = false;
    this.#sink.requestEnded(this.#id);
  }

  addReply(bytes: Uint8Array, start: number, end: number): void {
    const head = this.#replyHead;
    if (head === null || this.#ensureBegun('answered-early') === null) return;
    const searchedTo = Math.max(0, head.length - 3);
    head.append(bytes, start, end);
    if (head.isFull || hasEmptyLine(head.bytes, searchedTo)) this.beginReply();
  }

  /** Nothing more of the reply's head is to be had. */
  beginReply(): void {
    const head = this.#replyHead;
    if (head === null || head.length === 0 || this.#message === null) return;
    this.#replyHead = null;
    this.#sink.responseStarted(cgiStatus(byteString(head.bytes)), this.#id);
  }

  /** The reply is over, and the request with it: no more of its body is read. */
  endReply(): void {
    this.beginReply();
    this.endRequest();
    if (this.#message !== null) this.#sink.responseEnded(this.#id);
  }

  /** The connection is gone. */
  close(): void {
    this.#ensureBegun('cut-head');
    this.beginReply();
    this.endRequest();
    if (this.#replyHead === null) this.#sink.responseEnded(this.#id);
  }

  /** The message; where its variables are not complete, with what there is of them. */
  #ensureBegun(anomaly: string): CgiRequest | null {
    if (this.#message === null && this.#params.length > 0) this.#begin(anomaly);
    return this.#message;
  }

  #begin(anomaly: string | null): void {
    const { pairs, isCut } = readPairs(this.#params.bytes);
    const message = new CgiRequest('fastcgi', pairs, anomaly !== null);
    if (anomaly !== null) message.flag(anomaly);
    else if (isCut) message.flag('length-mismatch');
    this.#message = message;
    this.#sink.requestStarted(message, this.#id);
    // An authorizer gets no body (section 6.3).
    if (this.#role === AUTHORIZER) this.endRequest();
  }
}

const LF = 10;
const CR = 13;

function hasEmptyLine(bytes: Uint8Array, from: number): boolean {
  for (let at = bytes.indexOf(LF, from); at !== -1; at = bytes.indexOf(LF, at + 1)) {
    const next = bytes[at + 1];
    if (next === LF || (next === CR && bytes[at + 2] === LF)) return true;
  }
  return false;
}
