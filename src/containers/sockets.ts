import { statSync } from 'node:fs';
import type { RuntimeSocket } from './contract.ts';

/**
 * Where runtimes listen unless they are told otherwise. All of them belong to root: a user's own (rootless) runtime could
 * tell anything of anybody's container, so it is asked only where it is named on the command line.
 */
export const DEFAULT_SOCKETS: readonly RuntimeSocket[] = [
  { kind: 'docker', path: '/run/docker.sock' },
  { kind: 'podman', path: '/run/podman/podman.sock' },
  { kind: 'containerd', path: '/run/containerd/containerd.sock' },
  { kind: 'containerd', path: '/run/k3s/containerd/containerd.sock' },
  { kind: 'containerd', path: '/run/k0s/containerd.sock' },
  { kind: 'containerd', path: '/var/snap/microk8s/common/run/containerd.sock' },
  { kind: 'cri', path: '/run/crio/crio.sock' },
  { kind: 'cri', path: '/run/cri-dockerd.sock' },
];

/** Those of the sockets that are there now. */
export function presentSockets(sockets: readonly RuntimeSocket[]): RuntimeSocket[] {
  return sockets.filter(({ path }) => isSocket(path));
}

function isSocket(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isSocket() === true;
  } catch {
    return false;
  }
}
