import type { KernelEvent, KernelEventKind } from '../../src/model/event.ts';
import { requestIdIn } from './mark.ts';

/** Counts what the kernel reports of a server's processes, from the first request of the bench on. */
export class EventCount {
  readonly byKind: Partial<Record<KernelEventKind, number>> = {};
  total = 0;
  readonly #tree: Set<number>;
  #hasBegun = false;

  /** @param pids the processes that were started; what they fork belongs to them */
  constructor(pids: readonly number[]) {
    this.#tree = new Set(pids);
  }

  event(event: KernelEvent): void {
    if (!this.#tree.has(event.pid)) return;
    if (event.kind === 'fork') this.#tree.add(event.childPid);
    if (!this.#hasBegun && event.kind === 'payload') this.#hasBegun = requestIdIn(event.bytes) !== null;
    if (!this.#hasBegun) return;
    this.total += 1;
    this.byKind[event.kind] = (this.byKind[event.kind] ?? 0) + 1;
    // Ids of processes come again, for somebody else's.
    if (event.kind === 'exit') this.#tree.delete(event.pid);
  }
}
