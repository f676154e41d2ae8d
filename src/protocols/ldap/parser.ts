import type { FrameLength } from '../../base/frames.ts';
import type { Confidence } from '../contract.ts';
import { integer, readHead, TAG } from './ber.ts';

/** Tags of the operations (RFC 4511 section 4). */
export const OPERATION = {
  bind: 0x60,
  bindResponse: 0x61,
  unbind: 0x42,
  search: 0x63,
  searchEntry: 0x64,
  searchDone: 0x65,
  searchReference: 0x73,
  modify: 0x66,
  modifyResponse: 0x67,
  add: 0x68,
  addResponse: 0x69,
  delete: 0x4a,
  deleteResponse: 0x6b,
  modifyDn: 0x6c,
  modifyDnResponse: 0x6d,
  compare: 0x6e,
  compareResponse: 0x6f,
  abandon: 0x50,
  extended: 0x77,
  extendedResponse: 0x78,
  intermediate: 0x79,
} as const;

const REQUESTS: ReadonlySet<number> = new Set([
  OPERATION.bind,
  OPERATION.unbind,
  OPERATION.search,
  OPERATION.modify,
  OPERATION.add,
  OPERATION.delete,
  OPERATION.modifyDn,
  OPERATION.compare,
  OPERATION.abandon,
  OPERATION.extended,
]);
const RESPONSES: ReadonlySet<number> = new Set(Object.values(OPERATION).filter((tag) => !REQUESTS.has(tag)));
/** Servers take far less (OpenLDAP: 4 MiB), and send entries with pictures. */
const MAX_MESSAGE_BYTES = 64 * 1024 * 1024;

export interface Envelope {
  readonly id: number;
  readonly operation: number;
  readonly valueStart: number;
  /** Of the operation, as it should be; more than was captured, perhaps. */
  readonly valueEnd: number;
  readonly messageEnd: number;
}

/** LDAPMessage: a sequence of number, operation and controls. */
export function readEnvelope(bytes: Uint8Array, start: number, end: number): Envelope | 'more' | 'none' {
  if (start < end && bytes[start] !== TAG.sequence) return 'none';
  const message = readHead(bytes, start, end);
  if (typeof message === 'string') return message;
  if (message.length < 5 || message.length > MAX_MESSAGE_BYTES) return 'none';
  const id = readHead(bytes, message.valueStart, end);
  if (typeof id === 'string')
    return bytes[message.valueStart] === TAG.integer || end <= message.valueStart ? id : 'none';
  if (id.tag !== TAG.integer || id.length < 1 || id.length > 4) return 'none';
  const operation = readHead(bytes, id.valueStart + id.length, end);
  if (typeof operation === 'string') return operation;
  const valueEnd = operation.valueStart + operation.length;
  const messageEnd = message.valueStart + message.length;
  if (valueEnd > messageEnd || !(REQUESTS.has(operation.tag) || RESPONSES.has(operation.tag))) return 'none';
  return {
    id: integer(bytes, id.valueStart, id.valueStart + id.length),
    operation: operation.tag,
    valueStart: operation.valueStart,
    valueEnd,
    messageEnd,
  };
}

export function messageLength(bytes: Uint8Array, start: number, end: number): FrameLength {
  const envelope = readEnvelope(bytes, start, end);
  return typeof envelope === 'string' ? envelope : envelope.messageEnd - start;
}

/** Whether a client's first bytes are a request: lengths that fit into one another, and the first fields of it. */
export function requestPlausibility(bytes: Uint8Array): Confidence {
  const envelope = readEnvelope(bytes, 0, bytes.length);
  if (envelope === 'more') return 'maybe';
  if (envelope === 'none' || envelope.id === 0 || !REQUESTS.has(envelope.operation)) return 'no';
  if (!isTail(bytes, envelope)) return 'no';
  const { operation, valueStart, valueEnd } = envelope;
  const length = valueEnd - valueStart;
  switch (operation) {
    case OPERATION.bind: {
      // Version 3 (or 2), then a name: nothing else begins so.
      const head = [0x02, 0x01, -1, TAG.octets];
      for (let index = 0; index < head.length; index++) {
        const byte = bytes[valueStart + index];
        if (byte === undefined) return 'maybe';
        if (index === 2 ? byte !== 3 && byte !== 2 : byte !== head[index]) return 'no';
      }
      return 'certain';
    }
    case OPERATION.unbind:
      return length === 0 ? 'likely' : 'no';
    case OPERATION.abandon:
      return length >= 1 && length <= 4 ? 'likely' : 'no';
    case OPERATION.delete:
      return length > 0 ? 'likely' : 'no';
    case OPERATION.extended:
      return startsWith(bytes, envelope, 0x80);
    default:
      return startsWith(bytes, envelope, TAG.octets);
  }
}

/** Whether a server's first bytes are a response, in the middle of a connection. */
export function responsePlausibility(bytes: Uint8Array): Confidence {
  const envelope = readEnvelope(bytes, 0, bytes.length);
  if (envelope === 'more') return 'maybe';
  if (envelope === 'none' || !RESPONSES.has(envelope.operation) || !isTail(bytes, envelope)) return 'no';
  switch (envelope.operation) {
    case OPERATION.searchEntry:
    case OPERATION.searchReference:
      return startsWith(bytes, envelope, TAG.octets);
    case OPERATION.intermediate:
      return 'likely';
    default:
      return startsWith(bytes, envelope, TAG.enumerated);
  }
}

/** After the operation nothing comes but controls. */
function isTail(bytes: Uint8Array, { valueEnd, messageEnd }: Envelope): boolean {
  return valueEnd === messageEnd || valueEnd >= bytes.length || bytes[valueEnd] === 0xa0;
}

/** The operation's first field has the tag and fits into it. */
function startsWith(bytes: Uint8Array, { valueStart, valueEnd }: Envelope, tag: number): Confidence {
  const field = readHead(bytes, valueStart, bytes.length);
  if (field === 'more') return 'maybe';
  if (field === 'none') return 'no';
  return field.tag === tag && field.valueStart + field.length <= valueEnd ? 'likely' : 'no';
}
