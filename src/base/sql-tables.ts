import type { ByteString } from './bytes.ts';
import { endOfSqlComment, type SqlDialect } from './sql-verb.ts';

/** Statements that name more say no more, and what is asked for comes first. */
const MAX_TABLES = 16;
const MAX_LENGTH = 16 * 1024;
/** PostgreSQL's longest name has 63 bytes, MySQL's 64 characters. */
const MAX_NAME = 256;
const MAX_DEPTH = 64;

/** Words behind which a table stands, and words that may come between. */
const BEFORE_TABLE = new Set(['FROM', 'JOIN', 'INTO', 'UPDATE', 'TABLE', 'TRUNCATE', 'USING']);
const SKIPPED = new Set(['ONLY', 'LATERAL', 'IF', 'NOT', 'EXISTS', 'TABLE', 'IGNORE', 'LOW_PRIORITY']);
/** `FOR UPDATE`, `ON DUPLICATE KEY UPDATE`, `DO UPDATE` name none. */
const BEFORE_OTHER_UPDATE = new Set(['FOR', 'KEY', 'DO', 'ON', 'NO']);
/** `INTO OUTFILE 'x'` names a file. */
const NO_TABLES = new Set(['OUTFILE', 'DUMPFILE', 'SELECT', 'VALUES', 'SET', 'DUAL']);
/** What ends a list of tables. */
const AFTER_TABLES = new Set(
  'WHERE ON SET VALUES GROUP ORDER HAVING LIMIT UNION SELECT RETURNING USING WINDOW FETCH OFFSET'.split(' '),
);
const QUERIES = new Set(['SELECT', 'DELETE', 'WITH']);

/**
 * Tables that an SQL text names, without quotes, each once, in order. It reads words and not the grammar: names of CTEs are
 * among them, and what stands in functions' bodies is not. One pass, however the text is made.
 */
export function sqlTables(sql: ByteString, dialect: SqlDialect): readonly ByteString[] {
  const scan = new TableScan(sql.length > MAX_LENGTH ? sql.slice(0, MAX_LENGTH) : sql, dialect);
  return scan.run();
}

interface Level {
  /** A query stands in it: `extract(year FROM x)` names no table. */
  isQuery: boolean;
  /** A comma is followed by another table. */
  isList: boolean;
}

class TableScan {
  readonly #sql: ByteString;
  readonly #dialect: SqlDialect;
  readonly #tables = new Set<ByteString>();
  /** Around each open parenthesis. */
  readonly #outer: Level[] = [];
  #level: Level = { isQuery: true, isList: false };
  #at = 0;
  /** A table comes next. */
  #isExpected = false;
  #previous = '';

  constructor(sql: ByteString, dialect: SqlDialect) {
    this.#sql = sql;
    this.#dialect = dialect;
  }

  run(): readonly ByteString[] {
    while (this.#at < this.#sql.length && this.#tables.size < MAX_TABLES) this.#step();
    return [...this.#tables];
  }

  #step(): void {
    const sql = this.#sql;
    const character = sql[this.#at] ?? '';
    const end = endOfSqlComment(sql, this.#at, this.#dialect);
    if (end > this.#at) this.#at = end;
    else if (character === "'" || (character === '"' && this.#dialect === 'mysql'))
      this.#skipString(character);
    else if (character === '$' && this.#dialect === 'postgresql') this.#skipDollars();
    else if (character === '"' || character === '`' || /[A-Za-z_\x80-\xff]/.test(character)) this.#word();
    else this.#sign(character);
  }

  #sign(character: string): void {
    this.#at++;
    if (character.trim() === '') return;
    // The end of a comment that is run.
    if (character === '*' && this.#sql[this.#at] === '/') {
      this.#at++;
      return;
    }
    if (character === '(') this.#open();
    else if (character === ')') this.#level = this.#outer.pop() ?? this.#level;
    else if (character !== ',') this.#level.isList = false;
    this.#isExpected = character === ',' && this.#level.isList;
    this.#previous = character;
  }

  #open(): void {
    // A query in the place of a table: others may follow it.
    if (this.#isExpected) this.#level.isList = true;
    if (this.#outer.length >= MAX_DEPTH) return;
    this.#outer.push(this.#level);
    this.#level = { isQuery: false, isList: false };
  }

  #word(): void {
    const isQuoted = this.#sql[this.#at] === '"' || this.#sql[this.#at] === '`';
    const name = this.#name();
    const word = isQuoted ? '' : name.toUpperCase();
    if (this.#isExpected && SKIPPED.has(word)) return;
    if (this.#isExpected && !NO_TABLES.has(word)) {
      this.#isExpected = false;
      this.#level.isList = true;
      // A function that gives rows is no table.
      if (this.#sql[this.#at] !== '(') this.#tables.add(name);
    } else {
      if (QUERIES.has(word)) this.#level.isQuery = true;
      if (AFTER_TABLES.has(word)) this.#level.isList = false;
      this.#isExpected = BEFORE_TABLE.has(word) && this.#namesTables(word);
    }
    this.#previous = word;
  }

  #namesTables(word: string): boolean {
    if (word === 'UPDATE') return !BEFORE_OTHER_UPDATE.has(this.#previous);
    // `ON UPDATE`, and `JOIN t USING (id)`, which the parenthesis tells.
    return this.#level.isQuery;
  }

  /** A name with its qualifiers: app."Users" is app.Users. */
  #name(): ByteString {
    let name = this.#part();
    while (this.#sql[this.#at] === '.' && name.length < MAX_NAME) {
      this.#at++;
      name += `.${this.#part()}`;
    }
    return name.slice(0, MAX_NAME);
  }

  #part(): ByteString {
    const quote = this.#sql[this.#at] ?? '';
    if (quote === '"' || quote === '`') {
      const start = this.#at + 1;
      const end = this.#sql.indexOf(quote, start);
      this.#at = end === -1 ? this.#sql.length : end + 1;
      return this.#sql.slice(start, end === -1 ? undefined : end);
    }
    const word = /[A-Za-z0-9_$\x80-\xff]*/y;
    word.lastIndex = this.#at;
    const part = word.exec(this.#sql)?.[0] ?? '';
    this.#at += part.length;
    return part;
  }

  /** A doubled quote goes on with the string; a backslash takes its meaning from one where the dialect says so. */
  #skipString(quote: string): void {
    const hasEscapes = this.#dialect === 'mysql' || /e$/i.test(this.#previous);
    this.#at++;
    while (this.#at < this.#sql.length) {
      const character = this.#sql[this.#at];
      if (character === '\\' && hasEscapes) this.#at++;
      else if (character === quote) break;
      this.#at++;
    }
    this.#at++;
    this.#previous = quote;
    this.#isExpected = false;
  }

  /** $$ ... $$ and $name$ ... $name$ are strings of PostgreSQL; $1 is a parameter. */
  #skipDollars(): void {
    const opening = /\$(?:[A-Za-z_]\w{0,62})?\$/y;
    opening.lastIndex = this.#at;
    const [tag] = opening.exec(this.#sql) ?? [];
    if (tag === undefined) {
      this.#sign('$');
      return;
    }
    const end = this.#sql.indexOf(tag, this.#at + tag.length);
    this.#at = end === -1 ? this.#sql.length : end + tag.length;
  }
}
