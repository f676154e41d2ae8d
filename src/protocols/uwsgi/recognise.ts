import { byteString, type ByteString } from '../../base/bytes.ts';
import type { Confidence, FirstBytes } from '../contract.ts';
import { HEADER_BYTES, isRequestModifier, uint16 } from './parser.ts';

/** Names that only requests have. */
const KNOWN_NAMES: ReadonlySet<string> = new Set(
  [
    'CONTENT_LENGTH CONTENT_TYPE DOCUMENT_ROOT HTTPS PATH_INFO QUERY_STRING REMOTE_ADDR REMOTE_PORT REMOTE_USER',
    'REQUEST_METHOD REQUEST_SCHEME REQUEST_URI SCRIPT_NAME SERVER_NAME SERVER_PORT SERVER_PROTOCOL UWSGI_SCHEME',
  ].flatMap((line) => line.split(' ')),
);
const MAX_NAME_BYTES = 255;
/** Variables that are looked at before it is clear that they are no request's. */
const MAX_UNKNOWN = 16;

/** By the names of the first variables: each request begins with them, the first of a connection or not. */
export function recognise({ fromClient, fromServer }: FirstBytes): Confidence {
  if (fromClient.length === 0) return fromServer.length > 0 ? 'no' : 'maybe';
  if (!isRequestModifier(fromClient[0] as number)) return 'no';
  const size = fromClient.length < 3 ? 0xffff : uint16(fromClient, 1);
  const end = Math.min(HEADER_BYTES + size, fromClient.length);
  let at = HEADER_BYTES;
  for (let count = 0; count < MAX_UNKNOWN && at < HEADER_BYTES + size; count++) {
    const name = at + 2;
    if (name > end) return judgeEnd(end, fromClient, size);
    const nameLength = uint16(fromClient, at);
    const nameEnd = name + nameLength;
    if (nameLength === 0 || nameLength > MAX_NAME_BYTES || nameEnd + 2 > HEADER_BYTES + size) return 'no';
    for (let index = name; index < Math.min(nameEnd, end); index++) {
      if (!isNameByte(fromClient[index] as number)) return 'no';
    }
    if (nameEnd > end) return judgeEnd(end, fromClient, size);
    if (isKnown(byteString(fromClient, name, nameEnd))) return 'certain';
    at = nameEnd + 2 + uint16(fromClient, nameEnd);
    if (nameEnd + 2 > end || at > end) return judgeEnd(end, fromClient, size);
  }
  return 'no';
}

/** More of the variables may come, unless they should be there already. */
function judgeEnd(end: number, bytes: Uint8Array, size: number): Confidence {
  return end === bytes.length && end < HEADER_BYTES + size ? 'maybe' : 'no';
}

function isKnown(name: ByteString): boolean {
  return KNOWN_NAMES.has(name) || (name.startsWith('HTTP_') && name.length > 6);
}

/** Names of variables, and of those that uWSGI gives a meaning of its own (`uwsgi.version`). */
function isNameByte(byte: number): boolean {
  const lower = byte | 0x20;
  const isLetter = lower >= 97 && lower <= 122;
  return isLetter || (byte >= 48 && byte <= 57) || byte === 0x5f || byte === 0x2d || byte === 0x2e;
}
