/** Builds ClientHellos for tests, and takes the ones of captures out of their records. */
import type { WireFixture } from '../../testing.ts';

export type Extension = readonly [type: number, data: Uint8Array];

export interface HelloFields {
  readonly version?: number;
  readonly cipherSuites?: readonly number[];
  /** null leaves out even the length of the extensions, as old clients do. */
  readonly extensions?: readonly Extension[] | null;
}

export function uint16(...values: readonly number[]): Uint8Array {
  return Uint8Array.from(values.flatMap((value) => [value >> 8, value & 0xff]));
}

export function serverName(name: string): Extension {
  return [0, Buffer.concat([uint16(name.length + 3), Buffer.of(0), uint16(name.length), Buffer.from(name)])];
}

export function alpn(...names: readonly string[]): Extension {
  const list = Buffer.concat(
    names.map((name) => Buffer.concat([Buffer.of(name.length), Buffer.from(name, 'latin1')])),
  );
  return [16, Buffer.concat([uint16(list.length), list])];
}

export function supportedVersions(...versions: readonly number[]): Extension {
  return [43, Buffer.concat([Buffer.of(2 * versions.length), uint16(...versions)])];
}

export function signatureAlgorithms(...algorithms: readonly number[]): Extension {
  return [13, uint16(2 * algorithms.length, ...algorithms)];
}

export function empty(type: number): Extension {
  return [type, new Uint8Array(0)];
}

/** The handshake message, without records. */
export function hello(fields: HelloFields = {}): Uint8Array {
  const { version = 0x0303, cipherSuites = [0x1301], extensions = [] } = fields;
  const block =
    extensions === null
      ? []
      : extensions.map(([type, data]) => Buffer.concat([uint16(type, data.length), data]));
  const blockBytes = Buffer.concat(block);
  const body = Buffer.concat([
    uint16(version),
    Buffer.alloc(32, 0x52),
    Buffer.of(0),
    uint16(2 * cipherSuites.length, ...cipherSuites),
    Buffer.of(1, 0),
    ...(extensions === null ? [] : [uint16(blockBytes.length), blockBytes]),
  ]);
  return Buffer.concat([Buffer.of(1, body.length >> 16), uint16(body.length & 0xffff), body]);
}

export function record(bytes: Uint8Array, type = 22, version = 0x0301): Uint8Array {
  return Buffer.concat([Buffer.of(type), uint16(version, bytes.length), bytes]);
}

/** One record for each so many bytes. */
export function records(bytes: Uint8Array, size: number): Uint8Array {
  const parts: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += size) parts.push(record(bytes.subarray(at, at + size)));
  return Buffer.concat(parts);
}

/** What the client said first in a capture; its ClientHello is in one record. */
export function firstRecord(fixture: WireFixture): Buffer {
  const sent = Buffer.concat(
    fixture.pieces.filter(([direction]) => direction === '>').map(([, text]) => Buffer.from(text, 'base64')),
  );
  return sent.subarray(0, 5 + sent.readUInt16BE(3));
}
