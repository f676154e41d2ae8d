import type { Confidence } from '../contract.ts';

/** Record types: change cipher spec, alert, handshake, application data, heartbeat (RFC 8446, 5.1; RFC 6520, 3). */
export const RECORD_HANDSHAKE = 22;
const FIRST_RECORD_TYPE = 20;
const LAST_RECORD_TYPE = 24;
export const RECORD_HEADER_BYTES = 5;
/** 2^14 bytes of plain text (RFC 8446, 5.1), and 2048 that old ciphers may add (RFC 5246, 6.2.3). */
const MAX_RECORD_BYTES = 16_384 + 2048;
/** The shortest ClientHello behind its header: version, random, no session, one suite, no compression. */
const MIN_HELLO_BYTES = 2 + 32 + 1 + 2 + 2 + 1 + 1;
/** Longer ones exist only in tests: a few KiB with the largest post-quantum key shares. */
export const MAX_HELLO_BYTES = 65_536;

/** Whether a record's header begins at `at`, as far as bytes are there. */
export function isRecordHeader(bytes: Uint8Array, at: number): boolean {
  const [type = FIRST_RECORD_TYPE, major = 3, minor = 0, high, low] = bytes.subarray(
    at,
    at + RECORD_HEADER_BYTES,
  );
  if (type < FIRST_RECORD_TYPE || type > LAST_RECORD_TYPE || major !== 3 || minor > 4) return false;
  if (high === undefined) return true;
  const length = (high << 8) | (low ?? 0);
  return length <= MAX_RECORD_BYTES && (length > 0 || low === undefined);
}

/**
 * Whether a connection begins with a ClientHello: handshake record, message type, lengths that go together, version.
 * The hello of SSL 2 is not known here: no client of this decade sends it, and its first bytes are too common.
 */
export function judgeBeginning(bytes: Uint8Array): Confidence {
  if ((bytes[0] ?? RECORD_HANDSHAKE) !== RECORD_HANDSHAKE || !isRecordHeader(bytes, 0)) return 'no';
  if (bytes.length <= RECORD_HEADER_BYTES) return 'maybe';
  if (bytes[5] !== 1) return 'no';
  const recordLength = ((bytes[3] ?? 0) << 8) | (bytes[4] ?? 0);
  // A first record that ends inside the message's own header: allowed, seen only from tools that hide.
  if (recordLength < 6) return 'likely';
  if (bytes.length < 11) return 'maybe';
  const length = ((bytes[6] ?? 0) << 16) | ((bytes[7] ?? 0) << 8) | (bytes[8] ?? 0);
  if (length < MIN_HELLO_BYTES || length > MAX_HELLO_BYTES || length + 4 < recordLength) return 'no';
  return bytes[9] === 3 && (bytes[10] ?? 0) <= 4 ? 'certain' : 'no';
}

/** Whether bytes from the middle of a connection are records, one behind the other; the last may be cut. */
export function judgeMiddle(bytes: Uint8Array): Confidence {
  if (bytes.length < RECORD_HEADER_BYTES) return isRecordHeader(bytes, 0) ? 'maybe' : 'no';
  let at = 0;
  while (at < bytes.length) {
    if (!isRecordHeader(bytes, at)) return 'no';
    at += RECORD_HEADER_BYTES + ((bytes[at + 3] ?? 0) << 8) + (bytes[at + 4] ?? 0);
  }
  return 'likely';
}
