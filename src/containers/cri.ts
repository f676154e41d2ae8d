import type { Container } from '../model/container.ts';
import { UnreadableAnswer } from './answer.ts';
import { isHexId, type RuntimeClient } from './client.ts';
import { describeContainer } from './description.ts';
import { GrpcConnection } from './grpc.ts';
import { encodeField, type Message } from './protobuf.ts';

/**
 * Container Runtime Interface of Kubernetes, runtime.v1
 * (https://github.com/kubernetes/cri-api/blob/master/pkg/apis/runtime/v1/api.proto); the numbers are those of its fields.
 */
const SERVICE = '/runtime.v1.RuntimeService';

export const criClient: RuntimeClient = {
  canHave: isHexId,
  async find(socketPath, id, signal) {
    using connection = new GrpcConnection(socketPath, signal);
    return await findByCri(connection, id);
  },
  async version(socketPath, signal) {
    using connection = new GrpcConnection(socketPath, signal);
    const answer = await connection.call(`${SERVICE}/Version`, new Uint8Array(0));
    if (answer === null) throw new UnreadableAnswer('does not know runtime.v1 of CRI');
    return `${answer.text(2)} ${answer.text(3)}`;
  },
};

/** A container of a pod, or the sandbox of one. null where there is neither, and where nobody speaks CRI. */
export async function findByCri(connection: GrpcConnection, id: string): Promise<Container | null> {
  const filter = encodeField(1, encodeField(1, id));
  const list = await connection.call(`${SERVICE}/ListContainers`, filter);
  if (list === null) return null;
  const listed = list.messages(1).find((container) => container.text(1) === id);
  const sandbox = await sandboxOf(connection, listed?.text(2) ?? id);
  if (listed === undefined)
    return sandbox === null ? null : describeContainer('cri', { id, name: '', image: '', ...sandbox });
  // The list names the image by its digest, once the kubelet has resolved it: the status by its tag.
  const status = (await connection.call(`${SERVICE}/ContainerStatus`, encodeField(1, id)))?.message(1);
  const image = status?.message(8).text(1) ?? '';
  return describeContainer('cri', {
    id,
    name: listed.message(3).text(1),
    image: image === '' ? listed.message(4).text(1) : image,
    ...sandbox,
    labels: listed.entries(8),
  });
}

async function sandboxOf(connection: GrpcConnection, id: string) {
  const answer = await connection.call(`${SERVICE}/PodSandboxStatus`, encodeField(1, id));
  const status: Message | undefined = answer?.message(1);
  if (status?.text(1) !== id) return null;
  const metadata = status.message(2);
  return {
    pod: metadata.text(1),
    podUid: metadata.text(2),
    namespace: metadata.text(3),
    labels: status.entries(7),
  };
}
