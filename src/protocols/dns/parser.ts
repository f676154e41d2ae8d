import { byteString, type ByteString } from '../../base/bytes.ts';
import { TYPE_OPT } from './codes.ts';
import { NAME_BAD, readName, skipName } from './names.ts';
import { recordText } from './records.ts';

export const HEADER_BYTES = 12;
/** Questions and answers that are looked at in one message; the others are counted. */
const MAX_QUESTIONS = 32;
const MAX_ANSWERS = 64;
/** Extended DNS Errors (RFC 8914). */
const OPTION_EXTENDED_ERROR = 15;

export interface Question {
  readonly name: ByteString;
  readonly type: number;
  /** Without the highest bit, which asks for a unicast reply in mDNS (RFC 6762, 5.4). */
  readonly class: number;
}

export interface Answer {
  /** Whose record it is. */
  readonly name: ByteString;
  readonly type: number;
  /** null for types whose data is not read. */
  readonly text: ByteString | null;
}

export interface DnsMessage {
  readonly id: number;
  readonly isReply: boolean;
  readonly opcode: number;
  /** Response code, with the upper bits from EDNS when the message has them (RFC 6891, 6.1.3). */
  readonly code: number;
  /** The service's words from EDNS, '' without. */
  readonly extendedError: ByteString;
  readonly questions: readonly Question[];
  /** Questions as the header counts them. */
  readonly questionCount: number;
  /** Records of the answer section as the header counts them. */
  readonly answerCount: number;
  readonly answers: readonly Answer[];
  readonly anomalies: readonly string[];
  /** All sections were read and the bytes end with them. */
  readonly isWhole: boolean;
}

/**
 * Reads a message of DNS (RFC 1035, 4.1), mDNS (RFC 6762) or LLMNR (RFC 4795): they look the same. null when not even
 * the header is there; other damage is told in `anomalies`, with what could be read before it.
 * @param isCut the message goes on behind `end`, but was not captured
 */
export function parseMessage(
  bytes: Uint8Array,
  start: number,
  end: number,
  isCut: boolean,
): DnsMessage | null {
  return end - start < HEADER_BYTES ? null : new MessageReader(bytes, start, end, isCut).read();
}

/** The walk through the sections of one message. */
class MessageReader {
  readonly #bytes: Uint8Array;
  readonly #start: number;
  readonly #end: number;
  readonly #isCut: boolean;
  #at: number;
  #code: number;
  #extendedError = '';
  readonly #questions: Question[] = [];
  readonly #answers: Answer[] = [];
  readonly #anomalies: string[] = [];

  constructor(bytes: Uint8Array, start: number, end: number, isCut: boolean) {
    this.#bytes = bytes;
    this.#start = start;
    this.#end = end;
    this.#isCut = isCut;
    this.#at = start + HEADER_BYTES;
    this.#code = (bytes[start + 3] ?? 0) & 0xf;
  }

  read(): DnsMessage {
    const start = this.#start;
    const flags = this.#uint16(start + 2);
    const questionCount = this.#uint16(start + 4);
    const answerCount = this.#uint16(start + 6);
    const isRead =
      this.#readQuestions(questionCount) &&
      this.#readRecords(answerCount, 'answer') &&
      this.#readRecords(this.#uint16(start + 8), 'authority') &&
      this.#readRecords(this.#uint16(start + 10), 'additional');
    if (isRead && this.#at < this.#end) this.#anomalies.push('trailing-bytes');
    return {
      id: this.#uint16(start),
      isReply: flags >= 0x8000,
      opcode: (flags >> 11) & 0xf,
      code: this.#code,
      extendedError: this.#extendedError,
      questions: this.#questions,
      questionCount,
      answerCount,
      answers: this.#answers,
      anomalies: this.#anomalies,
      isWhole: isRead && this.#at === this.#end,
    };
  }

  #readQuestions(count: number): boolean {
    for (let index = 0; index < count; index++) {
      const name = this.#at;
      const after = this.#skipName(4);
      if (after < 0) return false;
      this.#at = after + 4;
      if (index >= MAX_QUESTIONS) continue;
      const text = this.#name(name);
      if (text === null) return this.#stop('bad-name');
      this.#questions.push({
        name: text,
        type: this.#uint16(after),
        class: this.#uint16(after + 2) & 0x7fff,
      });
    }
    return true;
  }

  #readRecords(count: number, section: 'answer' | 'authority' | 'additional'): boolean {
    for (let index = 0; index < count; index++) {
      const name = this.#at;
      const after = this.#skipName(10);
      if (after < 0) return false;
      const type = this.#uint16(after);
      const data = after + 10;
      const end = data + this.#uint16(after + 8);
      if (end > this.#end) return this.#stopShort();
      this.#at = end;
      if (section === 'answer' && index < MAX_ANSWERS) this.#keepAnswer(name, type, data, end);
      else if (section === 'additional' && type === TYPE_OPT) this.#readOptions(after, data, end);
    }
    return true;
  }

  #keepAnswer(nameAt: number, type: number, data: number, end: number): void {
    const name = this.#name(nameAt);
    if (name === null) {
      if (!this.#anomalies.includes('bad-name')) this.#anomalies.push('bad-name');
      return;
    }
    this.#answers.push({ name, type, text: recordText(type, this.#bytes, data, this.#start, end) });
  }

  /** The pseudo-record of EDNS: its time to live holds the upper bits of the response code. */
  #readOptions(after: number, data: number, end: number): void {
    this.#code |= (this.#bytes[after + 4] ?? 0) << 4;
    let at = data;
    while (at + 4 <= end) {
      const next = at + 4 + this.#uint16(at + 2);
      if (next > end) return;
      if (this.#uint16(at) === OPTION_EXTENDED_ERROR && next >= at + 6) {
        const words = byteString(this.#bytes, at + 6, Math.min(next, at + 6 + 255));
        this.#extendedError = words === '' ? `extended error ${this.#uint16(at + 4)}` : words;
      }
      at = next;
    }
  }

  /** The offset behind the name, when so many bytes follow it; negative when reading has to stop. */
  #skipName(following: number): number {
    const after = skipName(this.#bytes, this.#at, this.#start, this.#end);
    if (after >= 0 && after + following <= this.#end) return after;
    if (after === NAME_BAD) this.#stop('bad-name');
    else this.#stopShort();
    return -1;
  }

  #name(at: number): ByteString | null {
    return readName(this.#bytes, at, this.#start, this.#end);
  }

  #stopShort(): false {
    return this.#isCut ? false : this.#stop('short-message');
  }

  #stop(anomaly: string): false {
    this.#anomalies.push(anomaly);
    return false;
  }

  #uint16(at: number): number {
    return ((this.#bytes[at] ?? 0) << 8) | (this.#bytes[at + 1] ?? 0);
  }
}
