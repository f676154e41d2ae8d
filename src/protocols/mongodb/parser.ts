import { byteString, type ByteString } from '../../base/bytes.ts';
import type { FrameLength } from '../../base/frames.ts';
import type { Confidence } from '../contract.ts';
import { BsonCursor, int32 } from './bson.ts';

/** https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol/ */
export const OPERATION = {
  reply: 1,
  update: 2001,
  insert: 2002,
  query: 2004,
  getMore: 2005,
  delete: 2006,
  killCursors: 2007,
  compressed: 2012,
  message: 2013,
} as const;

const OPERATIONS: ReadonlySet<number> = new Set(Object.values(OPERATION));
/** Old commands that name their collection after a number of four bytes. */
const NAMED: ReadonlySet<number> = new Set([
  OPERATION.update,
  OPERATION.insert,
  OPERATION.query,
  OPERATION.getMore,
  OPERATION.delete,
]);
export const HEADER_BYTES = 16;
/** maxMessageSizeBytes of a server, and room for the header. */
const MAX_MESSAGE_BYTES = 48_000_000 + 16_384;
/** Sections of one message: a body and a few sequences of documents. */
const MAX_SECTIONS = 16;

/** Flags of OP_MSG: a checksum stands last; no answer comes, or more of them; more answers are welcome. */
const CHECKSUM = 1;
const MORE_TO_COME = 2;
const EXHAUST_ALLOWED = 0x10000;

export interface Header {
  readonly requestId: number;
  readonly responseTo: number;
  readonly operation: number;
}

export interface Section {
  /** '' for the body. */
  readonly name: ByteString;
  readonly start: number;
  readonly end: number;
}

export interface Message {
  /** The body first. */
  readonly sections: readonly Section[];
  readonly isMoreToCome: boolean;
  readonly isMalformed: boolean;
}

export function messageLength(bytes: Uint8Array, start: number, end: number): FrameLength {
  if (end - start >= 4) {
    const length = int32(bytes, start);
    if (length < HEADER_BYTES || length > MAX_MESSAGE_BYTES) return 'none';
  }
  if (end - start < HEADER_BYTES) return 'more';
  return OPERATIONS.has(int32(bytes, start + 12)) ? int32(bytes, start) : 'none';
}

export function parseHeader(bytes: Uint8Array, start: number): Header {
  return {
    requestId: int32(bytes, start + 4) >>> 0,
    responseTo: int32(bytes, start + 8) >>> 0,
    operation: int32(bytes, start + 12),
  };
}

/** OP_MSG. @param length of the whole message, of which the bytes up to `end` are there */
export function parseMessage(bytes: Uint8Array, start: number, end: number, length: number): Message {
  let index = start + HEADER_BYTES;
  if (index + 4 > end) return { sections: [], isMoreToCome: false, isMalformed: false };
  const flags = int32(bytes, index);
  index += 4;
  const last = Math.min(end, start + length - ((flags & CHECKSUM) === 0 ? 0 : 4));
  const sections: Section[] = [];
  let isMalformed = false;
  while (index + 5 <= last && sections.length < MAX_SECTIONS) {
    const kind = bytes[index] as number;
    const sectionStart = index + 1;
    const size = int32(bytes, sectionStart);
    if (kind > 1 || size < 5) {
      isMalformed = true;
      break;
    }
    index = sectionStart + size;
    if (kind === 0) {
      sections.unshift({ name: '', start: sectionStart, end: Math.min(index, last) });
      continue;
    }
    const nameEnd = bytes.indexOf(0, sectionStart + 4);
    if (nameEnd < 0 || nameEnd >= last) break;
    const name = byteString(bytes, sectionStart + 4, Math.min(nameEnd, sectionStart + 68));
    sections.push({ name, start: nameEnd + 1, end: Math.min(index, last) });
  }
  return { sections, isMoreToCome: (flags & MORE_TO_COME) !== 0, isMalformed };
}

/** The collection that an old command names; `end` is where its name ends. */
export function parseCollection(
  bytes: Uint8Array,
  start: number,
  end: number,
): { name: ByteString; end: number } | null {
  const nameEnd = bytes.indexOf(0, start);
  if (nameEnd < 0 || nameEnd >= end || nameEnd - start > 255) return null;
  return { name: byteString(bytes, start, nameEnd), end: nameEnd + 1 };
}

/** Whether a client's first bytes (or a server's) are a message: every field of the header and the first after it. */
export function messagePlausibility(bytes: Uint8Array, isFromClient: boolean): Confidence {
  const end = bytes.length;
  if (end >= 4 && (messageLength(bytes, 0, 4) === 'none' || bytes[3] !== 0)) return 'no';
  if (end < HEADER_BYTES) return 'maybe';
  const length = messageLength(bytes, 0, end);
  const { responseTo, operation } = parseHeader(bytes, 0);
  if (typeof length !== 'number' || (responseTo === 0) !== isFromClient) return 'no';
  if (operation === OPERATION.message) return bodyPlausibility(bytes, length, isFromClient);
  if (operation === OPERATION.compressed) {
    if (end < 25) return 'maybe';
    const inner = int32(bytes, 16);
    const isKnown = inner !== OPERATION.compressed && OPERATIONS.has(inner) && (bytes[24] as number) <= 3;
    return length > 25 && isKnown && int32(bytes, 20) >= 0 ? 'likely' : 'no';
  }
  if (!isFromClient) return operation === OPERATION.reply && length >= 36 ? 'likely' : 'no';
  return NAMED.has(operation) ? namePlausibility(bytes) : 'no';
}

function bodyPlausibility(bytes: Uint8Array, length: number, isFromClient: boolean): Confidence {
  if (bytes.length < 26) return 'maybe';
  const flags = int32(bytes, 16);
  const size = int32(bytes, 21);
  const isWhole = size >= 5 && size <= length - 21;
  if ((flags & ~(CHECKSUM | MORE_TO_COME | EXHAUST_ALLOWED)) !== 0 || !isWhole) return 'no';
  if (bytes[20] === 1) return 'likely';
  if (bytes[20] !== 0) return 'no';
  const cursor = new BsonCursor(bytes, 21, bytes.length);
  const isElement = cursor.next() && isPrintable(cursor.name);
  if (!isElement) return cursor.isMalformed || !cursor.isCut ? 'no' : 'maybe';
  return isFromClient ? 'certain' : 'likely';
}

function namePlausibility(bytes: Uint8Array): Confidence {
  const name = parseCollection(bytes, 20, bytes.length);
  if (name === null) return bytes.length < 276 ? 'maybe' : 'no';
  return name.name.includes('.') && isPrintable(name.name) ? 'certain' : 'no';
}

function isPrintable(text: ByteString): boolean {
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code < 33 || code === 127) return false;
  }
  return text !== '';
}
