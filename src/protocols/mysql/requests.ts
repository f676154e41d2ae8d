import type { ByteString } from '../../base/bytes.ts';
import { sqlVerb } from '../../base/sql-verb.ts';
import type { QueryMessage } from '../../model/query.ts';
import {
  CHANGE_USER,
  INIT_DB,
  NAMED,
  QUERY,
  STMT_BULK_EXECUTE,
  STMT_CLOSE,
  STMT_EXECUTE,
  STMT_PREPARE,
  STMT_RESET,
  STMT_SEND_LONG_DATA,
  answerOf,
} from './commands.ts';
import type { Exchange, Question, Session } from './exchange.ts';
import { QUERY_ATTRIBUTES, readChangeUser, type Capabilities } from './handshake.ts';
import type { Packets } from './packets.ts';
import {
  NO_PARAMETERS,
  countPlaceholders,
  guessParameters,
  readBulkParameters,
  readParameters,
  type Parameters,
} from './parameters.ts';
import { Reader } from './parser.ts';
import { Statements, newStatement, unknownStatement, type Statement } from './statements.ts';

/** MariaDB: the statement that was prepared last, whose number the client has not waited for. */
const LAST_PREPARED = 0xffffffff;
/** Flag of COM_STMT_EXECUTE: the number of parameters is in the message (query attributes). */
const COUNT_AVAILABLE = 8;
const RESET_CONNECTION = 0x1f;

/** What the commands of a client ask for. */
export class Requests {
  /** What both ends can do; null on a connection that was taken up in its middle. */
  capabilities: Capabilities | null = null;
  readonly statements = new Statements();
  #lastPrepared: Statement | null = null;
  readonly #exchange: Exchange;

  constructor(exchange: Exchange) {
    this.#exchange = exchange;
  }

  /** @returns whether commands go on after it */
  command(packets: Packets): boolean {
    const { body, start, end, isTruncated } = packets;
    const command = body[start] ?? 0;
    const answer = start < end ? answerOf(command) : null;
    if (answer === null || answer === 'stream') return false;
    const reader = new Reader(body, start + 1, end);
    let question: Question | null = null;
    let statement: Statement | null = null;
    let session: Session | null = null;
    switch (command) {
      case QUERY:
        question = this.#query(reader, isTruncated);
        break;
      case STMT_PREPARE:
        statement = newStatement(reader.rest(), isTruncated);
        this.#lastPrepared = statement;
        break;
      case STMT_EXECUTE:
        question = this.#execute(reader, isTruncated);
        break;
      case STMT_BULK_EXECUTE:
        question = this.#bulkExecute(reader, isTruncated);
        break;
      case STMT_SEND_LONG_DATA:
        this.statements.addLongData(reader.uint(4), reader.uint(2), reader.rest());
        break;
      case STMT_CLOSE:
        this.statements.close(reader.uint(4));
        break;
      case STMT_RESET: {
        const reset = this.statements.find(reader.uint(4));
        if (reset !== null) this.statements.forgetLongData(reset);
        break;
      }
      case CHANGE_USER:
        session = readChangeUser(body, start, end);
        this.#forgetStatements();
        break;
      case RESET_CONNECTION:
        this.#forgetStatements();
        break;
      default: {
        const named = NAMED[command];
        if (named === undefined) break;
        const argument = named.argument === 'text' ? reader.rest() : String(reader.uint(4));
        question = this.#exchange.tell(this.#message(named.operation, argument, NO_PARAMETERS, isTruncated));
        if (command === INIT_DB) session = { user: this.#exchange.session.user, database: argument };
      }
    }
    if (answer !== 'nothing')
      this.#exchange.expect({ answer, sequence: packets.count & 0xff, question, statement, session });
    return true;
  }

  /** A statement that the server refuses to prepare. */
  refused(statement: Statement): Question {
    return this.#tell(statement.sql, NO_PARAMETERS, statement.isTruncated);
  }

  #query(reader: Reader, isTruncated: boolean): Question {
    if (!this.#hasAttributes(reader)) return this.#tell(reader.rest(), NO_PARAMETERS, isTruncated);
    // https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_query.html
    const count = reader.lengthEncoded();
    reader.lengthEncoded();
    const attributes = readParameters(reader, count, true, null);
    return this.#tell(attributes.isTruncated ? '' : reader.rest(), attributes, isTruncated);
  }

  /** Where the handshake was not seen: a number of attributes, then one set of them; no text begins so. */
  #hasAttributes(reader: Reader): boolean {
    if (this.capabilities !== null) return (this.capabilities.flags & QUERY_ATTRIBUTES) !== 0;
    const peek = new Reader(reader.bytes, reader.at, reader.end);
    return peek.uint8() < 0x20 && peek.uint8() === 1;
  }

  #execute(reader: Reader, isTruncated: boolean): Question {
    const id = reader.uint(4);
    const statement = this.#statement(id);
    const flags = reader.uint8();
    // Iterations, always 1.
    reader.skip(4);
    if (statement === null) return this.#tell(unknownStatement(id), guessParameters(reader), true);
    const hasCount = (flags & COUNT_AVAILABLE) !== 0 && this.capabilities !== null;
    const hasNames = hasCount && ((this.capabilities?.flags ?? 0) & QUERY_ATTRIBUTES) !== 0;
    const count = hasNames ? reader.lengthEncoded() : parameterCount(statement);
    const parameters = count === null ? NO_PARAMETERS : readParameters(reader, count, hasNames, statement);
    this.statements.forgetLongData(statement);
    return this.#tell(statement.sql, parameters, isTruncated || statement.isTruncated || count === null);
  }

  #bulkExecute(reader: Reader, isTruncated: boolean): Question {
    const id = reader.uint(4);
    const statement = this.#statement(id);
    const flags = reader.uint(2);
    if (statement === null) return this.#tell(unknownStatement(id), NO_PARAMETERS, true);
    const count = parameterCount(statement);
    if (count === null) return this.#tell(statement.sql, NO_PARAMETERS, true);
    const parameters = readBulkParameters(reader, flags, count, statement);
    return this.#tell(statement.sql, parameters, isTruncated || statement.isTruncated);
  }

  #statement(id: number): Statement | null {
    return id === LAST_PREPARED ? this.#lastPrepared : this.statements.find(id);
  }

  #forgetStatements(): void {
    this.statements.clear();
    this.#lastPrepared = null;
  }

  #tell(sql: ByteString, parameters: Parameters, isTruncated: boolean): Question {
    return this.#exchange.tell(this.#message(sqlVerb(sql, 'mysql'), sql, parameters, isTruncated));
  }

  #message(
    operation: ByteString,
    statement: ByteString,
    parameters: Parameters,
    isTruncated: boolean,
  ): QueryMessage {
    return {
      protocol: 'mysql',
      operation,
      statement,
      parameters: parameters.values,
      database: this.#exchange.session.database,
      user: this.#exchange.session.user,
      isTruncated: isTruncated || parameters.isTruncated,
      anomalies: [],
    };
  }
}

function parameterCount(statement: Statement): number | null {
  if (statement.parameterCount !== null) return statement.parameterCount;
  return statement.isTruncated ? null : countPlaceholders(statement.sql);
}
