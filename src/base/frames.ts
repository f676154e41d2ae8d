/**
 * Cuts a stream whose messages carry their length into these messages. What is captured of a stream has gaps: a
 * message is skipped by its length, and where that is not enough, the next piece of the stream that begins like a
 * message goes on. Memory: the kept part of one message.
 */

/** What begins at an offset: a message of so many bytes, 'more' bytes are needed to tell, or 'none'. */
export type FrameLength = number | 'more' | 'none';

export interface Framing {
  /** Length of the whole message that begins at `start`. 'more' only where less than 32 bytes are there. */
  readonly lengthAt: (bytes: Uint8Array, start: number, end: number) => FrameLength;
  /**
   * A message is complete, or as complete as it gets: less than `length` bytes from `start` to `end` where it is longer
   * than what is kept, or was not captured whole. `bytes` is reused after the call.
   */
  readonly frame: (bytes: Uint8Array, start: number, end: number, length: number) => void;
  /** Of a message that does not come in one piece, so many bytes are kept. */
  readonly keptBytes: number;
}

export class Frames {
  /** What should be the beginning of a message is none. */
  isBroken = false;
  /** Messages were passed over, perhaps: how often. */
  gaps = 0;

  readonly #framing: Framing;
  #kept: Uint8Array = EMPTY;
  #keptLength = 0;
  /** Length of the message whose beginning is kept; 0 while it is not known. */
  #length = 0;
  /** Bytes of it that have come, kept or not. */
  #arrived = 0;
  /** Kept bytes and further ones are no longer side by side. */
  #isCut = false;
  #isLost = false;
  #isStopped = false;

  constructor(framing: Framing) {
    this.#framing = framing;
  }

  /** The kept beginning of a message that is not complete. */
  get pending(): Uint8Array {
    return this.#kept.subarray(0, this.#keptLength);
  }

  /**
   * @param missing so many bytes of the stream follow `bytes` that were not captured
   * @returns offset after what was read: less than all where a message stopped it
   */
  read(bytes: Uint8Array, missing: number): number {
    let index = 0;
    while (index < bytes.length && !this.isBroken && !this.#isStopped) {
      index = this.#arrived === 0 ? this.#begin(bytes, index) : this.#continue(bytes, index);
    }
    if (missing > 0 && !this.isBroken && !this.#isLost && !this.#isStopped) this.#skip(missing);
    return index;
  }

  /** The message being told is the last: what follows is something else. */
  stop(): void {
    this.#isStopped = true;
  }

  /** The message under way ends as far as it came. */
  close(): void {
    if (this.#length > 0) this.#finish(this.#kept, 0, this.#keptLength);
    this.#clear();
  }

  #begin(bytes: Uint8Array, start: number): number {
    const length = this.#framing.lengthAt(bytes, start, bytes.length);
    if (length === 'none') {
      if (!this.#isLost) this.isBroken = true;
      return bytes.length;
    }
    this.#isLost = false;
    if (length === 'more') {
      this.#keep(bytes, start, bytes.length);
      return bytes.length;
    }
    this.#length = length;
    const end = start + length;
    if (end <= bytes.length) {
      this.#finish(bytes, start, end);
      return end;
    }
    this.#keep(bytes, start, bytes.length);
    return bytes.length;
  }

  #continue(bytes: Uint8Array, start: number): number {
    let index = start;
    while (this.#length === 0 && index < bytes.length) {
      this.#keep(bytes, index, ++index);
      const length = this.#framing.lengthAt(this.#kept, 0, this.#keptLength);
      if (length === 'none') {
        this.isBroken = true;
        return bytes.length;
      }
      if (length !== 'more') this.#length = length;
    }
    const end = Math.min(bytes.length, index + this.#length - this.#arrived);
    if (this.#length > 0 && end > index) {
      this.#keep(bytes, index, end);
      index = end;
    }
    if (this.#length > 0 && this.#arrived >= this.#length) this.#finish(this.#kept, 0, this.#keptLength);
    return index;
  }

  #keep(bytes: Uint8Array, start: number, end: number): void {
    this.#arrived += end - start;
    const room = this.#isCut ? 0 : Math.max(0, this.#framing.keptBytes - this.#keptLength);
    const kept = Math.min(room, end - start);
    if (kept === 0) return;
    const needed = this.#keptLength + kept;
    if (needed > this.#kept.length) {
      const grown = new Uint8Array(
        Math.min(this.#framing.keptBytes, Math.max(256, needed, this.#kept.length * 2)),
      );
      grown.set(this.#kept.subarray(0, this.#keptLength));
      this.#kept = grown;
    }
    this.#kept.set(bytes.subarray(start, start + kept), this.#keptLength);
    this.#keptLength = needed;
  }

  #skip(missing: number): void {
    this.#isCut = true;
    this.#arrived += missing;
    if (this.#length > 0 && this.#arrived === this.#length) {
      this.#finish(this.#kept, 0, this.#keptLength);
    } else if (this.#length === 0 || this.#arrived > this.#length) {
      this.close();
      this.#isLost = true;
      this.gaps++;
    }
  }

  #finish(bytes: Uint8Array, start: number, end: number): void {
    const length = this.#length;
    this.#clear();
    this.#framing.frame(bytes, start, end, length);
  }

  #clear(): void {
    this.#kept = EMPTY;
    this.#keptLength = 0;
    this.#length = 0;
    this.#arrived = 0;
    this.#isCut = false;
  }
}

const EMPTY = new Uint8Array(0);
