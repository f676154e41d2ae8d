import { byteString, type ByteString } from '../../base/bytes.ts';
import { BerCursor, integer, TAG } from './ber.ts';
import { writeFilter } from './filter.ts';
import { OPERATION, type Envelope } from './parser.ts';
import { RequestText } from './text.ts';

const MAX_NAME_BYTES = 4096;
const SCOPES = ['base', 'one', 'sub', 'children'];
const CHANGES = ['add', 'delete', 'replace', 'increment'];
const NAMES: ReadonlyMap<number, string> = new Map([
  [OPERATION.bind, 'BIND'],
  [OPERATION.unbind, 'UNBIND'],
  [OPERATION.search, 'SEARCH'],
  [OPERATION.modify, 'MODIFY'],
  [OPERATION.add, 'ADD'],
  [OPERATION.delete, 'DELETE'],
  [OPERATION.modifyDn, 'MODIFYDN'],
  [OPERATION.compare, 'COMPARE'],
  [OPERATION.abandon, 'ABANDON'],
  [OPERATION.extended, 'EXTENDED'],
]);
export const START_TLS = '1.3.6.1.4.1.1466.20037';
/** Extended operations by their number, for people. */
const EXTENSIONS: Readonly<Record<string, string>> = {
  [START_TLS]: 'StartTLS',
  '1.3.6.1.4.1.4203.1.11.1': 'PasswordModify',
  '1.3.6.1.4.1.4203.1.11.3': 'WhoAmI',
  '1.3.6.1.1.8': 'Cancel',
};

export interface ParsedRequest {
  readonly operation: ByteString;
  readonly text: RequestText;
  /** BIND: who wants to be known. */
  readonly name: ByteString;
  /** EXTENDED: its number. */
  readonly extension: ByteString;
  /** ABANDON: the request that needs no answer any more. */
  readonly abandoned: number;
}

/** A request, of which the bytes up to `end` were captured. Names are told, passwords and their like are not. */
export function parseRequest(bytes: Uint8Array, envelope: Envelope, end: number): ParsedRequest {
  const { operation, valueStart, valueEnd } = envelope;
  const text = new RequestText();
  const cursor = new BerCursor(bytes, valueStart, Math.min(valueEnd, end));
  const request = { operation: NAMES.get(operation) ?? '', text, name: '', extension: '', abandoned: 0 };
  switch (operation) {
    case OPERATION.bind:
      request.name = writeBind(cursor, text);
      break;
    case OPERATION.search:
      writeSearch(cursor, text);
      break;
    case OPERATION.modify:
      writeName(cursor, text);
      if (cursor.next()) writeChanges(cursor.inside(), text);
      break;
    case OPERATION.add:
      writeName(cursor, text);
      if (cursor.next())
        for (const attribute = cursor.inside(); !text.isCut && attribute.next();)
          writeAttribute(attribute.inside(), text);
      break;
    case OPERATION.delete:
      text.write(byteString(bytes, valueStart, Math.min(valueEnd, end, valueStart + MAX_NAME_BYTES)));
      if (valueEnd > end) text.isCut = true;
      break;
    case OPERATION.modifyDn:
      writeName(cursor, text);
      while (cursor.next()) if (cursor.tag !== TAG.boolean) text.write(` ${cursor.text(MAX_NAME_BYTES)}`);
      break;
    case OPERATION.compare:
      writeName(cursor, text);
      if (cursor.next()) writeAssertion(cursor.inside(), text);
      break;
    case OPERATION.abandon:
      request.abandoned = integer(bytes, valueStart, Math.min(valueEnd, end));
      text.write(String(request.abandoned));
      break;
    case OPERATION.extended:
      if (cursor.next() && cursor.tag === 0x80) request.extension = cursor.text(256);
      text.write(EXTENSIONS[request.extension] ?? request.extension);
      break;
    default:
  }
  if (cursor.isCut) text.isCut = true;
  return request;
}

function writeName(cursor: BerCursor, text: RequestText): void {
  if (cursor.next()) text.write(cursor.text(MAX_NAME_BYTES));
}

/** Version, name, then a password [0] or a mechanism with its credentials [3]. */
function writeBind(cursor: BerCursor, text: RequestText): ByteString {
  cursor.next();
  const name = cursor.next() ? cursor.text(MAX_NAME_BYTES) : '';
  let method = '';
  if (cursor.next() && cursor.tag === 0x80)
    method = cursor.valueEnd > cursor.valueStart ? 'simple' : 'anonymous';
  else if (cursor.tag === 0xa3) {
    const inner = cursor.inside();
    method = inner.next() ? inner.text(64) : '';
  }
  text.write(name === '' ? method : `${method} ${name}`);
  return name;
}

/** Like the tail of an LDAP URL (RFC 4516): base?attributes?scope?filter */
function writeSearch(cursor: BerCursor, text: RequestText): void {
  const base = cursor.next() ? cursor.text(MAX_NAME_BYTES) : '';
  const scope = cursor.next() ? (SCOPES[cursor.number()] ?? '') : '';
  // How to follow aliases, limits of size and time, types only.
  for (let skipped = 0; skipped < 4; skipped++) cursor.next();
  const filter = new RequestText();
  if (cursor.next()) writeFilter(cursor, filter);
  const attributes: ByteString[] = [];
  if (cursor.next()) {
    for (const inner = cursor.inside(); attributes.length < 100 && inner.next();)
      attributes.push(inner.text(256));
  }
  text.write(`${base}?${attributes.join(',')}?${scope}?${filter.text}`);
  for (const value of filter.parameters) text.parameter(value);
  if (filter.isCut) text.isCut = true;
}

function writeChanges(changes: BerCursor, text: RequestText): void {
  while (!text.isCut && changes.next()) {
    const change = changes.inside();
    text.write(` ${change.next() ? (CHANGES[change.number()] ?? '') : ''}`);
    if (change.next()) writeAttribute(change.inside(), text);
    if (change.isCut) text.isCut = true;
  }
  if (changes.isCut) text.isCut = true;
}

/** A name and a set of values: ' mail=a mail=b', or the name alone. */
function writeAttribute(cursor: BerCursor, text: RequestText): void {
  const name = cursor.next() ? cursor.text(256) : '';
  let count = 0;
  if (cursor.next()) {
    for (const value = cursor.inside(); !text.isCut && value.next(); count++) {
      text.write(` ${name}=${text.value(name, value)}`);
    }
  }
  if (count === 0) text.write(` ${name}`);
  if (cursor.isCut) text.isCut = true;
}

function writeAssertion(cursor: BerCursor, text: RequestText): void {
  const name = cursor.next() ? cursor.text(256) : '';
  if (cursor.next()) text.write(` ${name}=${text.value(name, cursor)}`);
}
