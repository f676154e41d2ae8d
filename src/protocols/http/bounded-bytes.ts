const NO_BYTES = new Uint8Array(0);

/** Bytes that come in pieces, kept up to a limit. */
export class BoundedBytes {
  length = 0;
  /** There were more bytes than are kept. */
  isOverfull = false;

  readonly #limit: number;
  #bytes: Uint8Array = NO_BYTES;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get isFull(): boolean {
    return this.length === this.#limit;
  }

  /** What is kept; shares memory with the next calls. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.length);
  }

  append(bytes: Uint8Array, start: number, end: number): void {
    const count = Math.min(end - start, this.#limit - this.length);
    if (count < end - start) this.isOverfull = true;
    if (count <= 0) return;
    this.#bytes = withRoom(this.#bytes, this.length, this.length + count, this.#limit);
    this.#bytes.set(bytes.subarray(start, start + count), this.length);
    this.length += count;
  }
}

/**
 * The same bytes with room for more, grown in steps that double.
 * @param length how many of them count
 * @param needed at most the limit
 */
export function withRoom(bytes: Uint8Array, length: number, needed: number, limit: number): Uint8Array {
  if (needed <= bytes.length) return bytes;
  const grown = new Uint8Array(Math.min(limit, Math.max(needed, bytes.length * 2)));
  grown.set(bytes.subarray(0, length));
  return grown;
}
