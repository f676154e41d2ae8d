import { receiveMessageOnPort, type MessagePort } from 'node:worker_threads';
import { dropOldest } from '../base/oldest.ts';
import type { FactSource } from '../capture/contract.ts';
import type { RuntimeSocket } from '../containers/contract.ts';
import { ContainerLookups } from '../containers/lookups.ts';
import type { Container } from '../model/container.ts';
import type { Fact } from '../model/event.ts';
import { parseCgroupPaths, unifiedPaths } from '../world/cgroup-path.ts';

/**
 * Names of containers, between two threads: the sensor worker sees new ids and never waits for a message; the main
 * thread has an event loop, in which the runtimes are asked.
 */

/** Ids that are asked for once. Should there ever be more, the oldest may be asked for again. */
const MAX_KNOWN = 16_384;

/** The sensor worker's end: posts the id of each container that it sees for the first time. */
export class ContainerNames implements FactSource {
  readonly #port: MessagePort;
  readonly #known = new Map<string, true>();

  constructor(port: MessagePort) {
    this.#port = port;
  }

  saw(fact: Fact): void {
    if (fact.kind !== 'cgroup') return;
    const id = parseCgroupPaths(unifiedPaths(fact.paths)).containerId;
    if (id === null || this.#known.has(id)) return;
    if (this.#known.size >= MAX_KNOWN) dropOldest(this.#known);
    this.#known.set(id, true);
    this.#port.postMessage(id);
  }

  take(): Fact | null {
    const container: Container | undefined = receiveMessageOnPort(this.#port)?.message;
    return container === undefined ? null : { kind: 'container', ...container };
  }
}

/** The main thread's end: looks up each id that comes out of the port and posts what was found. */
export function answerContainerNames(
  port: MessagePort,
  sockets: readonly RuntimeSocket[],
  warn: (text: string) => void,
): ContainerLookups {
  const lookups = new ContainerLookups(sockets, (container) => port.postMessage(container), warn);
  port.on('message', (id: string) => lookups.ask(id));
  // It does not keep the program from ending.
  port.unref();
  return lookups;
}
