import { brotliDecompressSync, constants, inflateRawSync, unzipSync } from 'node:zlib';
import type { ByteString } from '../../base/bytes.ts';

/** Bytes of a decompressed body that are looked into, and the most that decompressing may yield at all. */
const MAX_INFLATED_BYTES = 16 * 1024;
const MAX_INFLATION_BYTES = 1024 * 1024;

/** The body without its content coding; what was captured of it decides how much comes out. */
export function withoutCoding(body: Uint8Array, contentEncoding: ByteString): Uint8Array {
  const coding = contentEncoding.toLowerCase();
  if (coding === '' || coding === 'identity') return body;
  const options = { maxOutputLength: MAX_INFLATION_BYTES, finishFlush: constants.Z_SYNC_FLUSH };
  try {
    switch (coding) {
      case 'gzip':
      case 'x-gzip':
        return unzipSync(body, options).subarray(0, MAX_INFLATED_BYTES);
      case 'deflate':
        // With the zlib header, as the standard says, or without, as some send it.
        return ((body[0] ?? 0) & 0x0f) === 8
          ? unzipSync(body, options).subarray(0, MAX_INFLATED_BYTES)
          : inflateRawSync(body, options).subarray(0, MAX_INFLATED_BYTES);
      case 'br':
        return brotliDecompressSync(body, {
          maxOutputLength: MAX_INFLATION_BYTES,
          finishFlush: constants.BROTLI_OPERATION_FLUSH,
        }).subarray(0, MAX_INFLATED_BYTES);
      default:
        return body;
    }
  } catch {
    // Not what the header says, or a bomb: the program does not get to read it either, or not all of it.
    return body;
  }
}
