/**
 * A recording is what the capture handed over, byte for byte: a magic line, a header of JSON, then frames. Events are the
 * kernel's own bytes, facts are JSON. All numbers are little-endian.
 *
 *     "THROUGHLINE RECORDING\n"  u32 size of the header  header
 *     frame: u32 size of the content, u32 type, content, zeros up to a multiple of 8
 */
export const MAGIC = Buffer.from('THROUGHLINE RECORDING\n');
export const SCHEMA = 1;
export const FRAME_EVENT = 1;
export const FRAME_FACT = 2;
export const FRAME_HEADER_BYTES = 8;
/** No event or fact is larger; a larger frame means that the file is damaged. */
export const FRAME_LIMIT_BYTES = 1024 * 1024;
export const HEADER_LIMIT_BYTES = 64 * 1024;

export interface RecordingHeader {
  readonly schema: number;
  /** Fingerprint of the binary layout of the events. */
  readonly abi: string;
  readonly version: string;
  readonly kernel: string;
  readonly architecture: string;
  readonly createdAt: string;
}

export function paddingOf(sizeBytes: number): number {
  return (8 - (sizeBytes & 7)) & 7;
}
