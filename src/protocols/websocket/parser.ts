/** Opcodes of frames (RFC 6455, 5.2). */
export const CONTINUATION = 0;
export const TEXT = 1;
export const BINARY = 2;
export const CLOSE = 8;
export const PONG = 10;

const MAX_HEADER_BYTES = 14;
/** Payload of a control frame at most (5.5). */
export const MAX_CONTROL_BYTES = 125;

/** Reads frames from pieces of any size (RFC 6455, 5.2). `advance` returns at the end of each run of payload. */
export class FrameReader {
  /** What the last advance came to. 'frame': a header is complete. 'payload': a run, in payloadStart and payloadEnd. */
  event: 'more' | 'frame' | 'payload' | 'broken' = 'more';
  payloadStart = 0;
  payloadEnd = 0;
  /** Bytes of the frame's payload before the run. */
  payloadOffset = 0;

  isFinal = false;
  /** The bit that says that a message is compressed (RFC 7692, 6). */
  isCompressed = false;
  /** One of the two bits that no extension in use has a meaning for. */
  hasReservedBits = false;
  opcode = 0;
  isMasked = false;
  payloadLength = 0;
  /** The length took more bytes than it needed. */
  isLengthPadded = false;
  readonly mask = new Uint8Array(4);

  readonly #header = new Uint8Array(MAX_HEADER_BYTES);
  #headerLength = 0;
  #remaining = 0;

  get isControl(): boolean {
    return this.opcode >= 8;
  }

  /** The frame has been read to its end. */
  get isComplete(): boolean {
    return this.#remaining === 0;
  }

  /** The next byte begins a frame. */
  get isBetweenFrames(): boolean {
    return this.#headerLength === 0 && this.#remaining === 0;
  }

  /** @returns offset of the first byte not yet read */
  advance(bytes: Uint8Array, start: number, end: number): number {
    this.event = 'more';
    if (this.#remaining > 0) {
      const next = Math.min(end, start + this.#remaining);
      this.payloadOffset = this.payloadLength - this.#remaining;
      this.#remaining -= next - start;
      this.payloadStart = start;
      this.payloadEnd = next;
      this.event = 'payload';
      return next;
    }
    let index = start;
    while (index < end) {
      this.#header[this.#headerLength++] = bytes[index++] as number;
      if (this.#headerLength >= 2 && this.#headerLength === headerBytes(this.#header[1] as number)) {
        this.#begin();
        return index;
      }
    }
    return index;
  }

  /** Passes over bytes that were not captured. @returns how many of them lie beyond the frame: 0 keeps in step */
  skip(count: number): number {
    if (this.#headerLength > 0) return count;
    const passed = Math.min(this.#remaining, count);
    this.#remaining -= passed;
    return count - passed;
  }

  /** The next byte begins a frame. */
  reset(): void {
    this.#headerLength = 0;
    this.#remaining = 0;
  }

  #begin(): void {
    const header = this.#header;
    const first = header[0] as number;
    const second = header[1] as number;
    this.isFinal = (first & 0x80) !== 0;
    this.isCompressed = (first & 0x40) !== 0;
    this.hasReservedBits = (first & 0x30) !== 0;
    this.opcode = first & 0x0f;
    this.isMasked = (second & 0x80) !== 0;
    const kind = second & 0x7f;
    this.payloadLength = kind;
    if (kind === 126) this.payloadLength = uint(header, 2, 2);
    else if (kind === 127) this.payloadLength = uint(header, 2, 8);
    this.isLengthPadded =
      (kind === 126 && this.payloadLength < 126) || (kind === 127 && this.payloadLength < 0x10000);
    if (this.isMasked) this.mask.set(header.subarray(this.#headerLength - 4, this.#headerLength));
    this.#headerLength = 0;
    this.#remaining = this.payloadLength;
    this.event = this.payloadLength > Number.MAX_SAFE_INTEGER ? 'broken' : 'frame';
  }
}

/** Length of a frame's header, from its second byte. */
function headerBytes(second: number): number {
  const kind = second & 0x7f;
  return 2 + (kind === 126 ? 2 : kind === 127 ? 8 : 0) + ((second & 0x80) === 0 ? 0 : 4);
}

function uint(bytes: Uint8Array, at: number, count: number): number {
  let value = 0;
  for (let index = at; index < at + count; index++) value = value * 256 + (bytes[index] as number);
  return value;
}

/**
 * The payload without its mask (5.3).
 * @param offset of the first byte in its frame's payload
 */
export function unmasked(
  bytes: Uint8Array,
  start: number,
  end: number,
  mask: Uint8Array,
  offset: number,
): Uint8Array {
  const plain = new Uint8Array(end - start);
  for (let index = 0; index < plain.length; index++) {
    plain[index] = (bytes[start + index] as number) ^ (mask[(offset + index) & 3] as number);
  }
  return plain;
}
