/** What is kept of one message: enough of a statement for people and detectors, little enough for any connection. */
export const MAX_KEPT_BYTES = 16 * 1024;
/** A packet of this length goes on in the next one: so messages get longer than 16 MiB. */
const FULL_PACKET = 0xffffff;
const HEADER_BYTES = 4;
const NOTHING = new Uint8Array(0);

/**
 * Cuts one direction of a connection into messages: packets with three bytes of length (little endian), a sequence
 * number and a body. Bodies are passed over by their length, captured or not.
 * https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_packets.html
 */
export class Packets {
  /** A message is complete: the kept part of its body is in `body` from `start` to `end`. */
  isComplete = false;
  body: Uint8Array = NOTHING;
  start = 0;
  end = 0;
  /** Length of the body, kept or not. */
  length = 0;
  /** Sequence number of the message's first packet. */
  sequence = 0;
  /** Packets that the message is made of. */
  count = 0;
  /** Some of the body was not captured, or is not kept. */
  isTruncated = false;

  readonly #maxKept: number;
  readonly #header = new Uint8Array(HEADER_BYTES);
  #headerLength = 0;
  #isInBody = false;
  /** The next packet belongs to the same message. */
  #isContinued = false;
  #isFull = false;
  /** Bytes of the packet that have not come. */
  #left = 0;
  #keepsOn = true;

  constructor(maxKept: number) {
    this.#maxKept = maxKept;
  }

  /** Nothing of a message has come. */
  get isBetween(): boolean {
    return this.#headerLength === 0 && !this.#isContinued && !this.isComplete;
  }

  /** @returns offset of the first byte that is not of this message */
  take(bytes: Uint8Array, offset: number): number {
    let at = offset;
    while (at < bytes.length && !this.isComplete) {
      if (!this.#isInBody) {
        while (this.#headerLength < HEADER_BYTES && at < bytes.length)
          this.#header[this.#headerLength++] = bytes[at++] as number;
        if (this.#headerLength < HEADER_BYTES) return at;
        const isFirst = !this.#isContinued;
        this.#beginPacket();
        if (isFirst && !this.#isFull && bytes.length - at >= this.#left) {
          // The whole body lies here: nothing is copied.
          this.body = bytes;
          this.start = at;
          this.end = at + Math.min(this.#left, this.#maxKept);
          this.isTruncated = this.#left > this.#maxKept;
          this.isComplete = true;
          return at + this.#left;
        }
      }
      const taken = Math.min(this.#left, bytes.length - at);
      this.#keep(bytes, at, at + taken);
      this.#left -= taken;
      at += taken;
      if (this.#left === 0) this.#endPacket();
    }
    return at;
  }

  /**
   * Bytes were not captured. What they leave of the message is complete or goes on.
   * @returns the position in the stream is lost: more is missing than belongs to the packet
   */
  skip(missing: number): boolean {
    if (!this.#isInBody) return true;
    this.isTruncated = true;
    this.#keepsOn = false;
    if (missing > this.#left) {
      this.isComplete = true;
      return true;
    }
    this.#left -= missing;
    if (this.#left === 0) this.#endPacket();
    return false;
  }

  /** Ready for the next message. */
  next(): void {
    this.isComplete = false;
    this.isTruncated = false;
    this.length = 0;
    this.count = 0;
    this.body = NOTHING;
    this.start = 0;
    this.end = 0;
    this.#headerLength = 0;
    this.#isInBody = false;
    this.#isContinued = false;
    this.#keepsOn = true;
  }

  #beginPacket(): void {
    const header = this.#header;
    this.#left = (header[0] as number) | ((header[1] as number) << 8) | ((header[2] as number) << 16);
    this.#isFull = this.#left === FULL_PACKET;
    if (!this.#isContinued) this.sequence = header[3] as number;
    this.count++;
    this.length += this.#left;
    this.#isInBody = true;
    // An empty packet, of its own or after full ones, ends with its header.
    if (this.#left === 0) this.#endPacket();
  }

  #endPacket(): void {
    this.#headerLength = 0;
    this.#isInBody = false;
    this.#isContinued = this.#isFull;
    this.isComplete = !this.#isFull;
  }

  #keep(bytes: Uint8Array, start: number, end: number): void {
    if (start === end) return;
    const kept = this.#keepsOn ? Math.min(end - start, this.#maxKept - this.end) : 0;
    if (kept < end - start) this.isTruncated = true;
    if (kept <= 0) return;
    if (this.end + kept > this.body.length) {
      const size = Math.min(
        this.#maxKept,
        Math.max(this.end + kept, this.end + this.#left, this.body.length * 2),
      );
      const grown = new Uint8Array(size);
      grown.set(this.body.subarray(0, this.end));
      this.body = grown;
    }
    this.body.set(bytes.subarray(start, start + kept), this.end);
    this.end += kept;
  }
}
