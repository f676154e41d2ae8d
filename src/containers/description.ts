import type { Container } from '../model/container.ts';
import type { RuntimeKind } from './contract.ts';

/** Labels that are kept of a container, and how long each may be. Kubernetes sets some ten. */
const MAX_LABELS = 32;
const MAX_LABEL_NAME = 128;
const MAX_LABEL_VALUE = 256;
/** Names of images may have a registry, a path and a digest. */
const MAX_IMAGE = 512;
const MAX_NAME = 256;

/** Labels that the kubelet puts on the containers of its pods, whatever the runtime. */
const KUBERNETES = {
  container: 'io.kubernetes.container.name',
  pod: 'io.kubernetes.pod.name',
  namespace: 'io.kubernetes.pod.namespace',
  podUid: 'io.kubernetes.pod.uid',
} as const;

/** What a runtime said, as it came. */
export interface Told {
  readonly id: string;
  readonly name: string;
  readonly image: string;
  readonly pod?: string;
  readonly namespace?: string;
  readonly podUid?: string;
  readonly labels: Iterable<readonly [name: string, value: unknown]>;
}

/** A container out of what its runtime said: of bounded size, and with what Kubernetes says in labels in its place. */
export function describeContainer(runtime: RuntimeKind, told: Told): Container {
  const labels: Record<string, string> = Object.create(null) as Record<string, string>;
  const kubernetes = new Map<string, string>();
  let count = 0;
  for (const [name, value] of told.labels) {
    if (typeof value !== 'string') continue;
    if (name.startsWith('io.kubernetes.')) kubernetes.set(name, value);
    if (count === MAX_LABELS) continue;
    count++;
    labels[cut(name, MAX_LABEL_NAME)] = cut(value, MAX_LABEL_VALUE);
  }
  const first = (label: string, ...others: readonly (string | undefined)[]): string =>
    cut([kubernetes.get(label), ...others].find((text) => text !== undefined && text !== '') ?? '', MAX_NAME);
  return {
    id: told.id,
    runtime,
    name: first(KUBERNETES.container, told.name),
    image: cut(told.image, MAX_IMAGE),
    pod: first(KUBERNETES.pod, told.pod),
    namespace: first(KUBERNETES.namespace, told.namespace),
    podUid: first(KUBERNETES.podUid, told.podUid),
    // A copy with an ordinary prototype: it crosses threads.
    labels: { ...labels },
  };
}

/** slice alone would keep the whole answer alive. */
function cut(text: string, limit: number): string {
  return text.length <= limit ? text : Buffer.from(text.slice(0, limit), 'utf8').toString('utf8');
}
