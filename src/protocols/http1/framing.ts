import type { ByteString } from '../../base/bytes.ts';
import { headerLines, trimBlanks } from '../http/headers.ts';

/** How the length of a body is told (RFC 9112, 6.3). */
export type Framing =
  | { readonly kind: 'none' }
  | { readonly kind: 'length'; readonly length: number }
  | { readonly kind: 'chunked' }
  /** Told in a way that a server must refuse, or that only the end of the connection ends. */
  | { readonly kind: 'unframed' };

/**
 * The careful reading of framing headers, for heads where the quick scan saw more than one plain Content-Length.
 * Transfer-Encoding wins over Content-Length; what cannot be trusted is 'unframed', never a guess.
 * @param head complete lines; the first one is the request or status line
 */
export function readFraming(head: ByteString, anomalies: string[]): Framing {
  let transferEncoding: ByteString | null = null;
  let length = -1;
  let isLengthBad = false;
  for (const [name, value] of headerLines(head, Infinity)) {
    if (name === 'transfer-encoding') {
      transferEncoding = transferEncoding === null ? value : `${transferEncoding},${value}`;
    } else if (name === 'content-length') {
      for (const element of value.split(',')) {
        const next = parseLength(trimBlanks(element));
        if (next === -1) {
          isLengthBad = true;
          addFlag(anomalies, 'invalid-length');
        } else if (length !== -1) {
          addFlag(anomalies, next === length ? 'repeated-length' : 'conflicting-length');
          if (next !== length) isLengthBad = true;
        }
        if (next === Number.MAX_SAFE_INTEGER) addFlag(anomalies, 'enormous-length');
        if (next !== -1) length = next;
      }
    }
  }
  if (transferEncoding !== null) {
    if (length !== -1 || isLengthBad) addFlag(anomalies, 'length-and-transfer-encoding');
    // RFC 9112, 6.1: whoever sends it is not to be trusted about framing.
    if (head.slice(0, head.indexOf('\n')).includes('HTTP/1.0')) {
      addFlag(anomalies, 'transfer-encoding-in-http-1.0');
    }
    const codings = transferEncoding.split(',').map((coding) => trimBlanks(coding).toLowerCase());
    const isChunkedLast = codings.at(-1) === 'chunked';
    if (!isChunkedLast || codings.indexOf('chunked') !== codings.length - 1) {
      addFlag(anomalies, 'odd-transfer-encoding');
    }
    return { kind: isChunkedLast ? 'chunked' : 'unframed' };
  }
  if (isLengthBad) return { kind: 'unframed' };
  return length === -1 ? { kind: 'none' } : { kind: 'length', length };
}

/** @returns -1 when it is no number; more than 15 digits are as good as endless */
function parseLength(text: ByteString): number {
  if (text.length === 0) return -1;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code < 48 || code > 57) return -1;
  }
  let start = 0;
  while (start < text.length - 1 && text.charCodeAt(start) === 48) start++;
  return text.length - start > 15 ? Number.MAX_SAFE_INTEGER : Number(text.slice(start));
}

/** Adds a name once. */
export function addFlag(anomalies: string[], name: string): void {
  if (!anomalies.includes(name)) anomalies.push(name);
}
