import type { ByteString } from '../../base/bytes.ts';
import type { QuerySink } from '../contract.ts';
import { OPCODE_QUERY, opcodeName, responseCodeName, TYPE_ANY, TYPE_CNAME, typeName } from './codes.ts';
import type { Answer, DnsMessage, Question } from './parser.ts';

/** Questions that wait for an answer; the oldest makes room. A resolver that asks on one socket has hundreds open. */
export const MAX_OPEN_QUESTIONS = 512;
const IDS = 0x10000;

interface OpenQuestion {
  readonly id: number;
  /** By which its answer is told: its id, or another number while an open question has the same id. */
  readonly number: number;
  readonly question: Question | null;
}

/**
 * Puts questions and answers together, on a connection or a socket. An answer belongs to a question when both the
 * number and the question in it are the same: numbers come again, and replies may be forged by somebody who has to guess.
 */
export class Exchange {
  readonly #sink: QuerySink;
  readonly #open = new Map<string, OpenQuestion>();
  readonly #numbers = new Set<number>();

  constructor(sink: QuerySink) {
    this.#sink = sink;
  }

  /** Questions that wait; for tests. */
  get openCount(): number {
    return this.#open.size;
  }

  query(message: DnsMessage, isTruncated: boolean): void {
    if (message.isReply) return;
    if (message.questions.length === 0) {
      this.#ask(message, null, isTruncated);
      return;
    }
    for (const question of message.questions) this.#ask(message, question, isTruncated);
  }

  reply(message: DnsMessage): void {
    if (!message.isReply) return;
    const { id, questions } = message;
    if (questions.length === 1) {
      this.#end(keyOf(id, questions[0] ?? null), message, null);
    } else if (questions.length > 1) {
      for (const question of questions) this.#end(keyOf(id, question), message, question);
    } else if (id === 0 && message.answers.length > 0) {
      this.#answerMulticast(message);
    } else {
      for (const [key, open] of this.#open) if (open.id === id) this.#end(key, message, open.question);
    }
  }

  #ask(message: DnsMessage, question: Question | null, isTruncated: boolean): void {
    const key = keyOf(message.id, question);
    // Asked again because no answer came: still the same question.
    if (this.#open.has(key)) return;
    if (this.#open.size >= MAX_OPEN_QUESTIONS) this.#dropOldest();
    const number = this.#freeNumber(message.id);
    this.#numbers.add(number);
    this.#open.set(key, { id: message.id, number, question });
    const isPlain = question !== null && message.opcode === OPCODE_QUERY;
    this.#sink.queryStarted(
      {
        protocol: 'dns',
        operation: isPlain ? typeName(question.type) : opcodeName(message.opcode),
        statement: question?.name ?? '',
        parameters: [],
        database: '',
        user: '',
        isTruncated,
        anomalies: message.anomalies,
      },
      number,
    );
  }

  #freeNumber(id: number): number {
    let number = id;
    while (this.#numbers.has(number)) number += IDS;
    return number;
  }

  #dropOldest(): void {
    for (const key of this.#open.keys()) {
      this.#take(key);
      return;
    }
  }

  #take(key: string): OpenQuestion | undefined {
    const open = this.#open.get(key);
    if (open === undefined) return undefined;
    this.#open.delete(key);
    this.#numbers.delete(open.number);
    return open;
  }

  /** Answers of mDNS name no question, and may answer only some of them (RFC 6762, 6). */
  #answerMulticast(message: DnsMessage): void {
    for (const [key, { id, question }] of this.#open) {
      if (id !== 0 || question === null) continue;
      if (message.answers.some((answer) => isAnswerTo(answer, question))) this.#end(key, message, question);
    }
  }

  /** @param only where the message answers several questions, the one whose answers count */
  #end(key: string, message: DnsMessage, only: Question | null): void {
    const open = this.#take(key);
    if (open === undefined) return;
    const answers =
      only === null ? message.answers : message.answers.filter((answer) => isAnswerTo(answer, only));
    this.#sink.queryEnded(
      {
        isError: message.code !== 0,
        code: responseCodeName(message.code),
        message: message.extendedError,
        rows: only === null ? message.answerCount : answers.length,
        answers: answers.flatMap(({ text }) => (text === null ? [] : [text])),
      },
      open.number,
    );
  }
}

function isAnswerTo(answer: Answer, question: Question): boolean {
  const isType = answer.type === question.type || question.type === TYPE_ANY || answer.type === TYPE_CNAME;
  return isType && fold(answer.name) === fold(question.name);
}

function keyOf(id: number, question: Question | null): string {
  return question === null ? `${id}` : `${id} ${question.type} ${question.class} ${fold(question.name)}`;
}

/** Names are the same whatever the case of their ASCII letters (RFC 4343), and some resolvers mix it on purpose. */
function fold(name: ByteString): ByteString {
  return name.toLowerCase();
}
