import type { ByteString } from '../../base/bytes.ts';
import type { BerCursor } from './ber.ts';
import type { RequestText } from './text.ts';

/** Deeper filters are an attack on somebody's stack. */
const MAX_DEPTH = 50;
const MAX_NAME_BYTES = 256;
const SIGNS: ReadonlyMap<number, string> = new Map([
  [0xa3, '='],
  [0xa5, '>='],
  [0xa6, '<='],
  [0xa8, '~='],
]);

/** Writes the filter under the cursor as RFC 4515 does: (&(uid=alice)(!(mail=*))). */
export function writeFilter(cursor: BerCursor, text: RequestText, depth = 0): void {
  if (depth > MAX_DEPTH) {
    text.isCut = true;
    return;
  }
  switch (cursor.tag) {
    case 0xa0:
    case 0xa1:
    case 0xa2:
      text.write(`(${cursor.tag === 0xa0 ? '&' : cursor.tag === 0xa1 ? '|' : '!'}`);
      for (const inner = cursor.inside(); !text.isCut && inner.next();) writeFilter(inner, text, depth + 1);
      text.write(')');
      break;
    case 0x87:
      text.write(`(${cursor.text(MAX_NAME_BYTES)}=*)`);
      break;
    case 0xa4:
      writeSubstrings(cursor.inside(), text);
      break;
    case 0xa9:
      writeExtensible(cursor.inside(), text);
      break;
    default:
      writeComparison(cursor, SIGNS.get(cursor.tag), text);
  }
  if (cursor.isCut) text.isCut = true;
}

function writeComparison(cursor: BerCursor, sign: string | undefined, text: RequestText): void {
  const inner = cursor.inside();
  if (sign === undefined || !inner.next()) {
    text.isCut = true;
    return;
  }
  const attribute = inner.text(MAX_NAME_BYTES);
  const value = inner.next() ? text.value(attribute, inner) : '';
  text.write(`(${attribute}${sign}${escaped(value)})`);
}

/** An attribute, then a sequence of initial [0], any [1] and final [2] parts. */
function writeSubstrings(inner: BerCursor, text: RequestText): void {
  const attribute = inner.next() ? inner.text(MAX_NAME_BYTES) : '';
  text.write(`(${attribute}=`);
  let last = 0x80;
  if (inner.next()) {
    for (const part = inner.inside(); !text.isCut && part.next();) {
      if (part.tag !== 0x80) text.write('*');
      text.write(escaped(text.value(attribute, part)));
      last = part.tag;
    }
  }
  text.write(last === 0x82 ? ')' : '*)');
}

/** [1] matching rule, [2] attribute, [3] value, [4] whether the name's own attributes count. */
function writeExtensible(inner: BerCursor, text: RequestText): void {
  let rule = '';
  let attribute = '';
  let value = '';
  let isDn = false;
  while (inner.next()) {
    if (inner.tag === 0x81) rule = `:${inner.text(MAX_NAME_BYTES)}`;
    else if (inner.tag === 0x82) attribute = inner.text(MAX_NAME_BYTES);
    else if (inner.tag === 0x83) value = text.value(attribute, inner);
    else if (inner.tag === 0x84) isDn = inner.number() !== 0 || inner.bytes[inner.valueStart] === 0xff;
  }
  text.write(`(${attribute}${isDn ? ':dn' : ''}${rule}:=${escaped(value)})`);
}

/** RFC 4515: what would read as structure, and NUL, as \xx. */
function escaped(value: ByteString): ByteString {
  let result = '';
  let start = 0;
  for (let index = 0; index < value.length; index++) {
    const code = value.charCodeAt(index);
    if (code !== 0x28 && code !== 0x29 && code !== 0x2a && code !== 0x5c && code !== 0) continue;
    result += `${value.slice(start, index)}\\${code.toString(16).padStart(2, '0')}`;
    start = index + 1;
  }
  return start === 0 ? value : result + value.slice(start);
}
