import type { ByteString } from '../../base/bytes.ts';
import type { RequestInput, RequestMessage } from '../../model/request.ts';
import { requestInputs } from './inputs.ts';
import { headAnomalies } from './head-anomalies.ts';
import { headerLines, MAX_HEADERS, parseRequestLine, type RequestLine } from './parser.ts';

/** Bytes of a request body that are kept. */
export const MAX_BODY_BYTES = 8 * 1024;

/**
 * One request of HTTP/1. Holds a copy of its head and parses it when someone asks: most requests are never looked
 * into. The stream adds body bytes until the request has ended.
 */
export class Http1Request implements RequestMessage {
  readonly protocol = 'http1';

  readonly #head: ByteString;
  #isTruncated: boolean;
  #line: RequestLine | null = null;
  #headers: [ByteString, ByteString][] | null = null;
  #bodyBytes: Uint8Array = NO_BYTES;
  #bodyLength = 0;
  #flags: string[] | null = null;
  #headFlags: string[] | null = null;
  #inputs: readonly RequestInput[] | null = null;
  #inputsBodyLength = 0;
  readonly #isHeadCut: boolean;

  /**
   * @param head the head as it came, with its empty line, or its beginning
   * @param isHeadCut only the beginning of the head is known
   */
  constructor(head: ByteString, isHeadCut: boolean) {
    this.#head = head;
    this.#isHeadCut = isHeadCut;
    this.#isTruncated = isHeadCut;
  }

  get method(): ByteString {
    return this.#requestLine.method;
  }

  get target(): ByteString {
    return this.#requestLine.target;
  }

  get headers(): readonly (readonly [name: ByteString, value: ByteString])[] {
    return (this.#headers ??= headerLines(this.#head, MAX_HEADERS));
  }

  get body(): Uint8Array {
    return this.#bodyBytes.length === this.#bodyLength
      ? this.#bodyBytes
      : this.#bodyBytes.subarray(0, this.#bodyLength);
  }

  get isTruncated(): boolean {
    return this.#isTruncated;
  }

  get anomalies(): readonly string[] {
    const found = (this.#headFlags ??= headAnomalies(this.#head, this.#isHeadCut));
    return this.#flags === null ? found : [...this.#flags, ...found];
  }

  get inputs(): readonly RequestInput[] {
    if (this.#inputs === null || this.#inputsBodyLength !== this.#bodyLength) {
      const list = requestInputs(this);
      if (list.hasDropped) this.flag('too-many-inputs');
      this.#inputs = list.inputs;
      this.#inputsBodyLength = this.#bodyLength;
    }
    return this.#inputs;
  }

  /** The copy of the head that the message was made of. */
  get head(): ByteString {
    return this.#head;
  }

  /** A request of HTTP/0.9: its line has no version, its reply no head. */
  get isSimple(): boolean {
    return !this.#isHeadCut && this.#requestLine.version === '';
  }

  /** Whether the method is the given one, without parsing: for the stream. */
  hasMethod(method: string): boolean {
    return this.#head.startsWith(method) && this.#head.charCodeAt(method.length) === 0x20;
  }

  /** Adds captured bytes of the body, transfer coding removed; what is beyond the limit is dropped. */
  appendBody(bytes: Uint8Array, start: number, end: number): void {
    let count = end - start;
    if (this.#bodyLength + count > MAX_BODY_BYTES) {
      this.#isTruncated = true;
      count = MAX_BODY_BYTES - this.#bodyLength;
    }
    if (count <= 0) return;
    const needed = this.#bodyLength + count;
    if (needed > this.#bodyBytes.length) {
      const grown = new Uint8Array(Math.min(MAX_BODY_BYTES, Math.max(needed, this.#bodyBytes.length * 2)));
      grown.set(this.#bodyBytes.subarray(0, this.#bodyLength));
      this.#bodyBytes = grown;
    }
    this.#bodyBytes.set(bytes.subarray(start, start + count), this.#bodyLength);
    this.#bodyLength = needed;
  }

  markTruncated(): void {
    this.#isTruncated = true;
  }

  flag(name: string): void {
    if (this.#flags === null) this.#flags = [name];
    else if (!this.#flags.includes(name)) this.#flags.push(name);
  }

  get #requestLine(): RequestLine {
    return (this.#line ??= parseRequestLine(this.#head));
  }
}

const NO_BYTES = new Uint8Array(0);
