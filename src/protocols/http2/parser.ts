/** Frames of HTTP/2: their nine bytes of header, and whether bytes can be one (RFC 9113, 4.1 and 6). */

export const PREFACE = Uint8Array.from(Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1'));
export const FRAME_HEADER_BYTES = 9;

export const DATA = 0;
export const HEADERS = 1;
const PRIORITY = 2;
export const RST_STREAM = 3;
export const SETTINGS = 4;
export const PUSH_PROMISE = 5;
const PING = 6;
export const GOAWAY = 7;
const WINDOW_UPDATE = 8;
export const CONTINUATION = 9;

export const END_STREAM = 0x1;
const ACK = 0x1;
export const END_HEADERS = 0x4;
export const PADDED = 0x8;
export const PRIORITY_FLAG = 0x20;

/** Frames are no longer unless the receiver has allowed it (RFC 9113, 4.2). */
export const DEFAULT_MAX_FRAME_BYTES = 16 * 1024;
/** Receivers that allow more do not allow more than this. */
const MAX_FRAME_BYTES = 1024 * 1024;

/** One object per direction, used again for every frame. */
export class FrameHeader {
  length = 0;
  type = 0;
  flags = 0;
  stream = 0;

  /** Reads nine bytes. */
  read(bytes: Uint8Array, at: number): void {
    this.length = uint24(bytes, at);
    this.type = bytes[at + 3] as number;
    this.flags = bytes[at + 4] as number;
    this.stream = uint31(bytes, at + 5);
  }
}

/**
 * Whether a receiver would take the frame at all; the others are errors of the whole connection. Unknown types are
 * fine, and are passed over.
 */
export function isWellFormed({ type, length, stream, flags }: FrameHeader): boolean {
  if (length > MAX_FRAME_BYTES) return false;
  switch (type) {
    case DATA:
    case HEADERS:
    case PRIORITY:
    case CONTINUATION:
      return stream !== 0;
    case PUSH_PROMISE:
      return stream !== 0 && length >= 4;
    case RST_STREAM:
      return stream !== 0 && length === 4;
    case SETTINGS:
      return stream === 0 && length % 6 === 0 && ((flags & ACK) === 0 || length === 0);
    case PING:
      return stream === 0 && length === 8;
    case GOAWAY:
      return stream === 0 && length >= 8;
    case WINDOW_UPDATE:
      return length === 4;
    default:
      return true;
  }
}

/**
 * - fixed: nothing but such a frame has these bytes, or hardly
 * - fits: it may be one
 */
export type Plausibility = 'no' | 'fits' | 'fixed';

/** Flags that a frame of a type may have; others are ignored by receivers, but nobody sends them. */
const FLAGS: readonly number[] = [
  END_STREAM | PADDED,
  END_STREAM | END_HEADERS | PADDED | PRIORITY_FLAG,
  0,
  0,
  ACK,
  END_HEADERS | PADDED,
  ACK,
  0,
  0,
  END_HEADERS,
];

/**
 * Whether bytes of which nothing is known look like the header of a frame as implementations send them. Stricter than
 * what a receiver takes.
 * @param header what `at` holds
 */
export function framePlausibility(bytes: Uint8Array, at: number, header: FrameHeader): Plausibility {
  const { type, length, stream, flags } = header;
  const allowed = FLAGS[type];
  if (allowed === undefined || (flags & ~allowed) !== 0) return 'no';
  // The reserved bit.
  if ((bytes[at + 5] as number) > 0x7f || !isWellFormed(header)) return 'no';
  switch (type) {
    case DATA:
      // An empty frame has no use but to end the stream; bytes of zero would look like one.
      return length === 0 && flags !== END_STREAM ? 'no' : 'fits';
    case HEADERS:
      return length === 0 ? 'no' : 'fits';
    case CONTINUATION:
    case PUSH_PROMISE:
      return stream > 0 && length > 0 ? 'fits' : 'no';
    case PRIORITY:
      return length === 5 ? 'fixed' : 'no';
    case GOAWAY:
      return length < 1024 ? 'fixed' : 'no';
    case SETTINGS:
      return length <= 20 * 6 ? 'fixed' : 'no';
    default:
      return 'fixed';
  }
}

export function uint24(bytes: Uint8Array, at: number): number {
  return ((bytes[at] as number) << 16) | ((bytes[at + 1] as number) << 8) | (bytes[at + 2] as number);
}

/** A number of a stream: the highest bit is reserved. */
export function uint31(bytes: Uint8Array, at: number): number {
  return (((bytes[at] as number) & 0x7f) << 24) | uint24(bytes, at + 1);
}
