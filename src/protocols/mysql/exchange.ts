import type { ByteString } from '../../base/bytes.ts';
import type { QueryMessage } from '../../model/query.ts';
import type { QuerySink } from '../contract.ts';
import type { AnswerKind } from './commands.ts';
import type { Statement } from './statements.ts';

/** Commands without an answer that are remembered. A longer pipeline is followed no further until it is over. */
export const MAX_OUTSTANDING = 1024;
/** Statements under preparation whose text is remembered. */
const MAX_OPEN_STATEMENTS = 64;

/** A question that was told and is being answered. */
export interface Question {
  readonly number: number;
  /** Rows so far, null while no statement of it told any. */
  rows: number | null;
}

/** Who is signed on, and where. */
export interface Session {
  readonly user: ByteString;
  readonly database: ByteString;
}

/** A command that will be answered. */
export interface Owed {
  readonly answer: AnswerKind;
  /** Sequence number that its answer begins with. */
  readonly sequence: number;
  readonly question: Question | null;
  /** What COM_STMT_PREPARE prepares. */
  readonly statement: Statement | null;
  /** What holds once it has succeeded. */
  readonly session: Session | null;
}

export interface Failure {
  /** Number of the error: https://dev.mysql.com/doc/mysql-errors/8.0/en/server-error-reference.html */
  readonly code: ByteString;
  readonly message: ByteString;
}

/**
 * Which answer belongs to which question. Questions are numbered, because those whose replies were lost get no answer.
 */
export class Exchange {
  session: Session = { user: '', database: '' };
  /** The client sends a file that the server asked for (LOAD DATA LOCAL). */
  isFileExpected = false;
  /** More commands came than are remembered: answers cannot be told apart until the server is silent. */
  isOverrun = false;

  readonly #sink: QuerySink;
  readonly #owed: Owed[] = [];
  #asked = 0;

  constructor(sink: QuerySink) {
    this.#sink = sink;
  }

  /** Answers that are waited for; for tests. */
  get outstanding(): number {
    return this.#owed.length;
  }

  get oldest(): Owed | null {
    return this.#owed[0] ?? null;
  }

  tell(query: QueryMessage): Question {
    const number = ++this.#asked;
    this.#sink.queryStarted(query, number);
    return { number, rows: null };
  }

  expect(owed: Owed): void {
    const statements =
      owed.statement === null ? 0 : this.#owed.filter(({ statement }) => statement !== null).length;
    if (this.#owed.length < MAX_OUTSTANDING && statements < MAX_OPEN_STATEMENTS) {
      this.#owed.push(owed);
      return;
    }
    this.forget();
    this.isOverrun = true;
  }

  /** The oldest command is answered. */
  answered(failure: Failure | null): void {
    this.isFileExpected = false;
    const owed = this.#owed.shift();
    if (owed === undefined) return;
    if (failure === null && owed.session !== null) this.session = owed.session;
    if (owed.question !== null) this.end(owed.question, failure);
  }

  end(question: Question, failure: Failure | null): void {
    this.#sink.queryEnded(
      {
        isError: failure !== null,
        code: failure?.code ?? '',
        message: failure?.message ?? '',
        rows: failure === null ? question.rows : null,
        answers: [],
      },
      question.number,
    );
  }

  /** What is owed is not known any more: nobody is told of its end. */
  forget(): void {
    this.#owed.length = 0;
    this.isFileExpected = false;
    this.isOverrun = false;
  }
}
