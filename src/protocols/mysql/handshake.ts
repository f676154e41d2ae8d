import type { ByteString } from '../../base/bytes.ts';
import { Reader } from './parser.ts';

/** Capability flags: https://dev.mysql.com/doc/dev/mysql-server/latest/group__group__cs__capabilities__flags.html */
export const LONG_PASSWORD = 0x1;
export const CONNECT_WITH_DB = 0x8;
export const COMPRESS = 0x20;
export const PROTOCOL_41 = 0x200;
export const SSL = 0x800;
const SECURE_CONNECTION = 0x8000;
const PLUGIN_AUTH_LENENC = 0x200000;
export const OPTIONAL_METADATA = 0x2000000;
export const ZSTD = 0x4000000;
export const QUERY_ATTRIBUTES = 0x8000000;
/** MariaDB's own, which stand in a field of their own: https://mariadb.com/kb/en/connection/#capabilities */
export const CACHE_METADATA = 0x10;

/** A request for encryption is a handshake response that stops where the user would come. */
export const SSL_REQUEST_LENGTH = 32;

/** What an end can do: the flags of MySQL, and those of MariaDB where it says that it is one. */
export interface Capabilities {
  readonly flags: number;
  readonly mariadb: number;
}

/** What both ends can do. */
export function shared(one: Capabilities, other: Capabilities): Capabilities {
  return { flags: (one.flags & other.flags) >>> 0, mariadb: one.mariadb & other.mariadb };
}

/** Version 10 of the server's greeting; null for anything else. Its challenge is not read. */
export function readGreeting(bytes: Uint8Array, start: number, end: number): Capabilities | null {
  const reader = new Reader(bytes, start, end);
  if (reader.uint8() !== 10) return null;
  const version = reader.textToNul();
  if (version === '' || !isVersion(version)) return null;
  // Connection id, first part of the challenge.
  reader.skip(12);
  if (reader.uint8() !== 0) return null;
  const low = reader.uint(2);
  reader.skip(3);
  const flags = low + reader.uint(2) * 0x10000;
  reader.skip(7);
  const mariadb = reader.uint(4);
  return reader.isOver ? null : { flags, mariadb: (flags & LONG_PASSWORD) === 0 ? mariadb : 0 };
}

export interface HandshakeResponse {
  readonly capabilities: Capabilities;
  readonly user: ByteString;
  readonly database: ByteString;
}

/**
 * Capabilities, user and database of the client's answer; what proves the password is passed over.
 * https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase_packets_protocol_handshake_response.html
 */
export function readHandshakeResponse(bytes: Uint8Array, start: number, end: number): HandshakeResponse {
  const reader = new Reader(bytes, start, end);
  const flags = reader.uint(4);
  // Longest packet, character set, reserved bytes.
  reader.skip(24);
  const mariadb = reader.uint(4);
  const capabilities = { flags, mariadb: (flags & LONG_PASSWORD) === 0 ? mariadb : 0 };
  const user = reader.textToNul();
  if ((flags & PLUGIN_AUTH_LENENC) !== 0) reader.skip(reader.lengthEncoded());
  else if ((flags & SECURE_CONNECTION) !== 0) reader.skip(reader.uint8());
  else reader.textToNul();
  const database = (flags & CONNECT_WITH_DB) === 0 ? '' : reader.textToNul();
  return { capabilities, user, database };
}

/** Whether a client's first message looks like its answer to a greeting: reserved bytes are zero, MariaDB uses four of them. */
export function isHandshakeResponse(bytes: Uint8Array, start: number, end: number): boolean {
  const reader = new Reader(bytes, start, end);
  const flags = reader.uint(4);
  reader.skip(5);
  for (let reserved = 0; reserved < 19; reserved++) if (reader.uint8() !== 0) return false;
  reader.skip(4);
  return !reader.isOver && (flags & PROTOCOL_41) !== 0;
}

/** User and database of COM_CHANGE_USER, likewise. */
export function readChangeUser(
  bytes: Uint8Array,
  start: number,
  end: number,
): { user: ByteString; database: ByteString } {
  const reader = new Reader(bytes, start + 1, end);
  const user = reader.textToNul();
  reader.skip(reader.uint8());
  return { user, database: reader.textToNul() };
}

/** Printable, and with a number in it: '8.0.36', '5.5.5-10.11.6-MariaDB', '8.0-Vitess'. */
function isVersion(text: ByteString): boolean {
  let hasDigit = false;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code < 0x20 || code > 0x7e) return false;
    if (code >= 0x30 && code <= 0x39) hasDigit = true;
  }
  return hasDigit;
}
