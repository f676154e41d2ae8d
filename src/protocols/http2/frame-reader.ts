import { MAX_BLOCK_BYTES } from './hpack.ts';
import {
  CONTINUATION,
  DATA,
  DEFAULT_MAX_FRAME_BYTES,
  FRAME_HEADER_BYTES,
  FrameHeader,
  framePlausibility,
  GOAWAY,
  HEADERS,
  isWellFormed,
  PADDED,
  type Plausibility,
  PUSH_PROMISE,
  RST_STREAM,
  SETTINGS,
} from './parser.ts';

/** What the frames of one direction are told to. Headers are used again: they hold only during the call. */
export interface FrameSink {
  /** A frame that is no DATA. @param isCut `end` is not its end: the rest was not captured, or is not kept */
  frame(header: FrameHeader, bytes: Uint8Array, start: number, end: number, isCut: boolean): void;
  /** A part of the data of a DATA frame, padding taken away. */
  data(stream: number, bytes: Uint8Array, start: number, end: number): void;
  /** The DATA frame is over. @param isCut some of it was not captured */
  dataEnded(header: FrameHeader, length: number, isCut: boolean): void;
  /** Out of step: frames were missed, or the bytes are none. */
  lost(): void;
  /** What the streams that are open say of a header that was found out of step. */
  judge(header: FrameHeader, plausibility: Plausibility): Plausibility;
}

/** Bytes that are passed over in search of a first frame, before the connection is given up. */
const MAX_SEARCH_BYTES = 256 * 1024;
const MAX_KEPT_BYTES = MAX_BLOCK_BYTES + 512;
const NO_BYTES = new Uint8Array(0);

/** Takes one direction apart into frames, from pieces of any size, and finds the next frame when it is out of step. */
export class FrameReader {
  readonly #sink: FrameSink;
  readonly #header = new FrameHeader();
  readonly #candidate = new FrameHeader();
  #state: 'header' | 'payload' | 'data' | 'lost' = 'header';
  /** The beginning of a header that came in pieces; while out of step, the end of what was searched. */
  readonly #partial = new Uint8Array(FRAME_HEADER_BYTES);
  #partialLength = 0;
  /** Bytes of the frame still to come, padding included. */
  #remaining = 0;
  #padding = 0;
  #dataLength = 0;
  /** The first byte of the frame says how long its padding is, and has not come. */
  #needsPadding = false;
  #isCut = false;
  #kept: Uint8Array = NO_BYTES;
  #keptLength = 0;
  #hasFrames = false;
  #searchedBytes = 0;

  constructor(sink: FrameSink) {
    this.#sink = sink;
  }

  /** No frame was ever found. */
  get isHopeless(): boolean {
    return !this.#hasFrames && this.#searchedBytes > MAX_SEARCH_BYTES;
  }

  read(bytes: Uint8Array, missing: number): void {
    this.#readPiece(bytes, 0);
    if (missing > 0) this.#skip(missing);
  }

  /** Nothing more comes: what there is of a frame is told. */
  close(): void {
    if (this.#state === 'payload') this.#endPayload(true);
    this.#state = 'lost';
  }

  #readPiece(bytes: Uint8Array, from: number): void {
    const end = bytes.length;
    let at = from;
    while (at < end) {
      switch (this.#state) {
        case 'header':
          at = this.#readHeader(bytes, at, end);
          break;
        case 'payload':
          at = this.#readPayload(bytes, at, end);
          break;
        case 'data':
          at = this.#readData(bytes, at, end);
          break;
        case 'lost':
          at = this.#search(bytes, at, end);
          break;
      }
    }
  }

  #readHeader(bytes: Uint8Array, at: number, end: number): number {
    let next = at + FRAME_HEADER_BYTES;
    let isFrame = false;
    if (this.#partialLength === 0 && next <= end) {
      isFrame = this.#readsAs(bytes, at);
    } else {
      next = Math.min(end, at + FRAME_HEADER_BYTES - this.#partialLength);
      while (at < next) this.#partial[this.#partialLength++] = bytes[at++] as number;
      if (this.#partialLength < FRAME_HEADER_BYTES) return next;
      this.#partialLength = 0;
      isFrame = this.#readsAs(this.#partial, 0);
    }
    if (isFrame) this.#begin();
    else this.#lose();
    return next;
  }

  /** Whether the next frame begins here. The first one of all has to look like one. */
  #readsAs(bytes: Uint8Array, at: number): boolean {
    const header = this.#header;
    header.read(bytes, at);
    return this.#hasFrames ? isWellFormed(header) : framePlausibility(bytes, at, header) !== 'no';
  }

  #begin(): void {
    const { type, length, flags } = this.#header;
    this.#hasFrames = true;
    this.#remaining = length;
    this.#isCut = false;
    this.#keptLength = 0;
    if (type === DATA) {
      this.#state = 'data';
      this.#padding = 0;
      this.#dataLength = length;
      this.#needsPadding = (flags & PADDED) !== 0 && length > 0;
      if (length === 0) this.#endData();
    } else {
      this.#state = 'payload';
      if (length === 0) this.#endPayload(false);
    }
  }

  #readPayload(bytes: Uint8Array, at: number, end: number): number {
    const taken = Math.min(this.#remaining, end - at);
    const next = at + taken;
    const isWhole = taken === this.#header.length;
    this.#remaining -= taken;
    if (isWhole) {
      this.#state = 'header';
      const limit = Math.min(next, at + MAX_KEPT_BYTES);
      this.#sink.frame(this.#header, bytes, at, limit, limit < next);
      return next;
    }
    if (!this.#isCut && isRead(this.#header.type)) this.#keep(bytes, at, next);
    if (this.#remaining === 0) this.#endPayload(this.#isCut);
    return next;
  }

  #keep(bytes: Uint8Array, start: number, end: number): void {
    const count = Math.min(end - start, MAX_KEPT_BYTES - this.#keptLength);
    if (count < end - start) this.#isCut = true;
    const needed = this.#keptLength + count;
    if (needed > this.#kept.length) {
      const size = Math.max(needed, Math.min(this.#header.length, this.#kept.length * 2));
      const grown = new Uint8Array(Math.min(MAX_KEPT_BYTES, size));
      grown.set(this.#kept.subarray(0, this.#keptLength));
      this.#kept = grown;
    }
    this.#kept.set(bytes.subarray(start, start + count), this.#keptLength);
    this.#keptLength = needed;
  }

  #endPayload(isCut: boolean): void {
    this.#state = 'header';
    const kept = this.#kept;
    this.#kept = NO_BYTES;
    this.#sink.frame(this.#header, kept, 0, this.#keptLength, isCut);
  }

  #readData(bytes: Uint8Array, at: number, end: number): number {
    let start = at;
    if (this.#needsPadding) {
      this.#needsPadding = false;
      this.#padding = bytes[start++] as number;
      this.#remaining--;
      this.#dataLength = Math.max(0, this.#remaining - this.#padding);
    }
    const taken = Math.min(this.#remaining, end - start);
    const data = Math.min(taken, this.#remaining - this.#padding);
    if (data > 0) this.#sink.data(this.#header.stream, bytes, start, start + data);
    this.#remaining -= taken;
    if (this.#remaining === 0) this.#endData();
    return start + taken;
  }

  #endData(): void {
    this.#state = 'header';
    this.#sink.dataEnded(this.#header, this.#dataLength, this.#isCut);
  }

  /** Passes over bytes that were not captured. */
  #skip(count: number): void {
    if (this.#state === 'header' || this.#state === 'lost') {
      this.#lose();
      return;
    }
    const taken = Math.min(count, this.#remaining);
    this.#remaining -= taken;
    this.#isCut = true;
    // How much of it is padding is not known: nothing of the frame is read.
    if (this.#needsPadding) {
      this.#needsPadding = false;
      this.#padding = this.#header.length;
    }
    if (this.#remaining === 0) {
      if (this.#state === 'data') this.#endData();
      else this.#endPayload(true);
    }
    if (taken < count) this.#lose();
  }

  #lose(): void {
    this.#state = 'lost';
    this.#partialLength = 0;
    this.#sink.lost();
  }

  /** Out of step: a frame begins where the bytes look like one, and the bytes after it like the next one. */
  #search(bytes: Uint8Array, at: number, end: number): number {
    if (this.#partialLength > 0) {
      const joined = new Uint8Array(this.#partialLength + end - at);
      joined.set(this.#partial.subarray(0, this.#partialLength));
      joined.set(bytes.subarray(at, end), this.#partialLength);
      this.#partialLength = 0;
      this.#readPiece(joined, 0);
      return end;
    }
    const last = end - FRAME_HEADER_BYTES;
    for (let index = at; index <= last; index++) {
      if (!this.#isFrame(bytes, index, end)) continue;
      this.#state = 'header';
      return index;
    }
    this.#searchedBytes += end - at;
    this.#partialLength = Math.min(end - at, FRAME_HEADER_BYTES - 1);
    this.#partial.set(bytes.subarray(end - this.#partialLength, end));
    return end;
  }

  #isFrame(bytes: Uint8Array, at: number, end: number): boolean {
    // The two bytes that rule out almost all of them.
    if (bytes[at] !== 0 || (bytes[at + 3] as number) > CONTINUATION) return false;
    const header = this.#candidate;
    header.read(bytes, at);
    // What only looks like a frame must not hide much of what follows.
    if (header.length > DEFAULT_MAX_FRAME_BYTES) return false;
    const plausibility = this.#sink.judge(header, framePlausibility(bytes, at, header));
    if (plausibility === 'no') return false;
    const next = at + FRAME_HEADER_BYTES + header.length;
    if (next + FRAME_HEADER_BYTES > end) return plausibility === 'fixed' || next === end;
    header.read(bytes, next);
    return framePlausibility(bytes, next, header) !== 'no';
  }
}

/** Types whose payload means something here. */
function isRead(type: number): boolean {
  return (
    type === HEADERS ||
    type === CONTINUATION ||
    type === PUSH_PROMISE ||
    type === RST_STREAM ||
    type === SETTINGS ||
    type === GOAWAY
  );
}
