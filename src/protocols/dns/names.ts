import { byteString, type ByteString } from '../../base/bytes.ts';

/** What skipName answers instead of an offset: the bytes end inside the name. */
export const NAME_CUT = -1;
/** What skipName answers instead of an offset: these bytes are no name. */
export const NAME_BAD = -2;

/** Octets of a name with its length octets and the root (RFC 1035, 2.3.4). */
const MAX_NAME_OCTETS = 255;
const HEADER_BYTES = 12;

/**
 * The offset behind the name at `offset`, NAME_CUT or NAME_BAD. Follows no pointer, but requires that a pointer goes
 * back to before this name, as RFC 1035 4.1.4 has it ("a prior occurrence").
 * @param start of the message: pointers count from there
 */
export function skipName(bytes: Uint8Array, offset: number, start: number, end: number): number {
  let at = offset;
  let octets = 0;
  for (;;) {
    if (at >= end) return NAME_CUT;
    const length = bytes[at] ?? 0;
    if (length === 0) return at + 1;
    if (length >= 0xc0) {
      if (at + 2 > end) return NAME_CUT;
      return isPointerBack(pointerAt(bytes, at), offset - start) ? at + 2 : NAME_BAD;
    }
    // 01 and 10 in the highest bits never came into use (RFC 6891, 5).
    if (length > 63) return NAME_BAD;
    octets += length + 1;
    if (octets >= MAX_NAME_OCTETS) return NAME_BAD;
    at += length + 1;
  }
}

/**
 * The name at `offset` with its pointers followed: labels with dots between, '.' for the root, no dot at the end. A dot
 * or backslash inside a label is written with a backslash before it (RFC 4343, 2.1), other bytes stay what they are.
 * null when the bytes are no name. Each pointer has to go further back than the last one, so this ends.
 */
export function readName(bytes: Uint8Array, offset: number, start: number, end: number): ByteString | null {
  let text = '';
  let at = offset;
  let segment = offset;
  let octets = 0;
  for (;;) {
    if (at >= end) return null;
    const length = bytes[at] ?? 0;
    if (length === 0) return text === '' ? '.' : text;
    if (length >= 0xc0) {
      if (at + 2 > end) return null;
      const target = pointerAt(bytes, at);
      if (!isPointerBack(target, segment - start)) return null;
      segment = at = start + target;
      continue;
    }
    octets += length + 1;
    if (length > 63 || octets >= MAX_NAME_OCTETS || at + 1 + length > end) return null;
    const label = escapeLabel(byteString(bytes, at + 1, at + 1 + length));
    text = text === '' ? label : `${text}.${label}`;
    at += length + 1;
  }
}

function pointerAt(bytes: Uint8Array, at: number): number {
  return (((bytes[at] ?? 0) & 0x3f) << 8) | (bytes[at + 1] ?? 0);
}

function isPointerBack(target: number, before: number): boolean {
  return target >= HEADER_BYTES && target < before;
}

function escapeLabel(label: ByteString): ByteString {
  return label.includes('.') || label.includes('\\') ? label.replace(/[.\\]/g, '\\$&') : label;
}
