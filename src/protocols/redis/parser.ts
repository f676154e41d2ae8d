import { byteString, type ByteString } from '../../base/bytes.ts';
import type { Confidence } from '../contract.ts';
import { countOf, isDigit } from './commands.ts';

/**
 * Commands that people and health checks send as a line. Other text protocols have some of these words as well: a line
 * alone proves nothing, the answer decides.
 */
const INLINE = new Set(
  (
    'PING ECHO INFO GET SET DEL EXISTS KEYS TYPE TTL EXPIRE INCR DECR APPEND MGET MSET HGET HSET HGETALL LPUSH RPUSH LRANGE ' +
    'SADD SMEMBERS ZADD ZRANGE SELECT AUTH HELLO CLIENT CONFIG COMMAND DBSIZE FLUSHALL FLUSHDB SLAVEOF REPLICAOF MODULE EVAL ' +
    'SAVE BGSAVE MONITOR SUBSCRIBE PUBLISH SCAN TIME ROLE QUIT'
  ).split(' '),
);
/** Beyond this a line that has not ended is none that we would take. */
const MAX_INLINE_BYTES = 512;

/** Whether a client's first bytes begin with a command. 'likely' stands for a line that only the answer can decide. */
export function commandPlausibility(bytes: Uint8Array): Confidence {
  const text = byteString(bytes, 0, Math.min(bytes.length, MAX_INLINE_BYTES));
  return text.startsWith('*') ? arrayPlausibility(text) : inlinePlausibility(text);
}

/** *3\r\n$3\r\nSET: nothing else begins so. */
function arrayPlausibility(text: ByteString): Confidence {
  const count = headPlausibility(text, 0, '*');
  if (typeof count === 'string') return count;
  const length = headPlausibility(text, count.end, '$');
  if (typeof length === 'string') return length;
  if (length.value > 64) return 'no';
  if (length.end >= text.length) return 'maybe';
  for (let index = length.end; index < Math.min(text.length, length.end + length.value); index++) {
    if (!isNameByte(text.charCodeAt(index))) return 'no';
  }
  return 'certain';
}

function headPlausibility(
  text: ByteString,
  start: number,
  type: string,
): Confidence | { value: number; end: number } {
  if (start >= text.length) return 'maybe';
  if (text[start] !== type) return 'no';
  let end = start + 1;
  while (end < text.length && end - start < 11 && isDigit(text.charCodeAt(end))) end++;
  if (end >= text.length) return 'maybe';
  const value = countOf(text.slice(start, end));
  if (value === null || value < 1 || text[end] !== '\r') return 'no';
  if (end + 1 >= text.length) return 'maybe';
  return text[end + 1] === '\n' ? { value, end: end + 2 } : 'no';
}

function inlinePlausibility(text: ByteString): Confidence {
  let end = 0;
  while (end < text.length && isNameByte(text.charCodeAt(end))) end++;
  const word = text.slice(0, end).toUpperCase();
  if (end === text.length) return [...INLINE].some((command) => command.startsWith(word)) ? 'maybe' : 'no';
  if (!INLINE.has(word)) return 'no';
  // A key may begin with a slash; a line that does is rather the simple request of HTTP.
  if (text[end] === ' ' && text[end + 1] === '/') return 'no';
  const lineEnd = text.indexOf('\n', end);
  for (let index = end; index < (lineEnd < 0 ? text.length : lineEnd); index++) {
    const code = text.charCodeAt(index);
    if (code < 32 && code !== 9 && code !== 13) return 'no';
  }
  if (lineEnd < 0) return text.length < MAX_INLINE_BYTES ? 'maybe' : 'no';
  return text.slice(0, lineEnd).includes(' HTTP/') ? 'no' : 'likely';
}

/** Whether a server's first bytes are a reply: one whole line of it, checked to its end. */
export function replyPlausibility(bytes: Uint8Array): Confidence {
  const text = byteString(bytes, 0, Math.min(bytes.length, MAX_INLINE_BYTES));
  if (text === '') return 'maybe';
  const lineEnd = text.indexOf('\r\n');
  const line = lineEnd < 0 ? text : text.slice(0, lineEnd);
  if (!'+-:$*%~>|_,#!=('.includes(line[0] as string)) return 'no';
  for (let index = 0; index < line.length; index++)
    if (line.charCodeAt(index) < 32 && line[index] !== '\r') return 'no';
  if (lineEnd < 0) return text.length < MAX_INLINE_BYTES ? 'maybe' : 'no';
  switch (line[0]) {
    case '+':
      return 'likely';
    case '-':
      return isUpper(line.charCodeAt(1)) && isUpper(line.charCodeAt(2)) ? 'likely' : 'no';
    case '_':
      return line === '_' ? 'likely' : 'no';
    case '#':
      return line === '#t' || line === '#f' ? 'likely' : 'no';
    case ',':
    case '(':
      return line.length > 1 ? 'likely' : 'no';
    default:
      return line[0] === ':' || countOf(line) !== null ? 'likely' : 'no';
  }
}

/** Letters, and what stands in the names of modules' commands: FT.SEARCH, JSON.SET, _FT.CREATE. */
function isNameByte(code: number): boolean {
  const lower = code | 32;
  return (lower >= 97 && lower <= 122) || isDigit(code) || code === 46 || code === 95 || code === 45;
}

function isUpper(code: number): boolean {
  return code >= 65 && code <= 90;
}
