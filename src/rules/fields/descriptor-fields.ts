import type { ByteString } from '../../base/bytes.ts';
import type { Endpoint } from '../../model/request.ts';
import type { DescriptorKind, RuleDescriptor, RuleEvent } from '../event.ts';
import { containerIdOf } from './identity-fields.ts';
import { eitherEnd, single } from './define.ts';
import type { Field } from './field.ts';

type End = (descriptor: RuleDescriptor) => Endpoint | null;

const client: End = ({ client: end }) => end;
const server: End = ({ server: end }) => end;
const local: End = (descriptor) => (descriptor.isServer === true ? descriptor.server : descriptor.client);
const remote: End = (descriptor) => (descriptor.isServer === true ? descriptor.client : descriptor.server);

const TYPE_CHARACTERS: Readonly<Record<DescriptorKind, string>> = {
  file: 'f',
  directory: 'd',
  ipv4: '4',
  ipv6: '6',
  unix: 'u',
  other: 'o',
};

export const DESCRIPTOR_FIELDS: readonly Field[] = [
  single(
    'fd.num',
    'number',
    'Number of the descriptor, -1 where the call failed. Of calls that change a file, and of requests, it is not told: it is not negative and equals none.',
    ({ descriptor }) => descriptor?.number ?? null,
  ),
  single('fd.type', 'string', 'file, directory, ipv4, ipv6 or unix.', ({ descriptor }) =>
    descriptor === null || descriptor.number === -1 ? null : descriptor.kind,
  ),
  single(
    'fd.typechar',
    'string',
    'f for a file, d for a directory, 4 and 6 for a connection, u for a unix socket.',
    ({ descriptor }) => (descriptor === null ? null : TYPE_CHARACTERS[descriptor.kind]),
  ),
  single('fd.name', 'string', 'Path of the file, or the ends of the connection.', name),
  single(
    'fd.nameraw',
    'string',
    'Path of the file as it was passed.',
    ({ descriptor }) => descriptor?.nameRaw ?? null,
  ),
  single('fd.directory', 'string', 'Directory that the file is in.', directory),
  single('fd.filename', 'string', 'Name of the file without its directory.', filename),
  single('fd.containername', 'string', 'Id of the container and fd.name.', (event) =>
    inContainer(event, name(event)),
  ),
  single('fd.containerdirectory', 'string', 'Id of the container and fd.directory.', (event) =>
    inContainer(event, directory(event)),
  ),
  single('fd.l4proto', 'string', 'tcp or udp.', ({ descriptor }) => descriptor?.transport ?? null),
  single('fd.sockfamily', 'string', 'ip or unix.', ({ descriptor }) => {
    if (descriptor === null) return null;
    return isIp(descriptor) ? 'ip' : descriptor.kind === 'unix' ? 'unix' : null;
  }),
  single(
    'fd.is_server',
    'boolean',
    'Whether the process is the server of the connection.',
    ({ descriptor }) => descriptor?.isServer ?? null,
  ),

  address('fd.cip', 'Address of the client.', client),
  address('fd.sip', 'Address of the server.', server),
  address('fd.lip', 'Local address.', local),
  address('fd.rip', 'Remote address.', remote),
  port('fd.cport', 'Port of the client.', client),
  port('fd.sport', 'Port of the server.', server),
  port('fd.lport', 'Local port.', local),
  port('fd.rport', 'Remote port.', remote),
  network('fd.cnet', 'Network of the client.', client),
  network('fd.snet', 'Network of the server.', server),
  network('fd.lnet', 'Local network.', local),
  network('fd.rnet', 'Remote network.', remote),
  eitherEnd('fd.ip', 'address', 'Address of either end; != is true where both differ.', someAddress),
  eitherEnd('fd.net', 'network', 'Network of either end; != is true where both differ.', someAddress),
  eitherEnd(
    'fd.port',
    'number',
    'Port of either end; != is true where both differ.',
    ({ descriptor }, test) => {
      if (descriptor === null || !isIp(descriptor)) return false;
      return (
        (descriptor.client !== null && test(descriptor.client.port)) ||
        (descriptor.server !== null && test(descriptor.server.port))
      );
    },
  ),

  single('flow.protocol', 'string', 'tcp or udp.', ({ descriptor }) => descriptor?.transport ?? null),
  single(
    'flow.direction',
    'string',
    'in where the process is the server, out where it is the client.',
    ({ descriptor }) => {
      if (descriptor === null || descriptor.isServer === null) return null;
      return descriptor.isServer ? 'in' : 'out';
    },
  ),
  single(
    'flow.bytes_in',
    'number',
    'Bytes that the process received on the connection; in connection_end. Of TLS that is read it is the plaintext.',
    ({ descriptor }) => descriptor?.bytesIn ?? null,
  ),
  single(
    'flow.bytes_out',
    'number',
    'Bytes that it sent, likewise.',
    ({ descriptor }) => descriptor?.bytesOut ?? null,
  ),
];

function isIp({ kind }: RuleDescriptor): boolean {
  return kind === 'ipv4' || kind === 'ipv6';
}

function name({ descriptor }: RuleEvent): ByteString | null {
  return descriptor?.name ?? null;
}

/** Of a directory it is the directory itself. */
function directory({ descriptor }: RuleEvent): ByteString | null {
  if (descriptor === null || descriptor.name === null) return null;
  if (descriptor.kind === 'directory') return descriptor.name;
  if (descriptor.kind !== 'file') return null;
  const slash = descriptor.name.lastIndexOf('/');
  return slash <= 0 ? '/' : descriptor.name.slice(0, slash);
}

function filename({ descriptor }: RuleEvent): ByteString | null {
  if (descriptor === null || descriptor.name === null || descriptor.number === -1) return null;
  return descriptor.kind === 'file' ? descriptor.name.slice(descriptor.name.lastIndexOf('/') + 1) : null;
}

function inContainer({ process }: RuleEvent, text: ByteString | null): ByteString | null {
  return process === null || text === null ? null : `${containerIdOf(process)}:${text}`;
}

function endOf({ descriptor }: RuleEvent, end: End): Endpoint | null {
  return descriptor !== null && isIp(descriptor) ? end(descriptor) : null;
}

function address(fieldName: string, description: string, end: End): Field {
  return single(fieldName, 'address', description, (event) => endOf(event, end)?.address ?? null);
}

function port(fieldName: string, description: string, end: End): Field {
  return single(fieldName, 'number', description, (event) => endOf(event, end)?.port ?? null);
}

function network(fieldName: string, description: string, end: End): Field {
  const get = (event: RuleEvent) => endOf(event, end)?.address ?? null;
  return { ...single(fieldName, 'network', description, get), isFilterOnly: true };
}

function someAddress({ descriptor }: RuleEvent, test: (address: string) => boolean): boolean {
  if (descriptor === null || !isIp(descriptor)) return false;
  return (
    (descriptor.client !== null && test(descriptor.client.address)) ||
    (descriptor.server !== null && test(descriptor.server.address))
  );
}
