import type { ByteString } from './bytes.ts';

/** What servers take for comments: PostgreSQL nests them, MySQL has '#' and runs what stands in `/*! ... *\/`. */
export type SqlDialect = 'postgresql' | 'mysql';

/** No dialect has a keyword that is longer. */
const MAX_VERB_LENGTH = 32;

/**
 * First keyword of an SQL text in upper case, '' where it has none: comments, blanks, opening parentheses and empty
 * statements before it are passed over. One pass, however the text is made.
 */
export function sqlVerb(sql: ByteString, dialect: SqlDialect): ByteString {
  let at = 0;
  while (at < sql.length) {
    const code = sql.charCodeAt(at);
    if (isLetter(code)) return verbAt(sql, at);
    if (code <= 0x20 || code === 0x28 || code === 0x3b) at++;
    else {
      const end = endOfSqlComment(sql, at, dialect);
      if (end === at) return '';
      at = end;
    }
  }
  return '';
}

/** Where what begins as a comment is over, or what stands in it is run; `at` where there is none. */
export function endOfSqlComment(sql: ByteString, at: number, dialect: SqlDialect): number {
  if (isLineComment(sql, at, dialect)) return endOfLine(sql, at);
  if (!sql.startsWith('/*', at)) return at;
  if (dialect === 'postgresql') return endOfNestedComment(sql, at);
  return isExecutable(sql, at) ? startOfExecutable(sql, at) : endOfComment(sql, at);
}

function verbAt(sql: ByteString, start: number): ByteString {
  let end = start;
  while (end < sql.length && end < start + MAX_VERB_LENGTH && isWord(sql.charCodeAt(end))) end++;
  return sql.slice(start, end).toUpperCase();
}

function isLineComment(sql: ByteString, at: number, dialect: SqlDialect): boolean {
  if (dialect === 'postgresql') return sql.startsWith('--', at);
  // MySQL wants a blank after the dashes: `5--1` is arithmetic.
  return sql[at] === '#' || (sql.startsWith('--', at) && !(sql.charCodeAt(at + 2) > 0x20));
}

function endOfLine(sql: ByteString, at: number): number {
  const end = sql.indexOf('\n', at);
  return end < 0 ? sql.length : end + 1;
}

function endOfComment(sql: ByteString, at: number): number {
  const end = sql.indexOf('*/', at + 2);
  return end < 0 ? sql.length : end + 2;
}

function endOfNestedComment(sql: ByteString, start: number): number {
  let depth = 0;
  let at = start;
  while (at < sql.length) {
    if (sql.startsWith('/*', at)) depth++;
    else if (sql.startsWith('*/', at)) depth--;
    else {
      at++;
      continue;
    }
    at += 2;
    if (depth === 0) return at;
  }
  return at;
}

/** `/*!50110 ... *\/` is run by MySQL, `/*M!100100 ... *\/` by MariaDB only. */
function isExecutable(sql: ByteString, at: number): boolean {
  return sql[at + 2] === '!' || sql.startsWith('M!', at + 2);
}

function startOfExecutable(sql: ByteString, at: number): number {
  let start = sql.indexOf('!', at) + 1;
  while (sql.charCodeAt(start) >= 0x30 && sql.charCodeAt(start) <= 0x39) start++;
  return start;
}

function isLetter(code: number): boolean {
  return (code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a);
}

function isWord(code: number): boolean {
  return isLetter(code) || code === 0x5f || (code >= 0x30 && code <= 0x39);
}
