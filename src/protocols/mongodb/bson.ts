import { byteString, type ByteString } from '../../base/bytes.ts';

/** Types of BSON elements that are asked for by name (https://bsonspec.org/spec.html). */
export const BSON = {
  double: 0x01,
  string: 0x02,
  document: 0x03,
  array: 0x04,
  binary: 0x05,
  undefined: 0x06,
  objectId: 0x07,
  boolean: 0x08,
  date: 0x09,
  null: 0x0a,
  regex: 0x0b,
  pointer: 0x0c,
  code: 0x0d,
  symbol: 0x0e,
  codeWithScope: 0x0f,
  int32: 0x10,
  timestamp: 0x11,
  int64: 0x12,
  decimal: 0x13,
  maxKey: 0x7f,
  minKey: 0xff,
} as const;

const FIXED_LENGTHS = new Map<number, number>([
  [BSON.double, 8],
  [BSON.undefined, 0],
  [BSON.objectId, 12],
  [BSON.boolean, 1],
  [BSON.date, 8],
  [BSON.null, 0],
  [BSON.int32, 4],
  [BSON.timestamp, 8],
  [BSON.int64, 8],
  [BSON.decimal, 16],
  [BSON.maxKey, 0],
  [BSON.minKey, 0],
]);
/** Longer names are no names of ours; they are cut. */
const MAX_NAME_BYTES = 256;

/**
 * Walks over the elements of a document, of which the end may not have been captured. After next() said true, the
 * fields describe the element.
 */
export class BsonCursor {
  readonly bytes: Uint8Array;
  type = 0;
  name: ByteString = '';
  /** Where the value stands; `valueEnd` is cut at the captured end. */
  valueStart = 0;
  valueEnd = 0;
  /** The value under the cursor is not there as a whole. */
  isValueCut = false;
  /** The document's end was not captured, or its bytes are none. */
  isCut = false;
  isMalformed = false;

  #index: number;
  readonly #end: number;
  readonly #documentEnd: number;

  /** @param end of what was captured, or of what the document stands in */
  constructor(bytes: Uint8Array, start: number, end: number) {
    this.bytes = bytes;
    const length = start + 4 <= end ? int32(bytes, start) : 5;
    this.#index = start + 4;
    this.#documentEnd = start + length;
    this.#end = Math.min(end, this.#documentEnd);
    if (length < 5) this.isMalformed = true;
    if (this.#documentEnd > end || start + 4 > end) this.isCut = true;
  }

  next(): boolean {
    const start = this.#index;
    if (this.isMalformed || start >= this.#end) return false;
    this.type = this.bytes[start] as number;
    if (this.type === 0) {
      if (start !== this.#documentEnd - 1) this.isMalformed = true;
      return false;
    }
    const nameEnd = this.#zeroAfter(start + 1);
    if (nameEnd < 0) return this.#stop();
    this.name = byteString(this.bytes, start + 1, Math.min(nameEnd, start + 1 + MAX_NAME_BYTES));
    this.valueStart = nameEnd + 1;
    const length = this.#valueLength(this.valueStart);
    if (length === null) return this.#stop();
    if (length < 0) {
      this.isMalformed = true;
      return false;
    }
    const end = this.valueStart + length;
    this.isValueCut = end > this.#end;
    if (this.isValueCut) this.#stop();
    this.valueEnd = Math.min(end, this.#end);
    this.#index = end;
    return true;
  }

  /** The bytes end: too early where the document should hold more. */
  #stop(): false {
    if (!this.isCut) this.isMalformed = true;
    this.isCut = true;
    this.#index = this.#end;
    return false;
  }

  #zeroAfter(start: number): number {
    const at = this.bytes.indexOf(0, start);
    return at < 0 || at >= this.#end ? -1 : at;
  }

  /** Length of the value, null where it is not known because bytes are missing, -1 for a type that is none. */
  #valueLength(start: number): number | null {
    const fixed = FIXED_LENGTHS.get(this.type);
    if (fixed !== undefined) return fixed;
    switch (this.type) {
      case BSON.string:
      case BSON.code:
      case BSON.symbol:
        return this.#prefixed(start, 4);
      case BSON.document:
      case BSON.array:
      case BSON.codeWithScope:
        return this.#prefixed(start, 0);
      case BSON.binary:
        return this.#prefixed(start, 5);
      case BSON.pointer:
        return this.#prefixed(start, 16);
      case BSON.regex: {
        const patternEnd = this.#zeroAfter(start);
        const optionsEnd = patternEnd < 0 ? -1 : this.#zeroAfter(patternEnd + 1);
        return optionsEnd < 0 ? null : optionsEnd + 1 - start;
      }
      default:
        return -1;
    }
  }

  /** A length that stands first, and what it does not count. */
  #prefixed(start: number, uncounted: number): number | null {
    if (start + 4 > this.#end) return null;
    const length = int32(this.bytes, start);
    return length < 0 ? -1 : length + uncounted;
  }
}

export function int32(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at] as number) |
    ((bytes[at + 1] as number) << 8) |
    ((bytes[at + 2] as number) << 16) |
    ((bytes[at + 3] as number) << 24)
  );
}

/** The number under the cursor, null where it is none. */
export function numberAt(cursor: BsonCursor): number | null {
  if (cursor.isValueCut) return null;
  const view = viewOf(cursor.bytes);
  switch (cursor.type) {
    case BSON.double:
      return view.getFloat64(cursor.valueStart, true);
    case BSON.int32:
      return view.getInt32(cursor.valueStart, true);
    case BSON.int64:
      return Number(view.getBigInt64(cursor.valueStart, true));
    case BSON.boolean:
      return cursor.bytes[cursor.valueStart] as number;
    default:
      return null;
  }
}

/** The text under the cursor, as far as it was captured; null where it is none. */
export function stringAt(cursor: BsonCursor, limit: number): ByteString | null {
  if (cursor.type !== BSON.string && cursor.type !== BSON.code && cursor.type !== BSON.symbol) return null;
  const start = Math.min(cursor.valueStart + 4, cursor.valueEnd);
  const end = Math.max(start, cursor.isValueCut ? cursor.valueEnd : cursor.valueEnd - 1);
  return byteString(cursor.bytes, start, Math.min(end, start + limit));
}

/** Elements of the document or array under the cursor, null where its end was not captured. */
export function countAt(cursor: BsonCursor): number | null {
  const inner = new BsonCursor(cursor.bytes, cursor.valueStart, cursor.valueEnd);
  let count = 0;
  while (inner.next()) count++;
  return inner.isCut || inner.isMalformed ? null : count;
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
