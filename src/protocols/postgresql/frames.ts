import { uint32 } from './parser.ts';

/** What is kept of one message: enough of a statement for people and detectors, little enough for any connection. */
export const MAX_KEPT_BYTES = 16 * 1024;
/** The server refuses longer ones (MaxAllocSize in its sources). */
const MAX_LENGTH = 0x3fffffff;
const NOTHING = new Uint8Array(0);

/** What one direction of a connection may carry. */
export interface FrameRules {
  /** Whether a message of that type can be so long; the length counts itself. Type 0: a first message, which has none. */
  isPossible(type: number, length: number): boolean;
  /** How many bytes of its body are read: those of most messages are passed over. */
  keptBytes(type: number): number;
}

/**
 * Cuts one direction of a connection into messages: a type byte, four bytes of length that count themselves, a body.
 * First messages of a client have no type. Bodies are passed over by their length, captured or not.
 */
export class Frames {
  /** The next message begins with its length. */
  isUntyped: boolean;
  /** A message is complete: `type`, and the kept part of its body in `body` from `start` to `end`. */
  isComplete = false;
  /** What came is no message: where the next one begins is not known. */
  isInvalid = false;
  type = 0;
  body: Uint8Array = NOTHING;
  start = 0;
  end = 0;
  /** Some of the body was not captured, or is not kept. */
  isTruncated = false;

  readonly #rules: FrameRules;
  readonly #header = new Uint8Array(5);
  #headerLength = 0;
  #isInBody = false;
  /** Bytes of the body that have not come. */
  #left = 0;
  #kept = 0;
  #keepsOn = false;

  constructor(rules: FrameRules, isUntyped: boolean) {
    this.#rules = rules;
    this.isUntyped = isUntyped;
  }

  /** Nothing of a message has come. */
  get isBetween(): boolean {
    return this.#headerLength === 0 && !this.isComplete;
  }

  /** @returns offset of the first byte that is not of this message */
  take(bytes: Uint8Array, offset: number): number {
    let at = offset;
    if (!this.#isInBody) {
      const size = this.isUntyped ? 4 : 5;
      while (this.#headerLength < size && at < bytes.length)
        this.#header[this.#headerLength++] = bytes[at++] as number;
      if (this.#headerLength < size) return at;
      if (!this.#begin(size)) return at;
      if (bytes.length - at >= this.#left) {
        // The whole body lies here: nothing is copied.
        this.body = bytes;
        this.start = at;
        this.end = at + Math.min(this.#left, this.#kept);
        this.isTruncated = this.#left > this.#kept;
        this.isComplete = true;
        return at + this.#left;
      }
      this.body = this.#kept === 0 ? NOTHING : new Uint8Array(Math.min(this.#kept, this.#left));
      this.start = 0;
      this.end = 0;
      this.isTruncated = this.#left > this.#kept;
      this.#keepsOn = true;
    }
    const taken = Math.min(this.#left, bytes.length - at);
    if (this.#keepsOn && this.end < this.body.length) {
      const copied = Math.min(taken, this.body.length - this.end);
      this.body.set(bytes.subarray(at, at + copied), this.end);
      this.end += copied;
    }
    this.#left -= taken;
    this.isComplete = this.#left === 0;
    return at + taken;
  }

  /**
   * Bytes were not captured. What they leave of the message is complete or goes on.
   * @returns the position in the stream is lost: more is missing than belongs to the message
   */
  skip(missing: number): boolean {
    if (!this.#isInBody) return true;
    if (this.end < this.body.length) this.isTruncated = true;
    this.#keepsOn = false;
    const isLost = missing > this.#left;
    this.#left = isLost ? 0 : this.#left - missing;
    this.isComplete = this.#left === 0;
    return isLost;
  }

  /** Ready for the next message. */
  next(): void {
    this.#headerLength = 0;
    this.#isInBody = false;
    this.#left = 0;
    this.isComplete = false;
    this.isInvalid = false;
    this.isTruncated = false;
    this.body = NOTHING;
  }

  #begin(size: number): boolean {
    this.type = size === 5 ? (this.#header[0] as number) : 0;
    const length = uint32(this.#header, size - 4);
    if (length < 4 || length > MAX_LENGTH || !this.#rules.isPossible(this.type, length)) {
      this.isInvalid = true;
      return false;
    }
    this.#isInBody = true;
    this.#left = length - 4;
    this.#kept = this.#rules.keptBytes(this.type);
    return true;
  }
}
