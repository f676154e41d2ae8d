import type { Exchange, Failure, Owed } from './exchange.ts';
import { CACHE_METADATA, OPTIONAL_METADATA } from './handshake.ts';
import type { Packets } from './packets.ts';
import { Reader } from './parser.ts';
import type { Requests } from './requests.ts';

const OK = 0x00;
const FILE_REQUEST = 0xfb;
const END = 0xfe;
const ERROR = 0xff;
/** Number of an error that is none: MariaDB tells how far it is. https://mariadb.com/kb/en/progress-reporting/ */
const PROGRESS = 0xffff;
/** A packet that begins like an end and is as long as this is a row with a huge first column. */
const MIN_HUGE_ROW = 0xffffff;
const EOF_LENGTH = 5;

const STATUS_MORE_RESULTS = 0x0008;
const STATUS_CURSOR_EXISTS = 0x0040;
const STATUS_SESSION_CHANGED = 0x4000;
const SESSION_SCHEMA = 1;

/**
 * Answers of a server, from packet to packet. What may or may not come, such as an EOF after the columns, is known by
 * its look: so it does not matter whether the handshake was seen.
 * https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_query_response.html
 */
export class Replies {
  /** Something of the oldest command's answer has come. */
  #isBegun = false;
  /** Something that it brought was seen: it has not been refused. */
  #hasResult = false;
  #state: 'first' | 'next' | 'columns' | 'rows' = 'first';
  /** Definitions of columns (or parameters) that are still to come. */
  #columns = 0;
  #rows = 0;
  /** No row and no end of the columns has come. */
  #isBeforeRows = false;
  readonly #exchange: Exchange;
  readonly #requests: Requests;

  constructor(exchange: Exchange, requests: Requests) {
    this.#exchange = exchange;
    this.#requests = requests;
  }

  /** The next packet begins an answer. */
  reset(): void {
    this.#state = 'first';
    this.#isBegun = false;
    this.#hasResult = false;
  }

  packet(packets: Packets): void {
    const owed = this.#exchange.oldest;
    // Nobody asked, as far as was seen: or it is the end of an answer that told all before.
    if (owed === null || (!this.#isBegun && packets.sequence !== owed.sequence)) return;
    const type = packets.start < packets.end ? (packets.body[packets.start] as number) : OK;
    if (type === ERROR) {
      const reader = new Reader(packets.body, packets.start + 1, packets.end);
      const number = reader.uint(2);
      if (number !== PROGRESS) this.#failed(owed, readFailure(number, reader));
      return;
    }
    this.#isBegun = true;
    const isEnd = type === END && packets.length < MIN_HUGE_ROW;
    switch (owed.answer) {
      case 'result':
        this.#result(owed, packets, type, isEnd);
        return;
      case 'prepare':
        this.#prepared(owed, packets, isEnd);
        return;
      case 'rows':
        if (isEnd) this.#done();
        return;
      case 'sign-on':
        if (type === OK) this.#done();
        return;
      default:
        this.#done();
    }
  }

  /**
   * Replies were lost. A question that had begun to bring something has succeeded as far as can be seen; of one that
   * brought no more than the names of its columns nothing is known.
   */
  lost(): void {
    if (this.#hasResult) {
      const { oldest } = this.#exchange;
      if (oldest !== null) this.#forgetRows(oldest);
      this.#exchange.answered(null);
    }
    this.reset();
  }

  #result(owed: Owed, packets: Packets, type: number, isEnd: boolean): void {
    switch (this.#state) {
      case 'columns':
        if (--this.#columns <= 0) this.#state = 'rows';
        return;
      case 'rows':
        if (isEnd) this.#endOfRows(owed, packets);
        else {
          this.#isBeforeRows = false;
          this.#hasResult = true;
          this.#rows++;
        }
        return;
      default:
        if (type === OK || isEnd) this.#ok(owed, packets);
        else if (type === FILE_REQUEST) this.#exchange.isFileExpected = true;
        else this.#beginRows(packets);
    }
  }

  #beginRows({ body, start, end }: Packets): void {
    const reader = new Reader(body, start, end);
    this.#columns = reader.lengthEncoded();
    const capabilities = this.#requests.capabilities;
    const canOmit =
      capabilities !== null &&
      ((capabilities.flags & OPTIONAL_METADATA) !== 0 || (capabilities.mariadb & CACHE_METADATA) !== 0);
    const isOmitted = canOmit && reader.left > 0 && reader.uint8() === 0;
    this.#state = isOmitted || this.#columns === 0 ? 'rows' : 'columns';
    this.#rows = 0;
    this.#isBeforeRows = true;
  }

  #endOfRows(owed: Owed, packets: Packets): void {
    const reader = new Reader(packets.body, packets.start + 1, packets.end);
    if (packets.length !== EOF_LENGTH) {
      // CLIENT_DEPRECATE_EOF: an OK that begins like an end. A cursor has no rows to count.
      this.#countRows(owed, this.#rows);
      this.#ok(owed, packets);
      return;
    }
    reader.skip(2);
    const status = reader.uint(2);
    const isEndOfColumns = this.#isBeforeRows;
    this.#isBeforeRows = false;
    // With a cursor the rows come when they are fetched.
    if (isEndOfColumns && (status & STATUS_CURSOR_EXISTS) === 0) return;
    if (!isEndOfColumns) this.#countRows(owed, this.#rows);
    if (reader.isOver) this.#forgetRows(owed);
    this.#finishResult(status);
  }

  /** https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_ok_packet.html */
  #ok(owed: Owed, packets: Packets): void {
    const reader = new Reader(packets.body, packets.start + 1, packets.end);
    // An EOF in the place of an OK.
    if (packets.length === EOF_LENGTH) {
      this.#finishResult(0);
      return;
    }
    const affected = reader.lengthEncoded();
    reader.lengthEncoded();
    const status = reader.uint(2);
    reader.skip(2);
    if (reader.isOver) this.#forgetRows(owed);
    else if (this.#state !== 'rows') this.#countRows(owed, affected);
    if ((status & STATUS_SESSION_CHANGED) !== 0) {
      reader.text();
      this.#sessionChanged(new Reader(reader.bytes, reader.at, reader.end));
    }
    this.#finishResult(status);
  }

  /** The schema, when a USE has changed it. */
  #sessionChanged(reader: Reader): void {
    const end = reader.lengthEncoded() + reader.at;
    while (reader.at < end && reader.left > 0) {
      const type = reader.uint8();
      const length = reader.lengthEncoded();
      if (type !== SESSION_SCHEMA) {
        reader.skip(length);
        continue;
      }
      const database = reader.text();
      if (!reader.isOver) this.#exchange.session = { ...this.#exchange.session, database };
    }
  }

  #finishResult(status: number): void {
    if ((status & STATUS_MORE_RESULTS) === 0) {
      this.#done();
      return;
    }
    this.#state = 'next';
    // The next statement may still be refused.
    this.#hasResult = false;
  }

  #prepared(owed: Owed, { body, start, end }: Packets, isEnd: boolean): void {
    if (this.#state === 'columns') {
      if (!isEnd && --this.#columns <= 0) this.#done();
      return;
    }
    // https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_stmt_prepare.html
    const reader = new Reader(body, start + 1, end);
    const id = reader.uint(4);
    const columns = reader.uint(2);
    const parameters = reader.uint(2);
    if (owed.statement !== null && !reader.isOver) {
      owed.statement.parameterCount = parameters;
      this.#requests.statements.add(id, owed.statement);
    }
    reader.skip(3);
    const canOmit = ((this.#requests.capabilities?.flags ?? 0) & OPTIONAL_METADATA) !== 0;
    const isOmitted = canOmit && reader.left > 0 && reader.uint8() === 0;
    this.#columns = isOmitted ? 0 : columns + parameters;
    this.#state = 'columns';
    // An EOF after the last one belongs to no answer, as its sequence number shows.
    if (this.#columns === 0) this.#done();
  }

  #countRows({ question }: Owed, rows: number): void {
    if (question !== null) question.rows = (question.rows ?? 0) + rows;
  }

  /** More of them may have come. */
  #forgetRows({ question }: Owed): void {
    if (question !== null) question.rows = null;
  }

  #failed(owed: Owed, failure: Failure): void {
    if (owed.answer === 'prepare' && owed.statement !== null)
      this.#exchange.end(this.#requests.refused(owed.statement), failure);
    this.#exchange.answered(failure);
    this.reset();
  }

  #done(): void {
    this.#exchange.answered(null);
    this.reset();
  }
}

/** https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_err_packet.html */
function readFailure(number: number, reader: Reader): Failure {
  const text = reader.rest();
  return { code: number === 0 ? '' : String(number), message: text.startsWith('#') ? text.slice(6) : text };
}
