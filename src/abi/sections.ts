import { byteString, type ByteString } from '../base/bytes.ts';

/** Reads the sections behind the fixed part one after the other, never beyond the event. */
export class Sections {
  readonly #bytes: Uint8Array;
  readonly #end: number;
  #at: number;

  constructor(bytes: Uint8Array, start: number, end: number) {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
  }

  next(size: number): Uint8Array {
    const start = Math.min(this.#at, this.#end);
    this.#at = Math.min(start + size, this.#end);
    return this.#bytes.subarray(start, this.#at);
  }

  /** Where a section of this size stands in the memory that was given; -1 where the event ends before it does. */
  place(size: number): number {
    const start = this.#at;
    if (start + size > this.#end) return -1;
    this.#at += size;
    return start;
  }

  /** Where the next section begins in the memory that was given. */
  get position(): number {
    return Math.min(this.#at, this.#end);
  }

  /** Bytes from there on. */
  get left(): number {
    return this.#end - this.position;
  }

  /** A string that the kernel ended by NUL. */
  text(size: number): ByteString {
    const bytes = this.next(size);
    return byteString(bytes, 0, bytes.at(-1) === 0 ? bytes.length - 1 : bytes.length);
  }

  /** Strings that are each ended by NUL; the last may be cut. */
  list(size: number): ByteString[] {
    const text = byteString(this.next(size));
    if (text === '') return [];
    return (text.endsWith('\0') ? text.slice(0, -1) : text).split('\0');
  }

  /** An absolute path out of its components, leaf first. */
  path(size: number): ByteString {
    const components = this.list(size);
    if (components.length === 0) return size === 0 ? '' : '/';
    return '/' + components.toReversed().join('/');
  }
}

/** A 64-bit number as a double: exact below 2^53, else rounded the same way everywhere. */
export function readNumber(view: DataView, offset: number): number {
  return view.getUint32(offset, true) + view.getUint32(offset + 4, true) * 4294967296;
}
