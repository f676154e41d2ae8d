import { createHash } from 'node:crypto';
import type { ByteString } from '../../base/bytes.ts';
import type { ClientHello } from './parser.ts';

/**
 * JA4, the fingerprint of a TLS client (FoxIO, "JA4: TLS Client Fingerprinting", technical_details/JA4.md; BSD 3-Clause,
 * unlike the rest of JA4+). GREASE values are ignored everywhere: the parser has left them out.
 */
export function ja4(hello: ClientHello): string {
  const { version, extensions, cipherSuites, signatureAlgorithms, applicationProtocols } = hello;
  const start = [
    't',
    VERSIONS.get(version) ?? '00',
    extensions.includes(SERVER_NAME) ? 'd' : 'i',
    count(cipherSuites),
    count(extensions),
    applicationProtocolEnds(applicationProtocols[0] ?? ''),
  ].join('');
  // What depends on the server that is asked counts in the first part only.
  const sorted = sortedHex(extensions.filter((type) => type !== SERVER_NAME && type !== ALPN));
  const algorithms = signatureAlgorithms.map(hex).join(',');
  const extensionText = algorithms === '' || sorted === '' ? sorted : `${sorted}_${algorithms}`;
  return `${start}_${shortHash(sortedHex(cipherSuites))}_${shortHash(extensionText)}`;
}

const SERVER_NAME = 0x0000;
const ALPN = 0x0010;
const VERSIONS: ReadonlyMap<number, string> = new Map([
  [0x0304, '13'],
  [0x0303, '12'],
  [0x0302, '11'],
  [0x0301, '10'],
  [0x0300, 's3'],
  [0x0002, 's2'],
]);

function count(values: readonly number[]): string {
  return String(Math.min(values.length, 99)).padStart(2, '0');
}

/**
 * First and last character; where one of these bytes is no ASCII letter or digit, the first and last hex digit of the
 * whole value. FoxIO's own programs print '99' for some of those; this follows the text.
 */
function applicationProtocolEnds(value: ByteString): string {
  if (value === '') return '00';
  const first = value.charCodeAt(0);
  const last = value.charCodeAt(value.length - 1);
  if (isAlphanumeric(first) && isAlphanumeric(last)) return String.fromCharCode(first, last);
  return (first >> 4).toString(16) + (last & 0xf).toString(16);
}

function isAlphanumeric(code: number): boolean {
  return (code >= 0x30 && code <= 0x39) || (code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a);
}

function sortedHex(values: readonly number[]): string {
  return values
    .toSorted((a, b) => a - b)
    .map(hex)
    .join(',');
}

function hex(value: number): string {
  return value.toString(16).padStart(4, '0');
}

/** An empty list has no hash but zeros, so that people see it. */
function shortHash(text: string): string {
  return text === ''
    ? '000000000000'
    : createHash('sha256').update(text, 'latin1').digest('hex').slice(0, 12);
}
