import { isUtf8 } from 'node:buffer';
import {
  BINARY,
  CLOSE,
  CONTINUATION,
  FrameReader,
  MAX_CONTROL_BYTES,
  PONG,
  TEXT,
  unmasked,
} from './parser.ts';

/** Bits of evidence that make frames of bytes: one in a million other ones has as much. */
export const ENOUGH_EVIDENCE = 20;

// How unlikely it is that other bytes fit, as a power of two.
/** Five of sixteen opcodes, reserved bits, the mask bit, the shortest form of the length. */
const HEADER_BITS = 5;
/** A frame ends where the bytes end: senders write whole messages. */
const EXACT_END_BITS = 8;
/** At most, of the payload of a text; one a byte. */
const MAX_TEXT_BITS = 16;
const CLOSE_CODE_BITS = 4;

/**
 * How much speaks for the bytes being frames of a client or a server, from the beginning of one on.
 * @returns bits; -1 where they cannot be frames
 */
export function evidenceOf(bytes: Uint8Array, isFromClient: boolean): number {
  const frame = new FrameReader();
  let evidence = 0;
  /** Whether a message is under way, as far as is known. */
  let isOpen: boolean | null = null;
  let at = 0;
  while (at < bytes.length) {
    const start = frame.advance(bytes, at, bytes.length);
    if (frame.event === 'more') break;
    if (frame.event === 'broken' || frame.isMasked !== isFromClient || !isRight(frame)) return -1;
    const end = Math.min(start + frame.payloadLength, bytes.length);
    const isWhole = end === start + frame.payloadLength;
    if (!frame.isControl) {
      // Fragments of one message follow each other (5.4).
      if (isOpen !== null && isOpen !== (frame.opcode === CONTINUATION)) return -1;
      isOpen = !frame.isFinal;
    }
    evidence += HEADER_BITS;
    if (!frame.isCompressed && (frame.opcode === TEXT || frame.opcode === CLOSE)) {
      const payload = isFromClient ? unmasked(bytes, start, end, frame.mask, 0) : bytes.subarray(start, end);
      if (frame.opcode === CLOSE && isWhole) {
        if (!isCloseReason(payload)) return -1;
        if (payload.length > 0) evidence += CLOSE_CODE_BITS;
      } else if (frame.opcode === TEXT) {
        if (!isText(payload, isWhole && frame.isFinal)) return -1;
        if (frame.isFinal) evidence += Math.min(payload.length, MAX_TEXT_BITS);
      }
    }
    if (!isWhole) break;
    if (end === bytes.length) evidence += EXACT_END_BITS;
    frame.reset();
    at = end;
  }
  return evidence;
}

/** What RFC 6455 demands of a header, 5.2 and 5.5; the compression bit belongs to the first frame of a message. */
function isRight(frame: FrameReader): boolean {
  const { opcode } = frame;
  if (frame.hasReservedBits || frame.isLengthPadded) return false;
  if (frame.isControl) {
    return opcode <= PONG && frame.isFinal && !frame.isCompressed && frame.payloadLength <= MAX_CONTROL_BYTES;
  }
  // An empty fragment that ends nothing is allowed, but nobody sends it, and zeros look like it.
  if (frame.payloadLength === 0 && !frame.isFinal) return false;
  return opcode <= BINARY && !(opcode === CONTINUATION && frame.isCompressed);
}

/** UTF-8 without control characters but line ends and tabs. Where it is not whole it may end inside a character. */
function isText(payload: Uint8Array, isWhole: boolean): boolean {
  for (const byte of payload) {
    if ((byte < 0x20 && byte !== 9 && byte !== 10 && byte !== 13) || byte === 0x7f) return false;
  }
  if (isUtf8(payload)) return true;
  for (let cut = 1; !isWhole && cut <= 3 && cut <= payload.length; cut++) {
    if (isUtf8(payload.subarray(0, payload.length - cut))) return true;
  }
  return false;
}

/** Nothing, or a code of 5.5.1 and a text. */
function isCloseReason(payload: Uint8Array): boolean {
  if (payload.length === 0) return true;
  const code = ((payload[0] as number) << 8) | (payload[1] ?? 0);
  return payload.length >= 2 && code >= 1000 && code < 5000 && isText(payload.subarray(2), true);
}
