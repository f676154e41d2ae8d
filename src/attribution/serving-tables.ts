import type { EventHeader } from '../model/event.ts';
import type { Process } from '../model/process.ts';
import type { Birth } from './birth.ts';
import { ClientConnections } from './client-connections.ts';
import type { ServedConnection, ServingProcess, ServingThread } from './serving.ts';

/** After lost payload we do not know what else was in flight: so long nothing is called exact on an event loop. */
const DOUBT_AFTER_LOSS_NS = 5e9;
const NANOSECONDS_PER_TICK = 10_000_000;

/** What is known of everything that serves: who reads what, who asks whom, and what was born in which request. */
export class ServingTables {
  readonly connections = new Map<number, ServedConnection>();
  readonly closed = new Map<number, ServedConnection>();
  readonly threads = new Map<number, ServingThread>();
  readonly processes = new Map<number, ServingProcess>();
  readonly clients = new ClientConnections();
  readonly births = new WeakMap<Process, Birth>();
  /** Until then requests may be in flight that were not seen: anywhere, and in one process. */
  #doubtUntilNs = 0;
  readonly #doubts = new WeakMap<Process, number>();
  /** When the sensors were attached. */
  attachedNs = -Infinity;

  /**
   * Requests may be in flight that were not seen to begin.
   * @param process the one that has read them; null: nobody knows which
   */
  doubtFrom(nowNs: number, process: Process | null): void {
    const untilNs = nowNs + DOUBT_AFTER_LOSS_NS;
    if (process === null) this.#doubtUntilNs = untilNs;
    else this.#doubts.set(process, untilNs);
  }

  /** Whether the process may serve requests that were not seen to begin. */
  isDoubted(process: Process, nowNs: number): boolean {
    return nowNs < this.#doubtUntilNs || nowNs < (this.#doubts.get(process) ?? 0);
  }

  /** Of a process that was there before the agent, requests may be in flight that it has not seen. */
  newcomerUntilNs({ startTicks }: Process): number {
    const wasBefore = startTicks * NANOSECONDS_PER_TICK < this.attachedNs;
    return wasBefore ? this.attachedNs + DOUBT_AFTER_LOSS_NS : -Infinity;
  }

  /** What only a thread has that comes back from epoll_wait. */
  noteLoop({ stampOrigin }: EventHeader, thread: ServingThread): void {
    if (stampOrigin === 'waited' || stampOrigin === 'linked') this.#markLoop(thread);
  }

  #markLoop(thread: ServingThread): void {
    if (thread.isLoop) return;
    thread.isLoop = true;
    const serving = this.processes.get(thread.pid);
    if (serving !== undefined) serving.loopCount++;
  }

  /** Whether what executes is known to be an event loop. */
  isLoop({ unit, stampOrigin }: EventHeader): boolean {
    return stampOrigin === 'waited' || stampOrigin === 'linked' || this.threads.get(unit)?.isLoop === true;
  }
}
