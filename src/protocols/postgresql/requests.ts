import type { ByteString } from '../../base/bytes.ts';
import { sqlVerb } from '../../base/sql-verb.ts';
import type { QueryMessage } from '../../model/query.ts';
import type { Exchange } from './exchange.ts';
import type { Frames } from './frames.ts';
import { BIND, CLOSE, EXECUTE, FUNCTION_CALL, PARSE, QUERY, SYNC } from './messages.ts';
import { endOfString, readBind, readFunctionCall, readParse, readString, type Startup } from './parser.ts';
import { Statements, type Portal, type Statement } from './statements.ts';

const PORTAL = 0x50; // P

/** What the messages of a client ask for. */
export class Requests {
  startup: Startup = { user: '', database: '' };
  readonly statements = new Statements();
  readonly #exchange: Exchange;

  constructor(exchange: Exchange) {
    this.#exchange = exchange;
  }

  message({ type, body, start, end, isTruncated }: Frames): void {
    switch (type) {
      case QUERY: {
        const isCut = isTruncated || endOfString(body, start, end) >= end;
        const query = this.query({ sql: readString(body, start, end), isTruncated: isCut }, [], isCut);
        this.#exchange.asked(query, 'query');
        return;
      }
      case PARSE: {
        const { name, sql, isTruncated: isCut } = readParse(body, start, end);
        const statement = { sql, isTruncated: isCut };
        this.statements.prepare(name, statement);
        this.#exchange.parsed(statement);
        return;
      }
      case BIND:
        this.#bind(body, start, end, isTruncated);
        return;
      case EXECUTE:
        this.#execute(readString(body, start, end));
        return;
      case CLOSE:
        this.#close(body[start] ?? 0, readString(body, start + 1, end));
        return;
      case SYNC:
        this.#exchange.synced();
        return;
      case FUNCTION_CALL: {
        const { oid, parameters, isTruncated: isCut } = readFunctionCall(body, start, end);
        const call = this.#message('CALL', `function ${oid}`, parameters, isTruncated || isCut);
        this.#exchange.asked(call, 'query');
      }
    }
  }

  query({ sql, isTruncated }: Statement, parameters: readonly ByteString[], isCut: boolean): QueryMessage {
    return this.#message(sqlVerb(sql, 'postgresql'), sql, parameters, isTruncated || isCut);
  }

  /** CancelRequest on a connection of its own; the secret key in it is not read. */
  cancel(processId: number): void {
    this.#exchange.askedInVain(this.#message('CANCEL', `backend ${processId}`, [], false));
  }

  #bind(body: Uint8Array, start: number, end: number, isTruncated: boolean): void {
    const bind = readBind(body, start, end);
    this.#closePortal(bind.portal);
    this.statements.bind(bind.portal, {
      statement: this.statements.find(bind.statement),
      parameters: bind.parameters,
      isTruncated: isTruncated || bind.isTruncated,
      question: null,
    });
  }

  #execute(name: ByteString): void {
    const portal = this.statements.portal(name) ?? this.#unknownPortal(name);
    if (portal.question !== null) {
      this.#exchange.continued(portal.question);
      return;
    }
    const query = this.query(portal.statement, portal.parameters, portal.isTruncated);
    portal.question = this.#exchange.asked(query, 'execute');
  }

  /** One that was opened before we looked. A cursor is remembered: the rest of its rows is no further question. */
  #unknownPortal(name: ByteString): Portal {
    const statement = { sql: name === '' ? '' : `FETCH ${name}`, isTruncated: true };
    const portal = { statement, parameters: [], isTruncated: true, question: null };
    if (name !== '') this.statements.bind(name, portal);
    return portal;
  }

  #close(kind: number, name: ByteString): void {
    if (kind === PORTAL) this.#closePortal(name);
    else this.statements.forget(name);
  }

  #closePortal(name: ByteString): void {
    const question = this.statements.portal(name)?.question ?? null;
    if (question !== null) this.#exchange.abandoned(question);
    this.statements.closePortal(name);
  }

  #message(
    operation: ByteString,
    statement: ByteString,
    parameters: readonly ByteString[],
    isTruncated: boolean,
  ): QueryMessage {
    const { user, database } = this.startup;
    return {
      protocol: 'postgresql',
      operation,
      statement,
      parameters,
      database,
      user,
      isTruncated,
      anomalies: [],
    };
  }
}
