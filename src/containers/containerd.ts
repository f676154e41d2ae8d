import type { Container } from '../model/container.ts';
import { UnreadableAnswer } from './answer.ts';
import type { RuntimeClient } from './client.ts';
import { findByCri } from './cri.ts';
import { describeContainer } from './description.ts';
import { GrpcConnection } from './grpc.ts';
import { encodeField } from './protobuf.ts';

/**
 * containerd's own API (https://github.com/containerd/containerd/tree/main/api/services); the numbers are those of its
 * fields. Containers of Kubernetes are asked for through CRI, on the same socket, which knows more of them.
 */
const NAMESPACES = '/containerd.services.namespaces.v1.Namespaces/List';
const GET = '/containerd.services.containers.v1.Containers/Get';
const VERSION = '/containerd.services.version.v1.Version/Version';
/** Of the containers there, Docker knows the names, and containerd nothing but the id. */
const DOCKERS_NAMESPACE = 'moby';
const MAX_NAMESPACES = 32;
/** Where nerdctl puts the name; `ctr` has none besides the id. */
const NERDCTL_NAME = 'nerdctl/name';

export const containerdClient: RuntimeClient = {
  canHave: (id) => /^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/.test(id),
  async find(socketPath, id, signal) {
    using connection = new GrpcConnection(socketPath, signal);
    return (await findByCri(connection, id)) ?? (await findInNamespaces(connection, id));
  },
  async version(socketPath, signal) {
    using connection = new GrpcConnection(socketPath, signal);
    const answer = await connection.call(VERSION, new Uint8Array(0));
    if (answer === null) throw new UnreadableAnswer('does not know the API of containerd');
    return `containerd ${answer.text(1)}`;
  },
};

async function findInNamespaces(connection: GrpcConnection, id: string): Promise<Container | null> {
  const list = await connection.call(NAMESPACES, new Uint8Array(0));
  const namespaces = list?.messages(1).map((namespace) => namespace.text(1)) ?? [];
  const found: Container[] = [];
  for (const namespace of namespaces.slice(0, MAX_NAMESPACES)) {
    // A name that is no header's value would be an error of ours.
    if (namespace === DOCKERS_NAMESPACE || !/^[\w.-]+$/.test(namespace)) continue;
    const container = await findIn(connection, namespace, id);
    if (container !== null) found.push(container);
  }
  // An id that its user chose may stand in two namespaces: better nothing than the wrong one.
  return found.length === 1 ? (found[0] ?? null) : null;
}

async function findIn(connection: GrpcConnection, namespace: string, id: string): Promise<Container | null> {
  const answer = await connection.call(GET, encodeField(1, id), { 'containerd-namespace': namespace });
  const container = answer?.message(1);
  if (container?.text(1) !== id) return null;
  const labels = [...container.entries(2)];
  const name = labels.find(([label]) => label === NERDCTL_NAME)?.[1] ?? id;
  return describeContainer('containerd', { id, name, image: container.text(3), namespace, labels });
}
