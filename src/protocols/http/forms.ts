import { isUtf8 } from 'node:buffer';
import { byteString, byteStringFromText, type ByteString } from '../../base/bytes.ts';
import { hexValue, percentDecode } from '../../base/percent.ts';

/** Rounds of percent-decoding: proxy, framework and program may each do one. */
const MAX_ROUNDS = 3;
const MAX_FORMS = 16;

/**
 * The distinct forms in which a program may see a value: itself, percent-decoded up to three times, the same with
 * plus as space first, and each of these with HTML entities replaced and with base64 decoded. Their number is
 * bounded, and none is longer than the value.
 */
export function decodedForms(value: ByteString): readonly ByteString[] {
  const forms: ByteString[] = [value];
  addPercentDecoded(forms, value);
  if (value.includes('+')) {
    const spaced = value.replaceAll('+', ' ');
    addForm(forms, spaced);
    addPercentDecoded(forms, spaced);
  }
  const count = forms.length;
  for (let index = 0; index < count; index++) {
    const form = forms[index] as ByteString;
    const text = decodeEntities(form);
    if (text !== form) addForm(forms, text);
    const decoded = decodeBase64(form);
    if (decoded !== null) addForm(forms, decoded);
  }
  return forms;
}

function addPercentDecoded(forms: ByteString[], value: ByteString): void {
  let current = value;
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const next = percentDecode(current);
    if (next === current) return;
    addForm(forms, next);
    current = next;
  }
}

function addForm(forms: ByteString[], form: ByteString): void {
  if (forms.length < MAX_FORMS && form !== '' && !forms.includes(form)) forms.push(form);
}

/** As forms and query strings are read: plus is a space, then percent-decoded once. */
export function decodeFormComponent(value: ByteString): ByteString {
  return percentDecode(value.includes('+') ? value.replaceAll('+', ' ') : value);
}

// Only entities of characters that attacks are written with: others change no meaning.
const ENTITIES: ReadonlyMap<string, string> = new Map([
  ...Object.entries({ lt: '<', gt: '>', amp: '&', quot: '"', apos: "'", sol: '/', bsol: '\\', colon: ':' }),
  ...Object.entries({ semi: ';', lpar: '(', rpar: ')', lbrace: '{', rbrace: '}', lcub: '{', rcub: '}' }),
  ...Object.entries({ lsqb: '[', rsqb: ']', dollar: '$', grave: '`', vert: '|', verbar: '|', period: '.' }),
  ...Object.entries({ Tab: '\t', NewLine: '\n', equals: '=', comma: ',', excl: '!', num: '#', percnt: '%' }),
  ...Object.entries({
    plus: '+',
    ast: '*',
    lowbar: '_',
    commat: '@',
    quest: '?',
    Hat: '^',
    nbsp: '\xc2\xa0',
  }),
]);

function decodeEntities(value: ByteString): ByteString {
  let at = value.indexOf('&');
  if (at === -1) return value;
  let decoded = '';
  let start = 0;
  while (at !== -1) {
    const end = value.slice(at + 1, at + 12).indexOf(';');
    const character = end === -1 ? null : entity(value.slice(at + 1, at + 1 + end));
    if (character !== null) {
      decoded += value.slice(start, at) + character;
      start = at + end + 2;
    }
    at = value.indexOf('&', Math.max(start, at + 1));
  }
  return decoded + value.slice(start);
}

function entity(name: string): ByteString | null {
  if (!name.startsWith('#')) return ENTITIES.get(name) ?? null;
  const isHex = name[1] === 'x' || name[1] === 'X';
  const digits = name.slice(isHex ? 2 : 1);
  if (digits === '') return null;
  let code = 0;
  for (let index = 0; index < digits.length; index++) {
    const digit = hexValue(digits.charCodeAt(index));
    if (digit === -1 || (!isHex && digit > 9)) return null;
    code = code * (isHex ? 16 : 10) + digit;
  }
  if (code === 0 || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return null;
  return code < 0x80 ? String.fromCharCode(code) : byteStringFromText(String.fromCodePoint(code));
}

/**
 * Decodes standard or URL-safe base64 where the value looks like it and the result is text of at least four bytes.
 * Padding is needed unless the length tells nothing is missing, or the alphabet is the URL-safe one.
 */
function decodeBase64(value: ByteString): ByteString | null {
  let length = value.length;
  while (length > 0 && value.length - length < 2 && value.charCodeAt(length - 1) === 0x3d) length--;
  if (length < 6 || length % 4 === 1) return null;
  let isUrlSafe = false;
  for (let index = 0; index < length; index++) {
    const code = value.charCodeAt(index);
    const lower = code | 0x20;
    if ((lower >= 97 && lower <= 122) || (code >= 47 && code <= 57) || code === 0x2b) continue;
    if (code !== 0x2d && code !== 0x5f) return null;
    isUrlSafe = true;
  }
  if (value.length % 4 !== 0 && !isUrlSafe && length < 12) return null;
  const bytes = Buffer.from(value.slice(0, length), 'base64');
  if (bytes.length < 4 || !isPrintable(bytes)) return null;
  return byteString(bytes);
}

function isPrintable(bytes: Uint8Array): boolean {
  for (let index = 0; index < bytes.length; index++) {
    const byte = bytes[index] as number;
    if (byte === 0x7f || (byte < 0x20 && byte !== 9 && byte !== 10 && byte !== 13)) return false;
  }
  return isUtf8(bytes);
}
