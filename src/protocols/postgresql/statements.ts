import type { ByteString } from '../../base/bytes.ts';
import { dropOldest } from '../../base/oldest.ts';
import type { Question } from './exchange.ts';

/** Named statements of one connection: pools and object mappers keep some hundred. */
export const MAX_STATEMENTS = 512;
/** The text and names of all of them. */
export const MAX_STATEMENT_BYTES = 256 * 1024;
/** Portals that are open at a time: most clients have one, cursors a few more. */
export const MAX_PORTALS = 64;

export interface Statement {
  readonly sql: ByteString;
  readonly isTruncated: boolean;
}

/** Statement that was prepared before we looked, or too long ago: its name is all that there is, as SQL would say it. */
export function unknownStatement(name: ByteString): Statement {
  return { sql: name === '' ? '' : `EXECUTE ${name}`, isTruncated: true };
}

export interface Portal {
  readonly statement: Statement;
  readonly parameters: readonly ByteString[];
  readonly isTruncated: boolean;
  /** The question that its first Execute was, while its rows come in portions. */
  question: Question | null;
}

/** What Parse and Bind leave behind for Execute. The least recently used make room. */
export class Statements {
  readonly #statements = new Map<ByteString, Statement>();
  readonly #portals = new Map<ByteString, Portal>();
  #size = 0;

  /** Number and total text of the statements, and number of portals; for tests. */
  get sizes(): { statements: number; bytes: number; portals: number } {
    return { statements: this.#statements.size, bytes: this.#size, portals: this.#portals.size };
  }

  prepare(name: ByteString, statement: Statement): void {
    this.forget(name);
    this.#statements.set(name, statement);
    this.#size += sizeOf(name, statement);
    while (this.#statements.size > MAX_STATEMENTS || this.#size > MAX_STATEMENT_BYTES) {
      const [oldest] = this.#statements.keys();
      if (oldest === undefined) return;
      this.forget(oldest);
    }
  }

  find(name: ByteString): Statement {
    const statement = this.#statements.get(name);
    if (statement === undefined) return unknownStatement(name);
    this.#statements.delete(name);
    this.#statements.set(name, statement);
    return statement;
  }

  forget(name: ByteString): void {
    const statement = this.#statements.get(name);
    if (statement === undefined) return;
    this.#size -= sizeOf(name, statement);
    this.#statements.delete(name);
  }

  bind(name: ByteString, portal: Portal): void {
    this.#portals.delete(name);
    if (this.#portals.size >= MAX_PORTALS) dropOldest(this.#portals);
    this.#portals.set(name, portal);
  }

  portal(name: ByteString): Portal | null {
    return this.#portals.get(name) ?? null;
  }

  closePortal(name: ByteString): void {
    this.#portals.delete(name);
  }

  /** The transaction is over, and with it all portals but those that have not been executed. */
  endTransaction(): void {
    for (const [name, { question }] of this.#portals) if (question !== null) this.#portals.delete(name);
  }
}

function sizeOf(name: ByteString, { sql }: Statement): number {
  return name.length + sql.length;
}
