/**
 * Exchanges so plain that nothing can be said about them from their bytes: told by one look, without parsing. The rules
 * are narrow on purpose; what is not plain is read in full.
 */
const LF = 10;
const CR = 13;
const SPACE = 32;
const DOT = 46;
const SLASH = 47;
const COLON = 58;
const QUESTION_MARK = 63;

/** What a byte may be: in a path, in a query, in a header field's value, in its name. */
const IN_PATH = 1;
const IN_QUERY = 2;
const IN_VALUE = 4;
const IN_NAME = 8;

const CLASSES = new Uint8Array(256);
const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
allow(`${LETTERS}/_.~-`, IN_PATH);
// No slash: an absolute path in a parameter is worth a look.
allow(`${LETTERS}_.~-=+,`, IN_QUERY);
// No bytes that begin a substitution, an alternative or a percent-encoded one.
allow(`${LETTERS} \t!"#&'()*+,-./:;<=>?@[\\]^_}~`, IN_VALUE);
allow(`${LETTERS}-_`, IN_NAME);

function allow(characters: string, place: number): void {
  for (let index = 0; index < characters.length; index++) {
    const code = characters.charCodeAt(index);
    CLASSES[code] = (CLASSES[code] as number) | place;
  }
}

/**
 * Whether the bytes are one whole request of HTTP/1.1 that has no body, keeps the connection open, changes no protocol,
 * and holds nothing that an attack of a class that detectors look for in requests needs: no encoded byte, no parent
 * directory, no shell syntax, no absolute path in a parameter.
 */
export function isPlainRequest(bytes: Uint8Array, start: number, end: number): boolean {
  let at = start;
  if (bytes[at] === 71) {
    if (bytes[at + 1] !== 69 || bytes[at + 2] !== 84) return false;
    at += 3;
  } else if (bytes[at] === 80) {
    // A POST without a body: Content-Length 0.
    if (bytes[at + 1] !== 79 || bytes[at + 2] !== 83 || bytes[at + 3] !== 84) return false;
    at += 4;
  } else return false;
  if (bytes[at] !== SPACE || bytes[at + 1] !== SLASH) return false;
  at++;
  let byte = 0;
  let place = IN_PATH;
  for (; at < end; at++) {
    byte = bytes[at] as number;
    if (((CLASSES[byte] as number) & place) === 0) {
      if (byte === SPACE) break;
      if (byte === QUESTION_MARK && place === IN_PATH) place = IN_QUERY;
      // Two in a row are an empty parameter, or the `&&` of a shell.
      else if (byte !== 38 || place === IN_PATH || bytes[at + 1] === 38) return false;
    } else if (byte === SLASH ? isSystemFolder(bytes, at + 1) : byte === DOT && bytes[at + 1] === DOT)
      return false;
  }
  // " HTTP/1.1" and the line's end: 11 bytes.
  if (at + 11 > end || !hasVersion(bytes, at + 1) || bytes[at + 9] !== CR || bytes[at + 10] !== LF)
    return false;
  return areFieldsPlain(bytes, at + 11, end);
}

const SYSTEM_FOLDERS = ['etc/', 'proc/', 'root/', 'home/', 'var/', 'run/'].map((name) => [
  ...new TextEncoder().encode(name),
]);

/** Where the files are that attacks ask for; hidden ones are among them. */
function isSystemFolder(bytes: Uint8Array, at: number): boolean {
  if (bytes[at] === DOT) return true;
  const first = (bytes[at] as number) | 0x20;
  for (const name of SYSTEM_FOLDERS) {
    if (name[0] !== first) continue;
    let index = 1;
    while (index < name.length && name[index] === ((bytes[at + index] as number) | 0x20)) index++;
    if (index >= name.length - 1 && bytes[at + name.length - 1] === SLASH) return true;
  }
  return false;
}

/** Every line up to the empty one, which has to be the end; one names the host. */
function areFieldsPlain(bytes: Uint8Array, start: number, end: number): boolean {
  let at = start;
  let hosts = 0;
  while (at + 2 < end) {
    const line = at;
    while (at < end && ((CLASSES[bytes[at] as number] as number) & IN_NAME) !== 0) at++;
    if (at === line || bytes[at] !== COLON) return false;
    if (mayFrame(bytes, line, at)) return false;
    if (at === line + 4 && ((bytes[line] as number) | 0x20) === 0x68) hosts++;
    for (at++; at < end; at++) {
      const byte = bytes[at] as number;
      if (((CLASSES[byte] as number) & IN_VALUE) === 0) break;
      if (byte === DOT && bytes[at + 1] === DOT) return false;
      // `(){`, as Shellshock writes it, has a brace, which is not allowed; `()` alone is harmless.
    }
    if (bytes[at] !== CR || bytes[at + 1] !== LF) return false;
    at += 2;
  }
  return hosts === 1 && at + 2 === end && bytes[at] === CR && bytes[at + 1] === LF;
}

/**
 * Whether the field could change how the message is framed or what follows: Content-*, Transfer-*, Connection, Upgrade,
 * Expect, Trailer, TE, HTTP2-Settings and whatever begins like them.
 */
function mayFrame(bytes: Uint8Array, start: number, end: number): boolean {
  switch ((bytes[start] as number) | 0x20) {
    case 0x63: // c: Cookie and Cache-Control are common and harmless
      return (
        ((bytes[start + 1] ?? 0) | 0x20) === 0x6f &&
        ((bytes[start + 2] ?? 0) | 0x20) !== 0x6f &&
        !isKeepAlive(bytes, start, end)
      );
    case 0x74: // t
    case 0x75: // u: but not User-Agent
      return ((bytes[start + 1] ?? 0) | 0x20) !== 0x73;
    case 0x65: // e
      return true;
    case 0x68: // h: but not Host
      return ((bytes[start + 1] ?? 0) | 0x20) !== 0x6f;
    default:
      return false;
  }
}

/** `Connection: keep-alive`, which says what is so anyway. */
function isKeepAlive(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start !== 10) return false;
  let at = end + 1;
  while (bytes[at] === SPACE) at++;
  return ((bytes[at] ?? 0) | 0x20) === 0x6b && bytes[at + 10] === CR;
}

function hasVersion(bytes: Uint8Array, at: number): boolean {
  return (
    bytes[at] === 72 &&
    bytes[at + 1] === 84 &&
    bytes[at + 2] === 84 &&
    bytes[at + 3] === 80 &&
    bytes[at + 4] === SLASH &&
    bytes[at + 5] === 49 &&
    bytes[at + 6] === DOT &&
    bytes[at + 7] === 49
  );
}

const CONTENT_LENGTH = 'content-length';

/**
 * How many bytes the head has when the bytes are the beginning of one whole reply of HTTP/1.1, and the write that they are
 * of ended it: one plain Content-Length that says so, no other coding, no change of protocol. Else 0.
 * @param length so many bytes were written at once, captured or not
 */
export function plainReplyHead(bytes: Uint8Array, start: number, end: number, length: number): number {
  if (end - start < 15 || !hasVersion(bytes, start) || bytes[start + 8] !== SPACE) return 0;
  const hundreds = bytes[start + 9] as number;
  if (hundreds < 50 || hundreds > 53) return 0;
  // 204 and 304 have no body, whatever their length says.
  if (bytes[start + 10] === 48 && bytes[start + 11] === 52 && hundreds !== 52 && hundreds !== 53) return 0;
  let contentLength = -1;
  let at = start + 12;
  while (at < end && bytes[at] !== LF) at++;
  if (bytes[at - 1] !== CR) return 0;
  for (at++; at < end; at++) {
    const first = bytes[at] as number;
    if (first === CR) {
      const headBytes = at + 2 - start;
      return bytes[at + 1] === LF && at + 1 < end && contentLength === length - headBytes ? headBytes : 0;
    }
    // A folded line, or a line end of which readers disagree.
    if (((CLASSES[first] as number) & IN_NAME) === 0) return 0;
    switch (first | 0x20) {
      case 0x63: // c
        if (hasName(bytes, at, end, CONTENT_LENGTH)) {
          if (contentLength !== -1) return 0;
          contentLength = readNumber(bytes, at + 15, end);
          if (contentLength === -1) return 0;
        } else if (hasName(bytes, at, end, 'connection')) {
          let value = at + 11;
          while (bytes[value] === SPACE) value++;
          if (((bytes[value] ?? 0) | 0x20) !== 0x6b) return 0;
        }
        break;
      case 0x74: // t: Transfer-Encoding
      case 0x75: // u: Upgrade
        return 0;
      default:
    }
    while (at < end && bytes[at] !== LF) at++;
    if (bytes[at - 1] !== CR) return 0;
  }
  return 0;
}

function hasName(bytes: Uint8Array, line: number, end: number, name: string): boolean {
  if (line + name.length >= end || bytes[line + name.length] !== COLON) return false;
  for (let index = 1; index < name.length; index++)
    if (((bytes[line + index] as number) | 0x20) !== (name.charCodeAt(index) | 0x20)) return false;
  return true;
}

/** A plain decimal number after blanks, up to the line's end; -1 for anything else. */
function readNumber(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end && bytes[at] === SPACE) at++;
  let value = 0;
  const first = at;
  for (; at < end && at - first < 10; at++) {
    const digit = (bytes[at] as number) - 48;
    if (digit < 0 || digit > 9) break;
    value = value * 10 + digit;
  }
  return at > first && bytes[at] === CR ? value : -1;
}
