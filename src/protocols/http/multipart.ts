import type { ByteString } from '../../base/bytes.ts';
import type { InputList } from './input-list.ts';
import { headerLines } from './headers.ts';

const MAX_PARTS = 128;

/**
 * Collects names, file names and values of a multipart body. Tolerant: the last part may be cut, lines may end with
 * a bare LF, and where the header tells no boundary the body's first line does.
 */
export function collectMultipart(contentType: ByteString, body: ByteString, list: InputList): void {
  const boundary = parameter(contentType, 'boundary') ?? firstLineBoundary(body);
  if (boundary === '') return;
  const delimiter = `--${boundary}`;
  let start = body.indexOf(delimiter);
  for (let parts = 0; start !== -1 && parts < MAX_PARTS && !list.isFull; parts++) {
    const lineEnd = body.indexOf('\n', start + delimiter.length);
    if (lineEnd === -1 || body.startsWith('--', start + delimiter.length)) return;
    const next = body.indexOf(`\n${delimiter}`, lineEnd);
    collectPart(body.slice(lineEnd, next === -1 ? body.length : next), list);
    start = next === -1 ? -1 : next + 1;
  }
}

/** @param part begins with the LF of the delimiter's line: what headerLines skips */
function collectPart(part: ByteString, list: InputList): void {
  const headers = headerLines(part, 16);
  let valueStart = part.length;
  const crlf = part.indexOf('\n\r\n');
  const lf = part.indexOf('\n\n');
  if (crlf !== -1 && (lf === -1 || crlf < lf)) valueStart = crlf + 3;
  else if (lf !== -1) valueStart = lf + 2;
  const disposition = headers.find(([name]) => name === 'content-disposition')?.[1] ?? '';
  const name = parameter(disposition, 'name') ?? '';
  const filename = parameter(disposition, 'filename');
  const extended = parameter(disposition, 'filename*');
  if (filename !== null) list.add('multipart', `${name}.filename`, filename);
  if (extended !== null) {
    // RFC 8187: charset'language'percent-encoded text
    list.add('multipart', `${name}.filename`, extended.slice(extended.lastIndexOf("'") + 1));
  }
  const end = part.endsWith('\r') ? part.length - 1 : part.length;
  list.addNamed('multipart', name, name, part.slice(valueStart, Math.max(valueStart, end)));
}

function firstLineBoundary(body: ByteString): ByteString {
  if (!body.startsWith('--')) return '';
  const lineEnd = body.indexOf('\n');
  const line = body.slice(2, lineEnd === -1 ? 0 : lineEnd);
  return line.endsWith('\r') ? line.slice(0, -1) : line;
}

/** Value of a parameter of a header such as `form-data; name="a"`; null without it. */
export function parameter(header: ByteString, wanted: string): ByteString | null {
  let index = header.indexOf(';');
  while (index !== -1) {
    const start = index + 1;
    const equals = header.indexOf('=', start);
    if (equals === -1) return null;
    const name = header.slice(start, equals).trim().toLowerCase();
    let value: ByteString;
    let valueStart = equals + 1;
    while (header[valueStart] === ' ') valueStart++;
    if (header[valueStart] === '"') {
      const end = quotedEnd(header, valueStart + 1);
      value = header.slice(valueStart + 1, end).replaceAll('\\"', '"');
      index = header.indexOf(';', end);
    } else {
      index = header.indexOf(';', valueStart);
      value = header.slice(valueStart, index === -1 ? header.length : index).trim();
    }
    // A part without a value before the next semicolon makes the name hold that semicolon.
    if (name.slice(name.lastIndexOf(';') + 1).trim() === wanted) return value;
  }
  return null;
}

function quotedEnd(text: ByteString, start: number): number {
  let index = start;
  while (index < text.length && text[index] !== '"')
    index += text[index] === '\\' && text[index + 1] === '"' ? 2 : 1;
  return Math.min(index, text.length);
}
