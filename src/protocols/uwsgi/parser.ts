import { byteString } from '../../base/bytes.ts';
import type { Variable } from '../http/cgi.ts';

/** modifier1, size of the variables (16 bits, little endian), modifier2. */
export const HEADER_BYTES = 4;

/**
 * Values of modifier1 after which a block of variables and the body of a request follow: WSGI, PSGI, Lua, Rack, JWSGI,
 * CGI, Go, PHP, Mono, XSLT (the table of packets in uWSGI's documentation, "The uwsgi Protocol").
 */
const REQUEST_MODIFIERS: ReadonlySet<number> = new Set([0, 5, 6, 7, 8, 9, 11, 14, 15, 18]);

export function isRequestModifier(modifier1: number): boolean {
  return REQUEST_MODIFIERS.has(modifier1);
}

export function uint16(bytes: Uint8Array, at: number): number {
  return (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8);
}

/**
 * The variables of a request: each name and each value after its length in 16 bits, little endian.
 * @param start of the first length
 * @returns the whole ones; of a last one that is cut, what there is of its value
 */
export function readVariables(
  bytes: Uint8Array,
  start: number,
  end: number,
): { readonly variables: Variable[]; readonly isCut: boolean } {
  const variables: Variable[] = [];
  const text = byteString(bytes, start, end);
  const length = text.length;
  let at = 0;
  while (at < length) {
    const name = at + 2;
    const nameEnd = name + uint16(bytes, start + at);
    const value = nameEnd + 2;
    if (value > length) return { variables, isCut: true };
    const valueEnd = value + uint16(bytes, start + nameEnd);
    variables.push([text.slice(name, nameEnd), text.slice(value, valueEnd)]);
    if (valueEnd > length) return { variables, isCut: true };
    at = valueEnd;
  }
  return { variables, isCut: false };
}
