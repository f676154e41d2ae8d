import { byteString, type ByteString } from '../../base/bytes.ts';

/** Tags of the basic encoding rules that LDAP uses as they are (RFC 4511 section 5.1: lengths are always given). */
export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  octets: 0x04,
  enumerated: 0x0a,
  sequence: 0x30,
  set: 0x31,
} as const;

/** Tag and length of what begins at an offset; null where bytes are missing or it is not allowed. */
export interface Head {
  readonly tag: number;
  readonly valueStart: number;
  readonly length: number;
}

/** 'more' where the bytes end inside the head, 'none' where it is none. */
export function readHead(bytes: Uint8Array, start: number, end: number): Head | 'more' | 'none' {
  if (start + 2 > end) return 'more';
  const tag = bytes[start] as number;
  const first = bytes[start + 1] as number;
  // Tags of several bytes do not occur.
  if ((tag & 0x1f) === 0x1f) return 'none';
  if (first < 0x80) return { tag, valueStart: start + 2, length: first };
  const count = first - 0x80;
  if (count === 0 || count > 4) return 'none';
  if (start + 2 + count > end) return 'more';
  let length = 0;
  for (let index = 0; index < count; index++) length = length * 256 + (bytes[start + 2 + index] as number);
  return { tag, valueStart: start + 2 + count, length };
}

/** Walks over elements side by side, of which the end may not have been captured. */
export class BerCursor {
  readonly bytes: Uint8Array;
  tag = 0;
  valueStart = 0;
  /** Cut at the captured end. */
  valueEnd = 0;
  /** What is inside goes on beyond what was captured, or its lengths do not fit. */
  isCut = false;

  #index: number;
  readonly #end: number;

  constructor(bytes: Uint8Array, start: number, end: number) {
    this.bytes = bytes;
    this.#index = start;
    this.#end = end;
  }

  next(): boolean {
    if (this.#index >= this.#end) return false;
    const head = readHead(this.bytes, this.#index, this.#end);
    if (typeof head === 'string') {
      this.isCut = true;
      this.#index = this.#end;
      return false;
    }
    const valueEnd = head.valueStart + head.length;
    this.tag = head.tag;
    this.valueStart = head.valueStart;
    this.valueEnd = Math.min(valueEnd, this.#end);
    if (valueEnd > this.#end) this.isCut = true;
    this.#index = this.valueEnd;
    return true;
  }

  /** The elements inside the one under the cursor. */
  inside(): BerCursor {
    return new BerCursor(this.bytes, this.valueStart, this.valueEnd);
  }

  text(limit: number): ByteString {
    return byteString(this.bytes, this.valueStart, Math.min(this.valueEnd, this.valueStart + limit));
  }

  number(): number {
    return integer(this.bytes, this.valueStart, this.valueEnd);
  }
}

/** A number that is not negative, of at most four bytes; else 0. */
export function integer(bytes: Uint8Array, start: number, end: number): number {
  if (end - start > 4 || end <= start || (bytes[start] as number) > 0x7f) return 0;
  let value = 0;
  for (let index = start; index < end; index++) value = value * 256 + (bytes[index] as number);
  return value;
}
