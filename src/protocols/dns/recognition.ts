import type { Confidence } from '../contract.ts';
import { isKnownType, OPCODE_NOTIFY, OPCODE_QUERY, OPCODE_UPDATE, TYPE_SRV } from './codes.ts';
import { HEADER_BYTES, parseMessage, type Question } from './parser.ts';

/** The shortest question: the root's name, a type and a class. */
const MIN_QUESTION_BYTES = 5;
/** The shortest record: the root's name, type, class, time to live, length. */
const MIN_RECORD_BYTES = 11;
/** A reply that was captured only in part must at least show so much of itself. */
const MIN_CUT_BYTES = 512;
const REPLY_FLAG = 0x8000;
const AUTHORITATIVE_FLAG = 0x0400;
const RECURSION_AVAILABLE_FLAG = 0x0080;
const RESERVED_FLAG = 0x0040;

/** What stands around the message. */
export interface Carrier {
  /** TCP carries one question a message; mDNS, with many and with known answers, has datagrams only. */
  readonly isDatagram: boolean;
  /** Bytes of the whole message, of which the last ones may not be there yet. */
  readonly length: number;
}

/**
 * Whether bytes are a message of DNS. There is no signature, so everything that can be checked is: flags that only one
 * of both sides sets, counts that fit into the length, types and classes that exist, and sections that end where the
 * message ends. Never 'certain'.
 */
export function judgeMessage(
  bytes: Uint8Array,
  start: number,
  end: number,
  isFromClient: boolean,
  carrier: Carrier,
): Confidence {
  if (carrier.length < HEADER_BYTES) return 'no';
  if (end - start < HEADER_BYTES) return 'maybe';
  const isCut = end - start < carrier.length;
  const isReply = uint16(bytes, start + 2) >= REPLY_FLAG;
  // Who listens for mDNS also announces on the same socket (RFC 6762, 8.3).
  const isAnnouncement =
    isReply && isFromClient && carrier.isDatagram && isMulticastAnswer(bytes, start) && !isCut;
  if (isReply === isFromClient && !isAnnouncement) return 'no';
  if (!(isReply ? isReplyHeader(bytes, start, carrier) : isQueryHeader(bytes, start, carrier))) return 'no';
  const message = parseMessage(bytes, start, end, isCut);
  if (message === null || message.anomalies.length > 0) return 'no';
  if (!message.questions.every(isPlausibleQuestion)) return 'no';
  if (message.isWhole) return 'likely';
  if (!isCut) return 'no';
  if (message.questionCount === 0 || message.questions.length < message.questionCount) return 'maybe';
  return 'likely';
}

/**
 * A datagram from a server of which only the beginning may have been captured: what is there has to be right, and more
 * than any accident gives.
 */
export function judgeReplyDatagram(bytes: Uint8Array): Confidence {
  const whole = judgeMessage(bytes, 0, bytes.length, false, { isDatagram: true, length: bytes.length });
  if (whole !== 'no' || bytes.length < MIN_CUT_BYTES) return whole;
  return judgeMessage(bytes, 0, bytes.length, false, { isDatagram: true, length: 0xffff });
}

function isQueryHeader(bytes: Uint8Array, start: number, { isDatagram, length }: Carrier): boolean {
  const flags = uint16(bytes, start + 2);
  const opcode = (flags >> 11) & 0xf;
  if ((flags & (RESERVED_FLAG | RECURSION_AVAILABLE_FLAG | 0xf)) !== 0) return false;
  if ((flags & AUTHORITATIVE_FLAG) !== 0 && opcode !== OPCODE_NOTIFY) return false;
  const { questions, answers, authorities, additionals } = countsAt(bytes, start);
  if (!fits(bytes, start, length)) return false;
  switch (opcode) {
    case OPCODE_QUERY: {
      if (additionals > 4) return false;
      const isMulticast = isDatagram && uint16(bytes, start) === 0;
      if (isMulticast) return questions >= 1;
      // IXFR sends the version that it has (RFC 1995, 3).
      return questions === 1 && answers === 0 && authorities <= 1;
    }
    case OPCODE_NOTIFY:
      return questions === 1 && answers <= 1 && authorities === 0;
    case OPCODE_UPDATE:
      return questions === 1;
    default:
      return false;
  }
}

function isReplyHeader(bytes: Uint8Array, start: number, { isDatagram, length }: Carrier): boolean {
  const flags = uint16(bytes, start + 2);
  const opcode = (flags >> 11) & 0xf;
  if (opcode !== OPCODE_QUERY && opcode !== OPCODE_NOTIFY && opcode !== OPCODE_UPDATE) return false;
  if ((flags & RESERVED_FLAG) !== 0 || !fits(bytes, start, length)) return false;
  const { questions } = countsAt(bytes, start);
  // Without a question it is an answer of mDNS, or the bare header of a refusal.
  if (questions === 0)
    return (flags & 0xf) === 0 ? isDatagram && isMulticastAnswer(bytes, start) : length === HEADER_BYTES;
  return questions === 1;
}

/** An answer of mDNS: number 0, authoritative, no question (RFC 6762, 18). */
function isMulticastAnswer(bytes: Uint8Array, start: number): boolean {
  const { questions, answers } = countsAt(bytes, start);
  const flags = uint16(bytes, start + 2);
  return (
    uint16(bytes, start) === 0 &&
    flags === (REPLY_FLAG | AUTHORITATIVE_FLAG) &&
    questions === 0 &&
    answers > 0
  );
}

function countsAt(bytes: Uint8Array, start: number) {
  return {
    questions: uint16(bytes, start + 4),
    answers: uint16(bytes, start + 6),
    authorities: uint16(bytes, start + 8),
    additionals: uint16(bytes, start + 10),
  };
}

function fits(bytes: Uint8Array, start: number, length: number): boolean {
  const { questions, answers, authorities, additionals } = countsAt(bytes, start);
  const records = answers + authorities + additionals;
  return questions * MIN_QUESTION_BYTES + records * MIN_RECORD_BYTES <= length - HEADER_BYTES;
}

function isPlausibleQuestion({ name, type, class: questionClass }: Question): boolean {
  if (!isKnownType(type) || isNetBiosName(name, type)) return false;
  // Internet, Chaos, Hesiod, none, any.
  return [1, 3, 4, 254, 255].includes(questionClass);
}

/** The NetBIOS name service has DNS's header, and its status requests have the number of SRV (RFC 1002, 4.2.1). */
function isNetBiosName(name: string, type: number): boolean {
  return type === TYPE_SRV && /^[A-P]{32}(?:\.|$)/.test(name);
}

function uint16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}
