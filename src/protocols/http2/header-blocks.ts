import type { HeaderList } from './header-list.ts';
import { HpackDecoder, MAX_BLOCK_BYTES } from './hpack.ts';
import {
  CONTINUATION,
  END_HEADERS,
  END_STREAM,
  type FrameHeader,
  HEADERS,
  PADDED,
  PRIORITY_FLAG,
  PUSH_PROMISE,
} from './parser.ts';

const NO_BYTES = new Uint8Array(0);
const PRIORITY_BYTES = 5;
const PROMISED_STREAM_BYTES = 4;

/**
 * Puts the header blocks of one direction together from HEADERS, PUSH_PROMISE and CONTINUATION frames, and decodes
 * them in their order, whatever stream they are of: they share one table. Blocks of promises are decoded for the
 * table's sake only, for no client chose what stands in them.
 */
export class HeaderBlocks {
  readonly #decoder = new HpackDecoder();
  readonly #tell: (stream: number, list: HeaderList, isStreamEnd: boolean) => void;
  /** Stream of the block that goes on with the next frame; 0 for none. */
  #stream = 0;
  #isPromise = false;
  #isStreamEnd = false;
  #bytes: Uint8Array = NO_BYTES;

  constructor(tell: (stream: number, list: HeaderList, isStreamEnd: boolean) => void) {
    this.#tell = tell;
  }

  /** A frame of another kind stands between frames of a block, which must not be (RFC 9113, 6.10), or nothing follows. */
  interrupt(): void {
    if (this.#stream !== 0) this.#end(this.#bytes, 0, this.#bytes.length, true);
  }

  /** Frames were missed, maybe with header blocks in them. */
  lose(): void {
    this.interrupt();
    this.#decoder.lose();
  }

  /** Takes a frame of one of the three types. */
  frame(header: FrameHeader, bytes: Uint8Array, start: number, end: number): void {
    if (header.type === CONTINUATION) {
      if (header.stream !== this.#stream) this.lose();
      else this.#fragment(header.flags, bytes, start, end, end - start < header.length);
      return;
    }
    this.interrupt();
    let first = start;
    let padding = 0;
    if ((header.flags & PADDED) !== 0) padding = bytes[first++] ?? 0;
    if (header.type === PUSH_PROMISE) first += PROMISED_STREAM_BYTES;
    else if ((header.flags & PRIORITY_FLAG) !== 0) first += PRIORITY_BYTES;
    const last = start + header.length - padding;
    this.#stream = header.stream;
    this.#isPromise = header.type === PUSH_PROMISE;
    this.#isStreamEnd = header.type === HEADERS && (header.flags & END_STREAM) !== 0;
    this.#bytes = NO_BYTES;
    const isBad = first > last;
    const from = Math.min(first, end);
    this.#fragment(header.flags, bytes, from, Math.max(from, Math.min(last, end)), isBad || end < last);
  }

  #fragment(flags: number, bytes: Uint8Array, start: number, end: number, isCut: boolean): void {
    const length = this.#bytes.length + Math.max(0, end - start);
    const isTooLong = length > MAX_BLOCK_BYTES;
    const isLast = isCut || isTooLong || (flags & END_HEADERS) !== 0;
    if (isLast && this.#bytes.length === 0) {
      this.#end(bytes, start, isTooLong ? start + MAX_BLOCK_BYTES : end, isCut || isTooLong);
      return;
    }
    const joined = new Uint8Array(Math.min(length, MAX_BLOCK_BYTES));
    joined.set(this.#bytes);
    joined.set(bytes.subarray(start, start + joined.length - this.#bytes.length), this.#bytes.length);
    this.#bytes = joined;
    if (isLast) this.#end(joined, 0, joined.length, isCut || isTooLong);
  }

  #end(bytes: Uint8Array, start: number, end: number, isCut: boolean): void {
    const stream = this.#stream;
    this.#stream = 0;
    this.#bytes = NO_BYTES;
    const list = this.#decoder.decode(bytes, start, end, isCut);
    if (!this.#isPromise) this.#tell(stream, list, this.#isStreamEnd);
  }
}
