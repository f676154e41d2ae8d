import { byteString, type ByteString } from '../../base/bytes.ts';

/** Numbers and texts as MySQL's protocol writes them (little endian); what is cut off reads as 0 or ''. */

/** Reads one message from front to back, never beyond its end. */
export class Reader {
  at: number;
  /** Something was read that is not there. */
  isOver = false;
  readonly end: number;
  readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array, start: number, end: number) {
    this.bytes = bytes;
    this.at = start;
    this.end = end;
  }

  get left(): number {
    return this.end - this.at;
  }

  uint8(): number {
    return this.uint(1);
  }

  /** Up to six bytes. */
  uint(size: number): number {
    if (!this.#has(size)) return 0;
    let value = 0;
    for (let index = size - 1; index >= 0; index--) value = value * 256 + (this.bytes[this.at + index] ?? 0);
    this.at += size;
    return value;
  }

  uint64(): bigint {
    const low = this.uint(4);
    return (BigInt(this.uint(4)) << 32n) | BigInt(low);
  }

  float(size: 4 | 8): number {
    if (!this.#has(size)) return 0;
    const view = new DataView(this.bytes.buffer, this.bytes.byteOffset + this.at, size);
    this.at += size;
    return size === 4 ? view.getFloat32(0, true) : view.getFloat64(0, true);
  }

  /** Length-encoded integer; the NULL mark of text rows reads as 0. */
  lengthEncoded(): number {
    const first = this.uint8();
    if (first < 0xfb) return first;
    if (first === 0xfc) return this.uint(2);
    if (first === 0xfd) return this.uint(3);
    if (first !== 0xfe) return 0;
    const value = this.uint64();
    return value > BigInt(Number.MAX_SAFE_INTEGER) ? Number.MAX_SAFE_INTEGER : Number(value);
  }

  /** Text with its length before it; what is there of it. */
  text(): ByteString {
    return this.take(this.lengthEncoded());
  }

  /** So many bytes, or what is there of them. */
  take(length: number): ByteString {
    const start = this.at;
    this.skip(length);
    return byteString(this.bytes, start, this.at);
  }

  /** Text up to its NUL, or up to the end. */
  textToNul(): ByteString {
    const start = this.at;
    while (this.at < this.end && this.bytes[this.at] !== 0) this.at++;
    const text = byteString(this.bytes, start, this.at);
    if (this.at < this.end) this.at++;
    else this.isOver = true;
    return text;
  }

  rest(): ByteString {
    const start = this.at;
    this.at = this.end;
    return byteString(this.bytes, start, this.end);
  }

  skip(length: number): void {
    if (!this.#has(length)) this.at = this.end;
    else this.at += length;
  }

  #has(size: number): boolean {
    if (this.at + size <= this.end) return true;
    this.isOver = true;
    return false;
  }
}
