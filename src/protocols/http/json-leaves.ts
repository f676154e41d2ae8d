import { byteStringFromText, type ByteString } from '../../base/bytes.ts';
import { hexValue } from '../../base/percent.ts';
import type { InputList } from './input-list.ts';

/** Depth to which names are followed. Values below it are collected all the same, under the name of this depth. */
const MAX_DEPTH = 16;

interface Level {
  readonly isArray: boolean;
  index: number;
  key: ByteString;
}

/**
 * Collects the strings and numbers of a JSON text, named like `user.emails[0]`. It is a scan, not a parser: text that
 * is cut, that a lenient parser would take, or that nests deeply gives what it has. Linear, no recursion.
 */
export function collectJson(text: ByteString, list: InputList): void {
  const levels: Level[] = [];
  /** Levels opened beyond MAX_DEPTH. */
  let deeper = 0;
  let index = text.startsWith('\xef\xbb\xbf') ? 3 : 0;
  while (index < text.length && !list.isFull) {
    const level = levels.at(-1);
    const code = text.charCodeAt(index);
    if (code === 0x22) {
      const end = stringEnd(text, index + 1);
      const value = unescapeJson(text.slice(index + 1, end));
      index = end + 1;
      if (isKey(text, index, level)) {
        if (deeper === 0 && level !== undefined) level.key = value;
        list.addNamed('json', value, '', '');
      } else {
        list.add('json', nameOf(levels), value);
      }
      continue;
    }
    if (code === 0x7b || code === 0x5b) {
      if (levels.length < MAX_DEPTH) levels.push({ isArray: code === 0x5b, index: 0, key: '' });
      else deeper++;
    } else if (code === 0x7d || code === 0x5d) {
      if (deeper > 0) deeper--;
      else levels.pop();
    } else if (code === 0x2c) {
      if (deeper === 0 && level !== undefined) level.index++;
    } else if (isNumberStart(code)) {
      const end = wordEnd(text, index);
      list.add('json', nameOf(levels), text.slice(index, end));
      index = end;
      continue;
    } else if (isWordCode(code)) {
      index = wordEnd(text, index);
      continue;
    }
    index++;
  }
}

/** A string before a colon, in an object (or outside of anything: the beginning may be missing). */
function isKey(text: ByteString, after: number, level: Level | undefined): boolean {
  if (level?.isArray) return false;
  let index = after;
  while (index < text.length && text.charCodeAt(index) <= 0x20) index++;
  return text.charCodeAt(index) === 0x3a;
}

function nameOf(levels: readonly Level[]): ByteString {
  let name = '';
  for (const level of levels) {
    if (level.isArray) name += `[${String(level.index)}]`;
    else if (level.key !== '') name += name === '' ? level.key : `.${level.key}`;
    if (name.length > 256) break;
  }
  return name;
}

/** Offset of the closing quote, or the end of the text. */
function stringEnd(text: ByteString, start: number): number {
  let index = start;
  while (index < text.length) {
    const code = text.charCodeAt(index);
    if (code === 0x22) return index;
    index += code === 0x5c ? 2 : 1;
  }
  return text.length;
}

/** The UTF-8 bytes that a JSON string stands for. Bad escapes stand for themselves. */
function unescapeJson(raw: ByteString): ByteString {
  let at = raw.indexOf('\\');
  if (at === -1) return raw;
  let text = '';
  let start = 0;
  while (at !== -1 && at + 1 < raw.length) {
    const escape = raw[at + 1] as string;
    let length = 2;
    let character = ESCAPES.get(escape) ?? null;
    if (escape === 'u') {
      const unit = hexUnit(raw, at + 2);
      if (unit !== -1) {
        length = 6;
        const low = raw[at + 6] === '\\' && raw[at + 7] === 'u' ? hexUnit(raw, at + 8) : -1;
        const isPair = unit >= 0xd800 && unit < 0xdc00 && low >= 0xdc00 && low < 0xe000;
        if (isPair) length = 12;
        character = byteStringFromText(isPair ? String.fromCharCode(unit, low) : String.fromCharCode(unit));
      }
    }
    if (character !== null) {
      text += raw.slice(start, at) + character;
      start = at + length;
    }
    at = raw.indexOf('\\', at + length);
  }
  return text + raw.slice(start);
}

const ESCAPES: ReadonlyMap<string, string> = new Map(
  Object.entries({ '"': '"', '\\': '\\', '/': '/', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' }),
);

function hexUnit(raw: ByteString, start: number): number {
  let unit = 0;
  for (let index = start; index < start + 4; index++) {
    const digit = hexValue(raw.charCodeAt(index));
    if (digit === -1) return -1;
    unit = unit * 16 + digit;
  }
  return unit;
}

function isNumberStart(code: number): boolean {
  return code === 0x2d || (code >= 0x30 && code <= 0x39);
}

function isWordCode(code: number): boolean {
  const lower = code | 0x20;
  return isNumberStart(code) || code === 0x2b || code === 0x2e || (lower >= 97 && lower <= 122);
}

function wordEnd(text: ByteString, start: number): number {
  let index = start;
  while (index < text.length && isWordCode(text.charCodeAt(index))) index++;
  return index;
}
