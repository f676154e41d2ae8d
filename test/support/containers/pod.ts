import { setTimeout as sleep } from 'node:timers/promises';
import { GrpcConnection } from '../../../src/containers/grpc.ts';
import { encodeField, type Message } from '../../../src/containers/protobuf.ts';
import { labels, message } from '../../../src/containers/testing.ts';
import { IMAGE } from './image.ts';

/** A pod with one container, made through CRI as the kubelet makes it. It has the host's network: no CNI is needed. */
export interface PodOptions {
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
  readonly container: string;
  readonly command: readonly string[];
}

export interface Pod extends AsyncDisposable {
  readonly sandboxId: string;
  readonly containerId: string;
}

const SERVICE = '/runtime.v1.RuntimeService';
const TIMEOUT_MS = 20_000;
/** NamespaceOption.network (1) and pid (2) are NODE (2) and CONTAINER (1): numbers, which nothing else needs. */
const HOST_NETWORK = Uint8Array.of(0x08, 2, 0x10, 1);
const IMAGE_ATTEMPTS = 50;

export async function startPod(socket: string, options: PodOptions): Promise<Pod> {
  const { name, namespace, uid, container, command } = options;
  const security = message({ 1: HOST_NETWORK });
  const sandboxConfig = message({
    1: message({ 1: name, 2: uid, 3: namespace }),
    6: labels({
      'io.kubernetes.pod.name': name,
      'io.kubernetes.pod.namespace': namespace,
      'io.kubernetes.pod.uid': uid,
    }),
    8: message({ 1: `/kubepods/burstable/pod${uid}`, 2: security }),
  });
  const sandboxId = (
    await untilImage(() => call(socket, 'RunPodSandbox', message({ 1: sandboxConfig })))
  ).text(1);
  const remove = async (): Promise<void> => {
    await call(socket, 'StopPodSandbox', encodeField(1, sandboxId));
    await call(socket, 'RemovePodSandbox', encodeField(1, sandboxId));
  };
  try {
    const containerConfig = message({
      1: message({ 1: container }),
      2: message({ 1: IMAGE }),
      3: command.map((word) => Buffer.from(word)),
      9: labels({
        'io.kubernetes.container.name': container,
        'io.kubernetes.pod.name': name,
        'io.kubernetes.pod.namespace': namespace,
        'io.kubernetes.pod.uid': uid,
      }),
      15: message({ 2: message({ 3: HOST_NETWORK }) }),
    });
    const created = await call(
      socket,
      'CreateContainer',
      message({ 1: sandboxId, 2: containerConfig, 3: sandboxConfig }),
    );
    const containerId = created.text(1);
    await call(socket, 'StartContainer', encodeField(1, containerId));
    return { sandboxId, containerId, [Symbol.asyncDispose]: remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

async function call(socket: string, method: string, content: Uint8Array): Promise<Message> {
  using connection = new GrpcConnection(socket, AbortSignal.timeout(TIMEOUT_MS));
  const answer = await connection.call(`${SERVICE}/${method}`, content);
  if (answer === null) throw new Error(`containerd knows no ${method}, or not what it is for`);
  return answer;
}

/** The CRI plugin learns of an image that was imported a moment later. */
async function untilImage<Result>(attempt: () => Promise<Result>): Promise<Result> {
  for (let failures = 1; ; failures++) {
    try {
      return await attempt();
    } catch (error) {
      if (failures === IMAGE_ATTEMPTS) throw error;
      await sleep(100);
    }
  }
}
