import { byteString } from '../../base/bytes.ts';
import type { Variable } from '../http/cgi.ts';

/** Types of records (FastCGI 1.0, section 8). */
export const BEGIN_REQUEST = 1;
export const ABORT_REQUEST = 2;
export const END_REQUEST = 3;
export const PARAMS = 4;
export const STDIN = 5;
export const STDOUT = 6;
export const STDERR = 7;
export const DATA = 8;
export const GET_VALUES = 9;
export const GET_VALUES_RESULT = 10;
export const UNKNOWN_TYPE = 11;

/** Roles of an application (section 6). */
export const AUTHORIZER = 2;
export const FILTER = 3;

export const HEADER_BYTES = 8;
/** BEGIN_REQUEST and END_REQUEST with their headers. */
export const FIXED_RECORD_BYTES = 16;

/**
 * Reads records (section 3.3) from pieces of any size. Keeps no content but the first 8 bytes of each record: all of
 * those that begin and end requests. `advance` returns at the end of each run of content.
 */
export class RecordReader {
  /** What the last advance came to; 'content' has its run in contentStart and contentEnd. */
  event: 'more' | 'content' | 'empty' | 'broken' = 'more';
  contentStart = 0;
  contentEnd = 0;
  /** Of the record under way, or of the last one. */
  type = 0;
  requestId = 0;
  /** First bytes of its content. */
  readonly first = new Uint8Array(8);
  firstLength = 0;

  readonly #header = new Uint8Array(HEADER_BYTES);
  #headerLength = 0;
  #content = 0;
  #padding = 0;

  /** The run ended the content of its record. */
  get isContentComplete(): boolean {
    return this.#content === 0;
  }

  /** The next byte begins a record. */
  get isBetweenRecords(): boolean {
    return this.#headerLength === 0 && this.#content === 0 && this.#padding === 0;
  }

  /** @returns offset of the first byte not yet read */
  advance(bytes: Uint8Array, start: number, end: number): number {
    this.event = 'more';
    let index = start;
    if (this.#content > 0) return this.#advanceContent(bytes, index, end);
    if (this.#padding > 0) {
      const passed = Math.min(this.#padding, end - index);
      this.#padding -= passed;
      index += passed;
    }
    while (index < end && this.#headerLength < HEADER_BYTES) {
      this.#header[this.#headerLength++] = bytes[index++] as number;
      if (this.#headerLength === 1 && this.#header[0] !== 1) {
        this.reset();
        this.event = 'broken';
        return index;
      }
    }
    if (this.#headerLength === HEADER_BYTES) this.#begin();
    return index;
  }

  /** Passes over bytes that were not captured. @returns how many of them lie beyond the record: 0 keeps in step */
  skip(count: number): number {
    if (this.#headerLength > 0) return count;
    const content = Math.min(this.#content, count);
    const padding = Math.min(this.#padding, count - content);
    this.#content -= content;
    this.#padding -= padding;
    if (content > 0) this.firstLength = 0;
    return count - content - padding;
  }

  /** The next byte begins a record. */
  reset(): void {
    this.#headerLength = 0;
    this.#content = 0;
    this.#padding = 0;
    this.firstLength = 0;
  }

  #advanceContent(bytes: Uint8Array, start: number, end: number): number {
    const next = Math.min(end, start + this.#content);
    for (let index = start; index < next && this.firstLength < this.first.length; index++) {
      this.first[this.firstLength++] = bytes[index] as number;
    }
    this.#content -= next - start;
    this.contentStart = start;
    this.contentEnd = next;
    this.event = 'content';
    return next;
  }

  #begin(): void {
    const header = this.#header;
    this.type = header[1] as number;
    this.requestId = uint16(header, 2);
    this.#content = uint16(header, 4);
    this.#padding = header[6] as number;
    this.#headerLength = 0;
    this.firstLength = 0;
    if (this.#content === 0) this.event = 'empty';
  }
}

export function uint16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}

/** Variables of a request that are listed. */
const MAX_VARIABLES = 1024;

/**
 * Name-value pairs (section 3.4): lengths of one byte, or of four with the highest bit set, then name and value.
 * @returns the whole ones; of a last one that is cut, what there is of its value
 */
export function readPairs(bytes: Uint8Array): { readonly pairs: Variable[]; readonly isCut: boolean } {
  const pairs: Variable[] = [];
  const text = byteString(bytes);
  let at = 0;
  while (at < bytes.length && pairs.length < MAX_VARIABLES) {
    const nameLength = pairLength(bytes, at);
    at += (bytes[at] as number) < 128 ? 1 : 4;
    if (at >= bytes.length) return { pairs, isCut: true };
    const valueLength = pairLength(bytes, at);
    at += (bytes[at] as number) < 128 ? 1 : 4;
    const valueStart = at + nameLength;
    const valueEnd = valueStart + valueLength;
    if (valueStart > bytes.length) return { pairs, isCut: true };
    pairs.push([text.slice(at, valueStart), text.slice(valueStart, valueEnd)]);
    if (valueEnd > bytes.length) return { pairs, isCut: true };
    at = valueEnd;
  }
  return { pairs, isCut: at < bytes.length };
}

function pairLength(bytes: Uint8Array, at: number): number {
  const first = bytes[at] ?? 0;
  if (first < 128) return first;
  return ((first & 0x7f) << 24) | ((bytes[at + 1] ?? 0) << 16) | uint16(bytes, at + 2);
}
