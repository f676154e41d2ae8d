import { byteString, type ByteString } from '../../base/bytes.ts';

const LF = 10;

export interface Line {
  /** Without its line end. */
  readonly text: ByteString;
  readonly isTruncated: boolean;
  /** Ended by a bare LF: lenient servers take that too. */
  readonly isBareLf: boolean;
}

/** One line of a stream at a time, of any length, of which the first bytes are kept. */
export class LineBuffer {
  readonly #limit: number;
  #text: ByteString = '';
  #length = 0;
  #endsWithCr = false;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** The beginning of a line that has not ended. */
  get pending(): ByteString {
    return this.#text;
  }

  get length(): number {
    return this.#length;
  }

  /** Takes bytes up to the line's end. @returns offset after what was taken, and the line if it is complete */
  read(bytes: Uint8Array, start: number): { index: number; line: Line | null } {
    const at = bytes.indexOf(LF, start);
    const end = at < 0 ? bytes.length : at;
    const kept = Math.min(end - start, this.#limit - this.#text.length);
    if (kept > 0) this.#text += byteString(bytes, start, start + kept);
    this.#length += end - start;
    if (end > start) this.#endsWithCr = bytes[end - 1] === 13;
    return at < 0 ? { index: end, line: null } : { index: end + 1, line: this.take() };
  }

  /** What there is of the line. */
  take(): Line {
    const isTruncated = this.#length > this.#text.length;
    const text = this.#endsWithCr && !isTruncated ? this.#text.slice(0, -1) : this.#text;
    const line = { text, isTruncated, isBareLf: !this.#endsWithCr };
    this.#text = '';
    this.#length = 0;
    this.#endsWithCr = false;
    return line;
  }
}
