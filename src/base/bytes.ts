/**
 * Byte strings: what comes from the network, from processes and from file names is bytes, not text. Inside the
 * brain it is held as a *byte string*: a JavaScript string in which every char code is one byte (0 to 255). So
 * request bytes and kernel bytes compare byte for byte whatever their encoding, and an attacker cannot make two
 * equal byte sequences decode differently. Only the edge that prints turns them into text (see printable.ts).
 */
export type ByteString = string;

/** The byte string of a range of bytes. The result does not share memory with its source. */
export function byteString(bytes: Uint8Array, start = 0, end = bytes.length): ByteString {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1', start, end);
}

/** The bytes of a byte string. Char codes above 255 are cut to their low byte: they are no byte string. */
export function bytesOf(text: ByteString): Uint8Array {
  return Buffer.from(text, 'latin1');
}

/** The byte string that holds the UTF-8 encoding of ordinary JavaScript text. */
export function byteStringFromText(text: string): ByteString {
  return isAscii(text) ? text : Buffer.from(text, 'utf8').toString('latin1');
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Ordinary text for a byte string: UTF-8 where the bytes are valid UTF-8, else one character a byte. */
export function textFromByteString(bytes: ByteString): string {
  if (isAscii(bytes)) return bytes;
  try {
    return utf8.decode(Buffer.from(bytes, 'latin1'));
  } catch {
    return bytes;
  }
}

function isAscii(text: string): boolean {
  for (let index = 0; index < text.length; index++) if (text.charCodeAt(index) > 0x7f) return false;
  return true;
}
