import type { ByteString } from '../../base/bytes.ts';

/** Prepared statements of one connection: pools and object mappers keep some hundred. */
export const MAX_STATEMENTS = 512;
/** The text of all of them, with what was sent ahead for them. */
export const MAX_STATEMENT_BYTES = 256 * 1024;
/** What is kept of parameters that are sent ahead of an execution. */
const MAX_LONG_DATA_BYTES = 4096;
const MAX_LONG_PARAMETERS = 64;

export interface Statement {
  readonly sql: ByteString;
  readonly isTruncated: boolean;
  /** How many parameters the server found in it, null before its answer. */
  parameterCount: number | null;
  /** Types are sent with the first execution only; null before. */
  types: readonly number[] | null;
  /** Values of COM_STMT_SEND_LONG_DATA, by the number of their parameter. */
  readonly longData: Map<number, ByteString>;
}

export function newStatement(sql: ByteString, isTruncated: boolean): Statement {
  return { sql, isTruncated, parameterCount: null, types: null, longData: new Map() };
}

/** A statement that was prepared before we looked, or too long ago: its number is all that there is, as SQL would say it. */
export function unknownStatement(id: number): ByteString {
  return `EXECUTE ${id}`;
}

/** What COM_STMT_PREPARE leaves behind for COM_STMT_EXECUTE. The least recently used make room. */
export class Statements {
  readonly #byId = new Map<number, Statement>();
  #size = 0;

  /** For tests. */
  get sizes(): { statements: number; bytes: number } {
    return { statements: this.#byId.size, bytes: this.#size };
  }

  add(id: number, statement: Statement): void {
    this.close(id);
    this.#byId.set(id, statement);
    this.#size += statement.sql.length;
    while (this.#byId.size > MAX_STATEMENTS || this.#size > MAX_STATEMENT_BYTES) {
      const [oldest] = this.#byId.keys();
      if (oldest === undefined) return;
      this.close(oldest);
    }
  }

  find(id: number): Statement | null {
    const statement = this.#byId.get(id);
    if (statement === undefined) return null;
    this.#byId.delete(id);
    this.#byId.set(id, statement);
    return statement;
  }

  close(id: number): void {
    const statement = this.#byId.get(id);
    if (statement === undefined) return;
    this.forgetLongData(statement);
    this.#size -= statement.sql.length;
    this.#byId.delete(id);
  }

  clear(): void {
    this.#byId.clear();
    this.#size = 0;
  }

  /** A piece of a parameter's value. */
  addLongData(id: number, parameter: number, data: ByteString): void {
    const statement = this.find(id);
    if (statement === null) return;
    const before = statement.longData.get(parameter);
    if (before === undefined && statement.longData.size >= MAX_LONG_PARAMETERS) return;
    const value = ((before ?? '') + data).slice(0, MAX_LONG_DATA_BYTES);
    const added = value.length - (before ?? '').length;
    if (this.#size + added > MAX_STATEMENT_BYTES) return;
    this.#size += added;
    statement.longData.set(parameter, value);
  }

  forgetLongData(statement: Statement): void {
    for (const value of statement.longData.values()) this.#size -= value.length;
    statement.longData.clear();
  }
}
