import type { Container } from '../model/container.ts';

/** How runtimes of one kind are asked. Both functions reject where the socket or its answer is of no use. */
export interface RuntimeClient {
  /** Whether a container of this runtime may have such an id at all. */
  canHave(id: string): boolean;
  /** null: the runtime has no such container. */
  find(socketPath: string, id: string, signal: AbortSignal): Promise<Container | null>;
  /** For people: 'Docker 20.10.24'. */
  version(socketPath: string, signal: AbortSignal): Promise<string>;
}

/** Docker, Podman and CRI would take a name or the beginning of an id as well, and find somebody else. */
export function isHexId(id: string): boolean {
  return /^[0-9a-f]{64}$/.test(id);
}
