import type { Confidence, FirstBytes } from '../contract.ts';
import { HpackDecoder } from './hpack.ts';
import {
  CONTINUATION,
  DATA,
  END_HEADERS,
  FRAME_HEADER_BYTES,
  FrameHeader,
  framePlausibility,
  HEADERS,
  PADDED,
  PREFACE,
  PRIORITY_FLAG,
  PUSH_PROMISE,
  SETTINGS,
} from './parser.ts';

/** What frames of a connection whose beginning was not seen have to bring together, see #weigh. */
const ENOUGH = 4;
/** Long-lived connections count their streams up, but not to this: text and lengths of other protocols do. */
const MAX_STREAM = 2 ** 28;
const FIELDS_OF_A_REQUEST = 3;

/**
 * HTTP/2 by its preface; or in the middle of a connection, by frames that fit from one header to the next. A client's
 * bytes alone are enough when they hold a request whose fields can be decoded.
 */
export function recogniseHttp2({ fromClient, fromServer, isBeginning }: FirstBytes): Confidence {
  const common = commonLength(fromClient, PREFACE);
  if (common === PREFACE.length) return 'certain';
  if (fromClient.length > 0 && common === fromClient.length) return 'maybe';
  if (fromClient.length > 0 && isBeginning) return 'no';
  const client = weigh(fromClient, true);
  const server = weigh(fromServer, false);
  if (client >= ENOUGH) return 'likely';
  if (client === -1 || server === -1) return 'no';
  if (client > 0 && server > 0 && client + server >= ENOUGH) return 'likely';
  return fromClient.length === 0 && isBeginning && !beginsWithSettings(fromServer) ? 'no' : 'maybe';
}

/** @returns how much the frames tell: -1 when the bytes are none, 0 when they are too few */
function weigh(bytes: Uint8Array, isClient: boolean): number {
  const header = new FrameHeader();
  let weight = 0;
  let at = 0;
  while (at + FRAME_HEADER_BYTES <= bytes.length) {
    header.read(bytes, at);
    const plausibility = framePlausibility(bytes, at, header);
    if (plausibility === 'no' || header.stream > MAX_STREAM) return -1;
    if (isClient && !isFromClient(header)) return -1;
    const payload = at + FRAME_HEADER_BYTES;
    at = payload + header.length;
    weight += plausibility === 'fixed' ? 2 : 1;
    if (header.type === HEADERS && at <= bytes.length) {
      const count = countFields(header, bytes, payload, at);
      if (count === -1) return -1;
      weight += isClient && count >= FIELDS_OF_A_REQUEST ? 3 : 1;
    }
  }
  // The beginning of a header: lengths have a zero in front unless frames are very long.
  return at === 0 && bytes.length > 0 && (bytes[0] as number) > 0x10 ? -1 : weight;
}

function isFromClient({ type, stream }: FrameHeader): boolean {
  if (type === PUSH_PROMISE || type === CONTINUATION) return false;
  return (type !== DATA && type !== HEADERS) || stream % 2 === 1;
}

/** Fields of a header block that stands in one frame; -1 when it is none. The table is not known here. */
function countFields(header: FrameHeader, bytes: Uint8Array, start: number, end: number): number {
  let first = start;
  let last = end;
  if ((header.flags & PADDED) !== 0) last -= bytes[first++] as number;
  if ((header.flags & PRIORITY_FLAG) !== 0) first += 5;
  if (first > last) return -1;
  const decoder = new HpackDecoder();
  decoder.lose();
  const list = decoder.decode(bytes, first, last, (header.flags & END_HEADERS) === 0);
  return list.isMalformed ? -1 : list.fields.length;
}

function beginsWithSettings(bytes: Uint8Array): boolean {
  return bytes.length < FRAME_HEADER_BYTES || (bytes[3] === SETTINGS && bytes[4] === 0);
}

function commonLength(bytes: Uint8Array, text: Uint8Array): number {
  let length = 0;
  while (length < text.length && length < bytes.length && bytes[length] === text[length]) length++;
  return length;
}
