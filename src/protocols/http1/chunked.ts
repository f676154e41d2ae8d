/** Length of a line of the chunked coding, with its extensions, and of all trailers. */
const MAX_LINE_BYTES = 16 * 1024;
const LF = 10;
const CR = 13;

/**
 * Reads the chunked transfer coding (RFC 9112, 7.1) from pieces of any size. Keeps counts only, never bytes.
 * `advance` returns at the end of each run of data, with the run in dataStart and dataEnd.
 */
export class ChunkedReader {
  state: 'size' | 'extension' | 'data' | 'data-end' | 'trailers' | 'done' | 'broken' = 'size';
  /** The run of data that the last advance found; empty when both are equal. */
  dataStart = 0;
  dataEnd = 0;
  /** Names of what was odd, for the message. */
  readonly anomalies: string[] = [];

  #remaining = 0;
  #digits = 0;
  #lineLength = 0;
  #hasBlank = false;
  #isAfterCr = false;

  reset(): void {
    this.state = 'size';
    this.anomalies.length = 0;
    this.#beginSize();
  }

  /** @returns offset of the first byte not yet read; the state is 'done' or 'broken' when no more should be given */
  advance(bytes: Uint8Array, start: number, end: number): number {
    this.dataStart = this.dataEnd = start;
    let index = start;
    while (index < end) {
      switch (this.state) {
        case 'data': {
          const taken = Math.min(this.#remaining, end - index);
          this.#take(taken);
          this.dataStart = index;
          this.dataEnd = index + taken;
          return this.dataEnd;
        }
        case 'size':
          this.#sizeByte(bytes[index++] as number);
          break;
        case 'extension':
          this.#extensionByte(bytes[index++] as number);
          break;
        case 'data-end':
          this.#dataEndByte(bytes[index++] as number);
          break;
        case 'trailers':
          this.#trailerByte(bytes[index++] as number);
          break;
        case 'done':
        case 'broken':
          return index;
      }
    }
    return index;
  }

  /** Passes over bytes that were not captured. @returns how many of them lie beyond the chunk: 0 keeps in step */
  skip(count: number): number {
    if (this.state !== 'data') return count;
    const taken = Math.min(this.#remaining, count);
    this.#take(taken);
    return count - taken;
  }

  #take(count: number): void {
    this.#remaining -= count;
    if (this.#remaining > 0) return;
    this.state = 'data-end';
    this.#isAfterCr = false;
  }

  #beginSize(): void {
    this.#remaining = 0;
    this.#digits = 0;
    this.#lineLength = 0;
    this.#hasBlank = false;
    this.#isAfterCr = false;
  }

  #sizeByte(byte: number): void {
    const digit = hexDigit(byte);
    if (++this.#lineLength > 64) this.#break('invalid-chunk-size');
    else if (digit !== -1 && !this.#hasBlank && !this.#isAfterCr) {
      this.#digits++;
      this.#remaining = this.#remaining * 16 + digit;
      if (this.#remaining > Number.MAX_SAFE_INTEGER) this.#break('invalid-chunk-size');
    } else if (this.#digits === 0) this.#break('invalid-chunk-size');
    else if (byte === LF) this.#sizeEnd();
    else if (this.#isAfterCr) this.#break('invalid-chunk-size');
    else if (byte === CR) this.#isAfterCr = true;
    else if (byte === 0x20 || byte === 9) {
      this.#hasBlank = true;
      this.#flag('space-in-chunk-size');
    } else if (byte === 0x3b) this.state = 'extension';
    else this.#break('invalid-chunk-size');
  }

  #extensionByte(byte: number): void {
    if (byte === LF) this.#sizeEnd();
    else if (++this.#lineLength > MAX_LINE_BYTES) this.#break('oversized-chunk-line');
    else this.#isAfterCr = byte === CR;
  }

  #sizeEnd(): void {
    if (!this.#isAfterCr) this.#flag('bare-lf-in-chunk');
    this.state = this.#remaining === 0 ? 'trailers' : 'data';
    this.#lineLength = 0;
    this.#digits = 0;
    this.#isAfterCr = false;
  }

  #dataEndByte(byte: number): void {
    if (byte === CR && !this.#isAfterCr) this.#isAfterCr = true;
    else if (byte === LF) {
      if (!this.#isAfterCr) this.#flag('bare-lf-in-chunk');
      this.state = 'size';
      this.#beginSize();
    } else this.#break('missing-chunk-end');
  }

  /** Here #lineLength counts all trailers, and #digits the bytes of this line. */
  #trailerByte(byte: number): void {
    if (++this.#lineLength > MAX_LINE_BYTES) this.#break('oversized-trailers');
    else if (byte === LF) {
      if (this.#digits === 0) this.state = 'done';
      else this.#flag('trailers');
      this.#digits = 0;
      this.#isAfterCr = false;
    } else if (byte === CR && this.#digits === 0 && !this.#isAfterCr) this.#isAfterCr = true;
    else this.#digits++;
  }

  #break(reason: string): void {
    this.state = 'broken';
    this.#flag(reason);
  }

  #flag(name: string): void {
    if (!this.anomalies.includes(name)) this.anomalies.push(name);
  }
}

function hexDigit(byte: number): number {
  if (byte >= 48 && byte <= 57) return byte - 48;
  const lower = byte | 0x20;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}

const LAST_CHUNK = [0x30, CR, LF, CR, LF];

/** Whether captured bytes end with a chunk of length zero: the end of a body that was not followed chunk by chunk. */
export function endsWithLastChunk(bytes: Uint8Array): boolean {
  const start = bytes.length - LAST_CHUNK.length;
  if (start < 0 || (start > 0 && bytes[start - 1] !== LF)) return false;
  for (let index = 0; index < LAST_CHUNK.length; index++) {
    if (bytes[start + index] !== LAST_CHUNK[index]) return false;
  }
  return true;
}
