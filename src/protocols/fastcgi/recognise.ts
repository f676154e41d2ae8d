import { byteString } from '../../base/bytes.ts';
import type { Confidence, FirstBytes } from '../contract.ts';
import {
  ABORT_REQUEST,
  BEGIN_REQUEST,
  DATA,
  END_REQUEST,
  FILTER,
  FIXED_RECORD_BYTES,
  GET_VALUES,
  GET_VALUES_RESULT,
  HEADER_BYTES,
  PARAMS,
  STDERR,
  STDIN,
  STDOUT,
  uint16,
  UNKNOWN_TYPE,
} from './parser.ts';

type IdTest = (id: number) => boolean;

/** Records whose headers are right, one after the other, that make up for not having seen the beginning. */
const ENOUGH_RECORDS = 2;

export function recognise({ fromClient, fromServer, isBeginning }: FirstBytes): Confidence {
  if (fromClient.length > 0) {
    const beginning = judgeBeginning(fromClient);
    if (beginning !== 'no' || isBeginning) return beginning;
    return judgeChain(fromClient, (bytes, at) => isWebServerRecord(bytes, at, isRequestId));
  }
  // An application never speaks first.
  if (isBeginning) return fromServer.length > 0 ? 'no' : 'maybe';
  if (isReplyHead(fromServer)) return 'likely';
  return judgeChain(fromServer, (bytes, at) => isApplicationRecord(bytes, at, isRequestId));
}

/** Whether the whole record that begins a request stands there (section 5.1). */
export function isBeginRequest(bytes: Uint8Array, at: number): boolean {
  if (bytes.length - at < FIXED_RECORD_BYTES) return false;
  const role = uint16(bytes, at + 8);
  return (
    isHeader(bytes, at, isRequestId) &&
    bytes[at + 1] === BEGIN_REQUEST &&
    uint16(bytes, at + 4) === 8 &&
    role >= 1 &&
    role <= FILTER &&
    (bytes[at + 10] as number) <= 1 &&
    bytes.subarray(at + 11, at + 16).every((byte) => byte === 0)
  );
}

/** Whether the header of a record of a web server for such a request stands there. */
export function isWebServerRecord(bytes: Uint8Array, at: number, isId: IdTest): boolean {
  const type = bytes[at + 1] ?? 0;
  if (!isHeader(bytes, at, isId)) return false;
  if (type === BEGIN_REQUEST) return isBeginRequest(bytes, at);
  if (type === ABORT_REQUEST) return uint16(bytes, at + 4) === 0;
  return type === PARAMS || type === STDIN || type === DATA;
}

/** Whether the header of a record of an application for such a request stands there. */
export function isApplicationRecord(bytes: Uint8Array, at: number, isId: IdTest): boolean {
  const type = bytes[at + 1] ?? 0;
  if (!isHeader(bytes, at, isId)) return false;
  if (type === END_REQUEST) return uint16(bytes, at + 4) === 8;
  return type === STDOUT || type === STDERR;
}

function isHeader(bytes: Uint8Array, at: number, isId: IdTest): boolean {
  return (
    bytes.length - at >= HEADER_BYTES &&
    bytes[at] === 1 &&
    (bytes[at + 1] as number) <= UNKNOWN_TYPE &&
    isId(uint16(bytes, at + 2)) &&
    bytes[at + 7] === 0
  );
}

function isRequestId(id: number): boolean {
  return id !== 0;
}

/** A connection begins with a request, or with a question about the application (section 4.1). */
function judgeBeginning(bytes: Uint8Array): Confidence {
  if (bytes[0] !== 1) return 'no';
  if (bytes.length < 2) return 'maybe';
  if (bytes[1] === BEGIN_REQUEST) {
    if (bytes.length >= FIXED_RECORD_BYTES) return isBeginRequest(bytes, 0) ? 'certain' : 'no';
    const fits = bytes.length < 6 || (uint16(bytes, 2) !== 0 && uint16(bytes, 4) === 8);
    return fits ? 'maybe' : 'no';
  }
  if (bytes[1] !== GET_VALUES && bytes[1] !== GET_VALUES_RESULT) return 'no';
  const isManagement = uint16(bytes, 2) === 0;
  if (bytes.length < 15) return isManagement ? 'maybe' : 'no';
  return isManagement && byteString(bytes, 10, 15) === 'FCGI_' ? 'certain' : 'no';
}

function judgeChain(bytes: Uint8Array, isRecord: (bytes: Uint8Array, at: number) => boolean): Confidence {
  let at = 0;
  for (let records = 0; records < ENOUGH_RECORDS; records++) {
    if (bytes.length - at < HEADER_BYTES) return bytes[at] === 1 || at >= bytes.length ? 'maybe' : 'no';
    if (!isRecord(bytes, at)) return 'no';
    at += HEADER_BYTES + uint16(bytes, at + 4) + (bytes[at + 6] as number);
  }
  return 'likely';
}

/** A record of output that begins with a header field, as a reply does. */
function isReplyHead(bytes: Uint8Array): boolean {
  if (bytes[1] !== STDOUT || !isApplicationRecord(bytes, 0, isRequestId)) return false;
  let at = HEADER_BYTES;
  while (isNameByte(bytes[at])) at++;
  return at >= HEADER_BYTES + 4 && bytes[at] === 0x3a && bytes[at + 1] === 0x20;
}

function isNameByte(byte: number | undefined): boolean {
  if (byte === 0x2d) return true;
  const lower = (byte ?? 0) | 0x20;
  return lower >= 97 && lower <= 122;
}
