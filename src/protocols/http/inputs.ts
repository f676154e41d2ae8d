import { byteString, type ByteString } from '../../base/bytes.ts';
import type { RequestMessage } from '../../model/request.ts';
import { percentDecode } from '../../base/percent.ts';
import { withoutCoding } from './content-coding.ts';
import { decodeFormComponent } from './forms.ts';
import { InputList, MAX_INPUTS, MAX_VALUE_BYTES } from './input-list.ts';
import { collectJson } from './json-leaves.ts';
import { collectMultipart } from './multipart.ts';
import { trimBlanks } from './headers.ts';
import { collectXml } from './xml-leaves.ts';

type InputSource = Pick<RequestMessage, 'method' | 'target' | 'headers' | 'body'>;

// How many inputs there may be when a part of the message has been collected: one that is stuffed with parameters
// cannot hide the others.
const MAX_AFTER_QUERY = 112;
const MAX_AFTER_BODY = 192;
const MAX_AFTER_SEGMENTS = 222;
const MAX_AFTER_PATH = 224;

/** Everything in a request that its sender chose. */
export function requestInputs(message: InputSource): InputList {
  const list = new InputList();
  const target = splitTarget(message.method, message.target);
  list.limit = MAX_AFTER_QUERY;
  collectPairs('query', target.query, list);
  list.limit = MAX_AFTER_BODY;
  if (message.body.length > 0) collectBody(message, list);
  collectPath(target.path, list);
  list.limit = MAX_INPUTS;
  if (target.authority !== '') list.add('header', 'host', target.authority);
  collectHeaders(message.headers, list);
  return list;
}

interface TargetParts {
  readonly authority: ByteString;
  readonly path: ByteString;
  readonly query: ByteString;
}

/** Parts of a request target in origin, absolute or authority form. */
function splitTarget(method: ByteString, target: ByteString): TargetParts {
  // Extended CONNECT (RFC 8441) has a path.
  if (method === 'CONNECT' && !target.startsWith('/')) return { authority: target, path: '', query: '' };
  const question = target.indexOf('?');
  let path = question === -1 ? target : target.slice(0, question);
  const query = question === -1 ? '' : target.slice(question + 1);
  let authority = '';
  const scheme = path.startsWith('/') ? -1 : path.indexOf('://');
  if (scheme !== -1) {
    const slash = path.indexOf('/', scheme + 3);
    authority = path.slice(scheme + 3, slash === -1 ? path.length : slash);
    path = slash === -1 ? '' : path.slice(slash);
  }
  return { authority, path, query };
}

/**
 * Every segment of the path. A path that is encoded or climbs is also given whole, and from its first such segment
 * on: that is what is left when a program has taken its own prefix away.
 */
function collectPath(path: ByteString, list: InputList): void {
  if (path === '*') return;
  list.limit = MAX_AFTER_SEGMENTS;
  let odd = -1;
  let start = 0;
  while (start < path.length) {
    let end = path.indexOf('/', start);
    if (end === -1) end = path.length;
    const segment = path.slice(start, end);
    if (odd === -1 && (segment === '.' || segment === '..' || segment.includes('%'))) odd = start;
    list.add('path', '', segment);
    start = end + 1;
  }
  if (odd === -1) return;
  list.limit = MAX_AFTER_PATH;
  list.add('path', '', path);
  if (path.includes('/', odd)) list.add('path', '', path.slice(odd));
}

/** Pairs of a query string or an urlencoded form. A semicolon separates nothing: it is part of too many attacks. */
function collectPairs(location: 'query' | 'form', text: ByteString, list: InputList): void {
  let start = 0;
  while (start < text.length && !list.isFull) {
    let end = text.indexOf('&', start);
    if (end === -1) end = text.length;
    const equals = text.slice(start, end).indexOf('=');
    if (equals === -1) list.add(location, '', text.slice(start, end));
    else {
      const name = text.slice(start, start + equals);
      const value = text.slice(start + equals + 1, end);
      list.addNamed(location, name, decodeFormComponent(name), value);
      // Filters and the like are often JSON inside a parameter.
      const decoded = decodeFormComponent(value);
      if (decoded.startsWith('{') || decoded.startsWith('[')) collectJson(decoded, list);
    }
    start = end + 1;
  }
}

function collectBody(message: InputSource, list: InputList): void {
  const contentType = headerValue(message, 'content-type');
  const mediaType = trimBlanks(contentType.split(';', 1)[0] ?? '').toLowerCase();
  const body = byteString(withoutCoding(message.body, headerValue(message, 'content-encoding')));
  if (mediaType.startsWith('multipart/')) {
    collectMultipart(contentType, body, list);
    return;
  }
  const first = firstCharacter(body);
  // The content type is the client's word: programs that parse whatever comes find JSON and XML under any name.
  if (mediaType.includes('json') || ((first === '{' || first === '[') && mediaType !== FORM)) {
    collectJson(body, list);
    return;
  }
  if (mediaType === FORM || (mediaType === '' && isLikeForm(body))) {
    collectPairs('form', body, list);
    if (!body.includes('=')) collectText(body, list);
    return;
  }
  collectText(body, list);
  if (first === '<' || mediaType.includes('xml')) collectXml(body, list);
}

const FORM = 'application/x-www-form-urlencoded';
const WINDOW_OVERLAP_BYTES = 512;

/** A body as it is, in windows that overlap so that nothing short is cut in two. */
export function collectText(body: ByteString, list: InputList): void {
  for (let start = 0; start === 0 || start + WINDOW_OVERLAP_BYTES < body.length;) {
    list.add('body', '', body.slice(start, start + MAX_VALUE_BYTES));
    start += MAX_VALUE_BYTES - WINDOW_OVERLAP_BYTES;
  }
}

function firstCharacter(body: ByteString): string {
  let index = body.startsWith('\xef\xbb\xbf') ? 3 : 0;
  while (index < body.length && body.charCodeAt(index) <= 0x20) index++;
  return body[index] ?? '';
}

/** name=value without white space or control characters. */
function isLikeForm(body: ByteString): boolean {
  const equals = body.indexOf('=');
  if (equals < 1) return false;
  for (let index = 0; index < body.length; index++) if (body.charCodeAt(index) <= 0x20) return false;
  return true;
}

function headerValue(message: InputSource, wanted: string): ByteString {
  for (const [name, value] of message.headers) if (name === wanted) return value;
  return '';
}

// Headers that clients and proxies write for transport, and whose values are the same for everyone.
const TRANSPORT_HEADERS: ReadonlySet<string> = new Set(
  [
    'connection keep-alive proxy-connection te trailer transfer-encoding upgrade expect content-length content-type',
    'content-encoding cache-control pragma date dnt priority upgrade-insecure-requests http2-settings sec-gpc',
    'if-modified-since if-unmodified-since max-forwards',
    'sec-websocket-version sec-websocket-key sec-websocket-extensions',
  ].flatMap((line) => line.split(' ')),
);

function collectHeaders(headers: InputSource['headers'], list: InputList): void {
  for (const [name, value] of headers) {
    if (list.isFull) return;
    if (name === 'cookie') collectCookies(value, list);
    else if (!isTransportHeader(name) || isUnusual(value)) {
      list.add('header', name, value);
      // Credentials stand after a scheme word: as a value of their own their base64 is seen.
      const space = name === 'authorization' ? value.indexOf(' ') : -1;
      if (space !== -1) list.add('header', name, trimBlanks(value.slice(space + 1)));
    }
  }
}

function isTransportHeader(name: ByteString): boolean {
  return (
    TRANSPORT_HEADERS.has(name) ||
    name.startsWith('accept') ||
    name.startsWith('sec-fetch-') ||
    name.startsWith('sec-ch-')
  );
}

/** Characters that no such header needs: some programs evaluate even a Content-Type (CVE-2017-5638). */
function isUnusual(value: ByteString): boolean {
  for (const mark of ['$', '`', '|', '<', '\\', '{', '%', '..']) if (value.includes(mark)) return true;
  return false;
}

function collectCookies(header: ByteString, list: InputList): void {
  for (const pair of header.split(';', 256)) {
    const equals = pair.indexOf('=');
    const name = equals === -1 ? '' : trimBlanks(pair.slice(0, equals));
    let value = trimBlanks(equals === -1 ? pair : pair.slice(equals + 1));
    if (value.length > 1 && value.startsWith('"') && value.endsWith('"')) value = value.slice(1, -1);
    list.addNamed('cookie', name, percentDecode(name), value);
  }
}
