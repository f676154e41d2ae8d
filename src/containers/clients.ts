import type { RuntimeKind, RuntimeReport, RuntimeSocket } from './contract.ts';
import type { RuntimeClient } from './client.ts';
import { containerdClient } from './containerd.ts';
import { criClient } from './cri.ts';
import { dockerClient } from './docker.ts';
import { podmanClient } from './podman.ts';
import { DEFAULT_SOCKETS, presentSockets } from './sockets.ts';

/** A runtime that is well answers within milliseconds. */
export const ANSWER_TIMEOUT_MS = 2000;

export const CLIENTS: Readonly<Record<RuntimeKind, RuntimeClient>> = {
  docker: dockerClient,
  podman: podmanClient,
  containerd: containerdClient,
  cri: criClient,
};

/**
 * Whether each of the sockets answers as it should. Never rejects.
 *
 * @param sockets where it is missing, those that are there of those in the usual places
 */
export function examineRuntimes(
  sockets: readonly RuntimeSocket[] = presentSockets(DEFAULT_SOCKETS),
): Promise<RuntimeReport[]> {
  return Promise.all(
    sockets.map(async ({ kind, path }) => {
      try {
        const version = await CLIENTS[kind].version(path, AbortSignal.timeout(ANSWER_TIMEOUT_MS));
        return { kind, path, version, problem: '' };
      } catch (error) {
        return { kind, path, version: null, problem: problemText(error) };
      }
    }),
  );
}

/** Why a runtime was of no use, for people. */
export function problemText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'TimeoutError') return `does not answer within ${ANSWER_TIMEOUT_MS / 1000} s`;
  return 'code' in error && typeof error.code === 'string'
    ? `cannot be asked (${error.code})`
    : error.message;
}
