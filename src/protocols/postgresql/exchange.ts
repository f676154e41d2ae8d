import type { ByteString } from '../../base/bytes.ts';
import type { QueryMessage } from '../../model/query.ts';
import type { QuerySink } from '../contract.ts';
import type { Failure } from './parser.ts';
import { rowsOfTag } from './parser.ts';
import type { Statement } from './statements.ts';

/** Messages without an answer that are remembered. A longer pipeline is followed no further until it is over. */
export const MAX_OUTSTANDING = 1024;
/** Parse messages whose text is remembered in case they fail. */
const MAX_OPEN_PARSES = 16;
/** Questions whose rows come in portions, the rest of which nobody may ever fetch. */
const MAX_SUSPENDED = 64;
/** Tags of a query with many statements. */
const MAX_TAGS_LENGTH = 200;

/** A question that was told and is being answered. */
export interface Question {
  readonly number: number;
  /** Rows so far, null while no statement of it told any. */
  rows: number | null;
  /** Rows of the portion under way. */
  freshRows: number;
  tags: ByteString;
  isEnded: boolean;
  /** Something that the statement brought was seen: it has not been refused. */
  isBegun: boolean;
}

/**
 * What the client is owed, in order. 'query': everything up to ReadyForQuery; 'execute': one statement of the extended
 * protocol; 'parse': a statement that may turn out to be wrong; 'sync': ReadyForQuery alone.
 */
interface Owed {
  readonly kind: 'query' | 'execute' | 'parse' | 'sync';
  readonly question: Question | null;
  readonly statement: Statement | null;
}

/**
 * Which answer belongs to which question. Questions are numbered, because some get no answer: those after a failed one
 * up to the next Sync, and those whose replies were lost.
 * https://www.postgresql.org/docs/current/protocol-flow.html
 */
export class Exchange {
  /** The server waits for the client's copy data. */
  isCopyIn = false;
  /** More questions came than are remembered: answers cannot be told apart until the server is silent. */
  isOverrun = false;

  readonly #sink: QuerySink;
  readonly #owed: Owed[] = [];
  readonly #suspended = new Set<Question>();
  #openParses = 0;
  #asked = 0;

  constructor(sink: QuerySink) {
    this.#sink = sink;
  }

  /** Answers that are waited for; for tests. */
  get outstanding(): number {
    return this.#owed.length + this.#suspended.size;
  }

  /** A statement that is executed at once (simple query, function call) or as a portal. */
  asked(query: QueryMessage, kind: 'query' | 'execute'): Question {
    const question = this.#tell(query);
    this.#push({ kind, question, statement: null });
    return question;
  }

  /** A query that nobody answers. */
  askedInVain(query: QueryMessage): void {
    this.#tell(query);
  }

  /** The next portion of a question's rows. */
  continued(question: Question): void {
    this.#suspended.delete(question);
    this.#push({ kind: 'execute', question, statement: null });
  }

  /** The rest of a question's rows is not wanted. */
  abandoned(question: Question): void {
    if (this.#suspended.delete(question)) this.#end(question, null);
  }

  parsed(statement: Statement): void {
    const isKept = this.#openParses < MAX_OPEN_PARSES;
    if (isKept) this.#openParses++;
    this.#push({ kind: 'parse', question: null, statement: isKept ? statement : null });
  }

  synced(): void {
    this.#push({ kind: 'sync', question: null, statement: null });
  }

  /** The oldest question brings something. */
  replyBegan(): void {
    const question = this.#current();
    if (question !== null) question.isBegun = true;
  }

  parseComplete(): void {
    if (this.#owed[0]?.kind === 'parse') this.#shift();
  }

  row(): void {
    const question = this.#current();
    if (question === null) return;
    question.isBegun = true;
    question.freshRows++;
  }

  /** CommandComplete, or EmptyQueryResponse with an empty tag. */
  completed(tag: ByteString): void {
    this.isCopyIn = false;
    const question = this.#current();
    if (question === null) return;
    const rows = rowsOfTag(tag);
    if (rows !== null) question.rows = (question.rows ?? 0) + rows;
    question.freshRows = 0;
    question.isBegun = true;
    const tags = question.tags === '' ? tag : `${question.tags}; ${tag}`;
    if (tags.length <= MAX_TAGS_LENGTH) question.tags = tags;
    if (this.#owed[0]?.kind !== 'execute') return;
    this.#shift();
    this.#end(question, null);
  }

  /** PortalSuspended: a portion of the rows. */
  suspended(): void {
    const question = this.#current();
    if (question === null || this.#owed[0]?.kind !== 'execute') return;
    this.#shift();
    question.rows = (question.rows ?? 0) + question.freshRows;
    question.freshRows = 0;
    this.#suspended.add(question);
    if (this.#suspended.size <= MAX_SUSPENDED) return;
    for (const oldest of this.#suspended) {
      this.abandoned(oldest);
      return;
    }
  }

  /** ErrorResponse: of the oldest statement up to the next Sync, all after it are not executed. */
  failed(failure: Failure, toQuery: (statement: Statement) => QueryMessage): void {
    this.isCopyIn = false;
    const [first] = this.#owed;
    if (first?.kind === 'query') {
      if (first.question !== null) this.#end(first.question, failure);
      return;
    }
    let failedParse: Statement | null = null;
    let reason: Failure | null = failure;
    while (this.#owed[0]?.kind === 'parse' || this.#owed[0]?.kind === 'execute') {
      const { question, statement } = this.#shift() as Owed;
      failedParse ??= statement;
      if (question === null) continue;
      this.#end(question, reason ?? NOT_EXECUTED);
      reason = null;
    }
    if (reason === null || failedParse === null) return;
    // A statement was refused before anybody asked to execute it.
    this.#end(this.#tell(toQuery(failedParse)), failure);
  }

  /** ReadyForQuery. */
  ready(isTransactionOver: boolean): void {
    this.isCopyIn = false;
    while (this.#owed.length > 0) {
      const { kind, question } = this.#shift() as Owed;
      if (question !== null) this.#end(question, kind === 'query' ? null : NOT_EXECUTED);
      if (kind === 'query' || kind === 'sync') break;
    }
    if (isTransactionOver) for (const question of this.#suspended) this.abandoned(question);
  }

  /**
   * Replies were lost. The question that had begun to bring something has succeeded as far as can be seen; of one that
   * brought no more than the names of its columns nothing is known.
   */
  lostReply(): void {
    const question = this.#current();
    if (question?.isBegun !== true) return;
    question.rows = null;
    this.#end(question, null);
  }

  /** What is owed is not known any more: nobody is told of its end. */
  forget(): void {
    this.#owed.length = 0;
    this.#openParses = 0;
    this.isOverrun = false;
    this.isCopyIn = false;
  }

  close(): void {
    this.lostReply();
    for (const question of this.#suspended) this.abandoned(question);
    this.forget();
  }

  #current(): Question | null {
    while (this.#owed[0]?.kind === 'parse') this.#shift();
    return this.#owed[0]?.question ?? null;
  }

  #push(owed: Owed): void {
    if (this.#owed.length < MAX_OUTSTANDING) {
      this.#owed.push(owed);
      return;
    }
    this.forget();
    this.isOverrun = true;
  }

  #shift(): Owed | undefined {
    const owed = this.#owed.shift();
    if (owed?.statement !== undefined && owed.statement !== null) this.#openParses--;
    return owed;
  }

  #tell(query: QueryMessage): Question {
    const number = ++this.#asked;
    this.#sink.queryStarted(query, number);
    return { number, rows: null, freshRows: 0, tags: '', isEnded: false, isBegun: false };
  }

  #end(question: Question, failure: Failure | null): void {
    if (question.isEnded) return;
    question.isEnded = true;
    this.#sink.queryEnded(
      {
        isError: failure !== null,
        code: failure?.code ?? '',
        message: failure?.message ?? question.tags,
        rows: failure === null ? question.rows : null,
        answers: [],
      },
      question.number,
    );
  }
}

/** What the server does not even look at after an error. */
const NOT_EXECUTED: Failure = { code: '', message: '' };
