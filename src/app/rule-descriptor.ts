import { endpointText } from '../base/addresses.ts';
import { byteStringFromText, type ByteString } from '../base/bytes.ts';
import type { Connection, Endpoint } from '../model/request.ts';
import { UNTOLD_NUMBER, type DescriptorKind, type RuleDescriptor } from '../rules/event.ts';

/** The descriptor of the one event that RuleEvents fills, or of a copy of it. */
export class FilledDescriptor implements RuleDescriptor {
  number = 0;
  kind: DescriptorKind = 'file';
  nameRaw: ByteString | null = null;
  transport: 'tcp' | 'udp' | null = null;
  client: Endpoint | null = null;
  server: Endpoint | null = null;
  isServer: boolean | null = null;
  bytesIn: number | null = null;
  bytesOut: number | null = null;
  #name: ByteString | null = null;

  /** Few rules ask for the name of a connection, so it is made when one does. */
  get name(): ByteString | null {
    this.#name ??= connectionName(this.kind, this.client, this.server);
    return this.#name;
  }

  copy(): FilledDescriptor {
    const copy = Object.assign(new FilledDescriptor(), this);
    copy.#name = this.#name;
    return copy;
  }

  fillFile(kind: 'file' | 'directory', name: ByteString, nameRaw: ByteString | null, number: number): this {
    this.kind = kind;
    this.number = number;
    this.#name = name;
    this.nameRaw = nameRaw;
    this.transport = null;
    this.client = null;
    this.server = null;
    this.isServer = null;
    this.bytesIn = null;
    this.bytesOut = null;
    return this;
  }

  fillConnection(
    family: Connection['family'],
    transport: 'tcp' | 'udp' | null,
    client: Endpoint | null,
    server: Endpoint,
    isServer: boolean,
    number = UNTOLD_NUMBER,
  ): this {
    this.kind = family;
    this.number = number;
    this.#name = null;
    this.nameRaw = null;
    this.transport = family === 'unix' ? null : transport;
    this.client = client;
    this.server = server;
    this.isServer = isServer;
    this.bytesIn = null;
    this.bytesOut = null;
    return this;
  }
}

/** "10.0.0.1:4000->192.0.2.1:443", without the end that is not known; the path of a unix socket. */
function connectionName(kind: DescriptorKind, client: Endpoint | null, server: Endpoint | null): ByteString {
  if (kind === 'unix') return byteStringFromText(server?.address ?? '');
  const text = (end: Endpoint | null) => (end === null ? '' : endpointText(end.address, end.port));
  return `${text(client)}->${text(server)}`;
}
