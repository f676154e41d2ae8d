import { HEADER_BYTES } from './parser.ts';

/** So much of one message is kept when it comes in pieces; what is longer is read as far as this. */
export const MAX_KEPT_BYTES = 8192;

/** What the reader of frames gives on. The bytes are good only during the call. */
export interface FrameHandler {
  /** @param isCut bytes of the message behind `end` were not captured */
  message(bytes: Uint8Array, start: number, end: number, isCut: boolean): void;
  /** Whether a message begins here, asked after bytes were lost. */
  isBeginning(bytes: Uint8Array): boolean;
}

/** Takes one direction of a TCP connection apart into messages: two bytes of length before each (RFC 7766, 8). */
export class FrameReader {
  readonly #handler: FrameHandler;
  /** Bytes of length that were read: 0, 1 or 2. */
  #lengthBytes = 0;
  #length = 0;
  /** Bytes of the message that went by. */
  #passed = 0;
  #kept: Uint8Array | null = null;
  #keptLength = 0;
  #isCut = false;
  #isLost = false;
  /** A length that no message has: this is something else. */
  isMalformed = false;

  constructor(handler: FrameHandler) {
    this.#handler = handler;
  }

  read(bytes: Uint8Array, missing: number): void {
    if (this.isMalformed) return;
    if (this.#isLost && bytes.length > 0) this.#isLost = !this.#handler.isBeginning(bytes);
    if (this.#isLost) return;
    this.#readPresent(bytes);
    if (missing > 0 && !this.isMalformed) this.#skip(missing);
  }

  /** Gives on what there is of a message that does not come to its end. */
  finish(): void {
    if (this.#lengthBytes === 2 && this.#passed > 0 && !this.isMalformed) this.#deliverKept(true);
    this.#reset();
  }

  #readPresent(bytes: Uint8Array): void {
    let at = 0;
    while (at < bytes.length) {
      if (this.#lengthBytes < 2) {
        this.#length = (this.#length << 8) | (bytes[at++] ?? 0);
        if (++this.#lengthBytes === 2 && this.#length < HEADER_BYTES) {
          this.isMalformed = true;
          return;
        }
        continue;
      }
      const take = Math.min(this.#length - this.#passed, bytes.length - at);
      if (take === this.#length) {
        this.#reset();
        this.#handler.message(bytes, at, at + take, false);
      } else {
        this.#keep(bytes, at, at + take);
        this.#passed += take;
        if (this.#passed === this.#length) this.#deliverKept(false);
      }
      at += take;
    }
  }

  #skip(missing: number): void {
    const rest = this.#length - this.#passed;
    if (this.#lengthBytes < 2 || missing > rest) {
      this.finish();
      this.#isLost = true;
    } else {
      this.#passed += missing;
      this.#isCut = true;
      if (missing === rest) this.#deliverKept(true);
    }
  }

  #keep(bytes: Uint8Array, start: number, end: number): void {
    if (this.#isCut) return;
    this.#kept ??= new Uint8Array(Math.min(this.#length, MAX_KEPT_BYTES));
    const room = this.#kept.length - this.#keptLength;
    const take = Math.min(room, end - start);
    this.#kept.set(bytes.subarray(start, start + take), this.#keptLength);
    this.#keptLength += take;
    if (take < end - start) this.#isCut = true;
  }

  #deliverKept(isCut: boolean): void {
    const kept = this.#kept;
    const length = this.#keptLength;
    const isPart = isCut || this.#isCut;
    this.#reset();
    if (kept !== null) this.#handler.message(kept, 0, length, isPart);
  }

  #reset(): void {
    this.#lengthBytes = 0;
    this.#length = 0;
    this.#passed = 0;
    this.#kept = null;
    this.#keptLength = 0;
    this.#isCut = false;
  }
}
