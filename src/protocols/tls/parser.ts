import { byteString, type ByteString } from '../../base/bytes.ts';

/** What a ClientHello offers (RFC 8446, 4.1.2), without the values that only keep servers tolerant (GREASE). */
export interface ClientHello {
  /** Highest version of supported_versions, without that extension the message's own; 0 when it was not captured. */
  readonly version: number;
  readonly cipherSuites: readonly number[];
  /** Extension types in order. */
  readonly extensions: readonly number[];
  readonly signatureAlgorithms: readonly number[];
  readonly serverName: ByteString;
  readonly applicationProtocols: readonly ByteString[];
  /** Everything was captured and read. */
  readonly isWhole: boolean;
}

const EXTENSION_SERVER_NAME = 0x0000;
const EXTENSION_SIGNATURE_ALGORITHMS = 0x000d;
const EXTENSION_ALPN = 0x0010;
const EXTENSION_SUPPORTED_VERSIONS = 0x002b;
const HANDSHAKE_CLIENT_HELLO = 1;
/** Message type and length, legacy version, random. */
const FIXED_BYTES = 4 + 2 + 32;
/** Application protocols that are kept: browsers offer three. */
const MAX_APPLICATION_PROTOCOLS = 32;

/**
 * Reads a ClientHello that begins with its message type. What ends early gives what stands before, with isWhole false.
 * null when it is none, or not even its version is there.
 * @param isCut the message goes on behind `bytes`, but was not captured
 */
export function parseClientHello(bytes: Uint8Array, isCut: boolean): ClientHello | null {
  if (bytes.length < FIXED_BYTES || bytes[0] !== HANDSHAKE_CLIENT_HELLO) return null;
  const length = 4 + uint24(bytes, 1);
  if (length < bytes.length || (length > bytes.length && !isCut)) return null;
  const hello = new HelloReader(bytes, length > bytes.length);
  return hello.read() ? hello : null;
}

/** GREASE values: both bytes the same and ending in A (RFC 8701, 2). */
export function isGrease(value: number): boolean {
  return (value & 0x0f0f) === 0x0a0a && value >> 8 === (value & 0xff);
}

/** Walks through the message. Reading returns false where lengths contradict each other. */
class HelloReader implements ClientHello {
  version = 0;
  readonly cipherSuites: number[] = [];
  readonly extensions: number[] = [];
  readonly signatureAlgorithms: number[] = [];
  serverName: ByteString = '';
  readonly applicationProtocols: ByteString[] = [];
  isWhole = false;
  readonly #bytes: Uint8Array;
  readonly #isCut: boolean;
  #supportedVersion = 0;

  constructor(bytes: Uint8Array, isCut: boolean) {
    this.#bytes = bytes;
    this.#isCut = isCut;
  }

  read(): boolean {
    const bytes = this.#bytes;
    const suitesAt = FIXED_BYTES + 1 + (bytes[FIXED_BYTES] ?? 0);
    const methodsAt = suitesAt + 2 + uint16(bytes, suitesAt);
    const extensionsAt = methodsAt + 1 + (bytes[methodsAt] ?? 0);
    if (extensionsAt > bytes.length) return this.#isCut;
    if ((methodsAt - suitesAt) % 2 !== 0) return false;
    this.#readNumbers(suitesAt + 2, methodsAt, this.cipherSuites);
    // SSL 3 and the first clients of TLS 1.0 have no extensions (RFC 5246, 7.4.1.2).
    if (extensionsAt === bytes.length) this.isWhole = !this.#isCut;
    else if (!this.#readExtensions(extensionsAt)) return false;
    // In a message that ends too early, the extension that tells the real version may be what is missing.
    if (this.isWhole || this.#supportedVersion > 0) this.version = this.#supportedVersion || uint16(bytes, 4);
    return true;
  }

  #readExtensions(at: number): boolean {
    const bytes = this.#bytes;
    const end = at + 2 + uint16(bytes, at);
    if (end < bytes.length || (end > bytes.length && !this.#isCut)) return false;
    let next = at + 2;
    while (next + 4 <= bytes.length) {
      const data = next + 4;
      next = data + uint16(bytes, next + 2);
      if (next > end) return false;
      if (next > bytes.length) return true;
      this.#readExtension(uint16(bytes, data - 4), data, next);
    }
    this.isWhole = next === end && end === bytes.length;
    return this.isWhole || this.#isCut;
  }

  #readExtension(type: number, data: number, end: number): void {
    if (isGrease(type)) return;
    this.extensions.push(type);
    switch (type) {
      case EXTENSION_SERVER_NAME:
        this.serverName ||= this.#hostName(data, end);
        break;
      case EXTENSION_SIGNATURE_ALGORITHMS:
        this.#readNumbers(data + 2, end, this.signatureAlgorithms);
        break;
      case EXTENSION_ALPN:
        this.#readApplicationProtocols(data, end);
        break;
      case EXTENSION_SUPPORTED_VERSIONS:
        for (let at = data + 1; at + 2 <= end; at += 2) {
          const version = uint16(this.#bytes, at);
          if (!isGrease(version) && version > this.#supportedVersion) this.#supportedVersion = version;
        }
        break;
    }
  }

  /** The first name, when it is a host's: no other kind was ever defined (RFC 6066, 3). */
  #hostName(data: number, end: number): ByteString {
    const nameAt = data + 5;
    const nameEnd = nameAt + uint16(this.#bytes, data + 3);
    if (nameEnd > end || this.#bytes[data + 2] !== 0) return '';
    return byteString(this.#bytes, nameAt, nameEnd);
  }

  #readApplicationProtocols(data: number, end: number): void {
    let at = data + 2;
    while (at < end && this.applicationProtocols.length < MAX_APPLICATION_PROTOCOLS) {
      const next = at + 1 + (this.#bytes[at] ?? 0);
      if (next > end) return;
      const isFiller = next === at + 3 && isGrease(uint16(this.#bytes, at + 1));
      if (!isFiller) this.applicationProtocols.push(byteString(this.#bytes, at + 1, next));
      at = next;
    }
  }

  #readNumbers(start: number, end: number, numbers: number[]): void {
    for (let at = start; at + 2 <= end; at += 2) {
      const value = uint16(this.#bytes, at);
      if (!isGrease(value)) numbers.push(value);
    }
  }
}

function uint16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}

function uint24(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 16) | uint16(bytes, at + 1);
}
