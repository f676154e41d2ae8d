import { byteString, type ByteString } from '../../base/bytes.ts';
import { isBlank, trimBlanks } from '../http/headers.ts';

/** Bytes of a head that are kept. Servers of today refuse heads beyond 8 to 32 KiB. */
export const MAX_HEAD_BYTES = 16 * 1024;

const TAB = 9;
const LF = 10;
const CR = 13;
const SPACE = 32;
const COLON = 58;

/**
 * What the quick scan of a head found. One object per direction of a connection, used again for every message, so
 * that a plain message costs no allocation here.
 */
export class HeadScan {
  /** Offset of the LF that ends the first line, -1 while it has not come. */
  firstLineEnd = -1;
  /** Value of the only, plainly written Content-Length; -1 without one. */
  contentLength = -1;
  /** The framing is anything but none or one plain Content-Length: ask readFraming. */
  needsCare = false;
  hasExpect = false;
  /** There is a Connection header whose value begins like "close". */
  mayClose = false;
}

/**
 * Looks for the end of a head that begins at `start`, and notes in `scan` what matters for framing. It is the hot
 * loop of the leaf: one pass, nothing but a look at the first byte of every line.
 * @param end nothing after it is read, though a search may pass it: best when it is the end of `bytes`
 * @returns offset after the empty line, or -1 when the head is not complete; then only scan.firstLineEnd holds
 */
export function scanHead(bytes: Uint8Array, start: number, end: number, scan: HeadScan): number {
  scan.firstLineEnd = -1;
  scan.contentLength = -1;
  scan.needsCare = false;
  scan.hasExpect = false;
  scan.mayClose = false;
  // The built-in search costs less than a loop from the 20th byte of a line on.
  let lineEnd = bytes.indexOf(LF, start);
  if (lineEnd === -1 || lineEnd >= end) return -1;
  scan.firstLineEnd = lineEnd;
  while (lineEnd !== -1) {
    const line = lineEnd + 1;
    if (line >= end) return -1;
    const first = bytes[line] as number;
    switch (first | 0x20) {
      case 0x63: // c
        if (hasName(bytes, line, end, 'content-length')) readLength(bytes, line + 14, end, scan);
        else if (hasName(bytes, line, end, 'connection')) noteClose(bytes, line + 10, end, scan);
        break;
      case 0x74: // t
        if (hasName(bytes, line, end, 'transfer-encoding')) scan.needsCare = true;
        break;
      case 0x65: // e
        if (hasName(bytes, line, end, 'expect')) scan.hasExpect = true;
        break;
      case 0x20: // a folded line (a NUL comes here too: as careful)
        scan.needsCare = true;
        break;
      case 0x29: // tab
        if (first === TAB) scan.needsCare = true;
        break;
      case 0x2d: // CR
        if (first === CR) {
          if (line + 1 >= end) return -1;
          if (bytes[line + 1] === LF) return line + 2;
        }
        break;
      case 0x2a: // LF
        if (first === LF) return line + 1;
        break;
      default:
    }
    lineEnd = bytes.indexOf(LF, line);
  }
  return -1;
}

/** Whether a line begins with the field name, whatever its case, before a colon or the white space of a bad one. */
function hasName(bytes: Uint8Array, line: number, end: number, name: string): boolean {
  const after = line + name.length;
  if (after >= end) return false;
  const separator = bytes[after];
  if (separator !== COLON && separator !== SPACE && separator !== TAB) return false;
  for (let index = 1; index < name.length; index++) {
    if (((bytes[line + index] as number) | 0x20) !== (name.charCodeAt(index) | 0x20)) return false;
  }
  return true;
}

/** Reads the value of a Content-Length line; whatever is not one plain number is left to readFraming. */
function readLength(bytes: Uint8Array, colon: number, end: number, scan: HeadScan): void {
  if (bytes[colon] !== COLON || scan.contentLength !== -1) {
    scan.needsCare = true;
    return;
  }
  let index = colon + 1;
  while (index < end && (bytes[index] === SPACE || bytes[index] === TAB)) index++;
  let value = 0;
  let digits = 0;
  for (; index < end && digits <= 15; index++, digits++) {
    const digit = (bytes[index] as number) - 48;
    if (digit < 0 || digit > 9) break;
    value = value * 10 + digit;
  }
  if (bytes[index] === CR) index++;
  if (digits === 0 || digits > 15 || bytes[index] !== LF) scan.needsCare = true;
  else scan.contentLength = value;
}

function noteClose(bytes: Uint8Array, colon: number, end: number, scan: HeadScan): void {
  let index = colon + 1;
  while (index < end && bytes[index] === SPACE) index++;
  if (((bytes[index] ?? 0) | 0x20) === 0x63) scan.mayClose = true;
}

/**
 * Judges a request line. Lenient, as servers are: white space may be doubled, the version may be odd.
 * @param lineEnd offset of its LF
 * @returns 'versioned', 'simple' (HTTP/0.9: no version, no headers follow) or 'malformed'
 */
export function requestLineKind(
  bytes: Uint8Array,
  start: number,
  lineEnd: number,
): 'versioned' | 'simple' | 'malformed' {
  let end = lineEnd;
  while (end > start && isBlank(bytes[end - 1])) end--;
  const methodEnd = tokenEnd(bytes, start, end);
  if (methodEnd === start || (bytes[methodEnd] !== SPACE && bytes[methodEnd] !== TAB)) return 'malformed';
  let version = end;
  while (version > methodEnd && end - version <= 16 && !isBlank(bytes[version - 1])) version--;
  if (version > methodEnd + 1 && isVersion(bytes, version, end)) return 'versioned';
  let target = methodEnd;
  while (target < end && isBlank(bytes[target])) target++;
  if (bytes[target] === 0x2f && isKnownMethod(bytes, start, methodEnd)) return 'simple';
  return 'malformed';
}

/** "HTTP/" in any case, then something. */
function isVersion(bytes: Uint8Array, start: number, end: number): boolean {
  return (
    end - start >= 6 &&
    ((bytes[start] as number) | 0x20) === 0x68 &&
    ((bytes[start + 1] as number) | 0x20) === 0x74 &&
    ((bytes[start + 2] as number) | 0x20) === 0x74 &&
    ((bytes[start + 3] as number) | 0x20) === 0x70 &&
    bytes[start + 4] === 0x2f
  );
}

/** The connection preface of HTTP/2, whose first line looks like a request of HTTP/1. */
export function isHttp2Preface(bytes: Uint8Array, start: number, lineEnd: number): boolean {
  return lineEnd - start >= 14 && byteString(bytes, start, start + 14) === 'PRI * HTTP/2.0';
}

/**
 * Whether a request begins at `start`.
 * @param isStrict only registered methods count and few bytes must do: for finding a request among unknown bytes
 */
export function requestPlausibility(
  bytes: Uint8Array,
  start: number,
  end: number,
  isStrict: boolean,
): 'yes' | 'no' | 'maybe' {
  const methodEnd = tokenEnd(bytes, start, Math.min(end, start + MAX_METHOD_BYTES + 1));
  const length = methodEnd - start;
  if (length > MAX_METHOD_BYTES) return 'no';
  if (methodEnd === end) return isStrict && !beginsMethod(bytes, start, end) ? 'no' : 'maybe';
  if (length === 0 || (bytes[methodEnd] !== SPACE && bytes[methodEnd] !== TAB)) return 'no';
  const isKnown = isKnownMethod(bytes, start, methodEnd);
  if (isStrict && !isKnown) return 'no';
  const target = methodEnd + 1;
  if (target === end) return 'maybe';
  const lineEnd = bytes.subarray(0, end).indexOf(LF, target);
  if (lineEnd !== -1) {
    if (isHttp2Preface(bytes, start, lineEnd)) return 'no';
    const kind = requestLineKind(bytes, start, lineEnd);
    if (kind === 'versioned') return 'yes';
    // An inline command of another protocol looks the same; only GET was ever sent without a version.
    return kind === 'simple' && byteString(bytes, start, methodEnd) === 'GET' ? 'yes' : 'no';
  }
  if (isKnown && bytes[target] === 0x2f) return 'yes';
  const form = isKnown ? beginsTarget(byteString(bytes, target, Math.min(end, target + 10))) : 'no';
  if (isStrict || form === 'yes') return form;
  if (end - start > MAX_HEAD_BYTES) return 'no';
  for (let index = target; index < end; index++) {
    const byte = bytes[index] as number;
    if (byte < SPACE && byte !== TAB && byte !== CR) return 'no';
  }
  return 'maybe';
}

/** Targets that are not a path, from their first bytes. */
function beginsTarget(target: ByteString): 'yes' | 'no' | 'maybe' {
  const lower = target.toLowerCase();
  for (const form of ['http://', 'https://', '* http/1.']) {
    if (lower.startsWith(form)) return 'yes';
    if (form.startsWith(lower)) return 'maybe';
  }
  return 'no';
}

// Methods of the IANA registry that servers meet. Others are understood where a connection is in step; these are the
// ones that a request is recognised by among unknown bytes.
const METHODS: readonly string[] = [
  'GET HEAD POST PUT DELETE CONNECT OPTIONS TRACE PATCH PURGE QUERY PROPFIND PROPPATCH MKCOL COPY MOVE LOCK UNLOCK',
  'SEARCH REPORT MKCALENDAR ACL BIND REBIND UNBIND MERGE CHECKOUT MKACTIVITY LINK UNLINK SUBSCRIBE NOTIFY',
].flatMap((line) => line.split(' '));
const KNOWN_METHODS: ReadonlySet<string> = new Set(METHODS);
const MAX_METHOD_BYTES = 24;

function isKnownMethod(bytes: Uint8Array, start: number, end: number): boolean {
  return KNOWN_METHODS.has(byteString(bytes, start, end));
}

function beginsMethod(bytes: Uint8Array, start: number, end: number): boolean {
  const text = byteString(bytes, start, end);
  return METHODS.some((method) => method.startsWith(text));
}

function tokenEnd(bytes: Uint8Array, start: number, end: number): number {
  let index = start;
  while (index < end && isTokenByte(bytes[index] as number)) index++;
  return index;
}

/** The characters of an RFC 9110 token. */
export function isTokenByte(byte: number): boolean {
  if (byte >= 0x61 && byte <= 0x7a) return true;
  if (byte >= 0x41 && byte <= 0x5a) return true;
  if (byte >= 0x30 && byte <= 0x39) return true;
  return byte < 0x80 && "!#$%&'*+-.^_`|~".includes(String.fromCharCode(byte));
}

export interface RequestLine {
  readonly method: ByteString;
  readonly target: ByteString;
  /** Such as 'HTTP/1.1'; '' when the line has none or is cut. */
  readonly version: ByteString;
}

/** Parts of a request line that requestLineKind accepted, or of the beginning of one. */
export function parseRequestLine(head: ByteString): RequestLine {
  const lineEnd = head.indexOf('\n');
  const line = trimBlanks(lineEnd === -1 ? head : head.slice(0, lineEnd));
  const first = blankIndex(line);
  if (first === -1) return { method: line, target: '', version: '' };
  const method = line.slice(0, first);
  const last = lastBlankIndex(line);
  const word = line.slice(last + 1);
  if (last === first || lineEnd === -1 || word.slice(0, 5).toLowerCase() !== 'http/') {
    return { method, target: trimBlanks(line.slice(first)), version: '' };
  }
  return { method, target: trimBlanks(line.slice(first, last)), version: word };
}

export function blankIndex(line: ByteString): number {
  for (let index = 0; index < line.length; index++) if (isBlank(line.charCodeAt(index))) return index;
  return -1;
}

function lastBlankIndex(line: ByteString): number {
  for (let index = line.length - 1; index >= 0; index--) if (isBlank(line.charCodeAt(index))) return index;
  return -1;
}
