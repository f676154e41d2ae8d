import type { EventHeader, KernelEvent, PayloadEvent } from '../../src/model/event.ts';
import { askedIn, loadOf, markOf, requestIdIn, type Mark } from './mark.ts';
import { emptyTallies, type Tally, type TallyByKind } from './tally.ts';

/** What two simple ways would have said of the same events. */
export interface Baselines {
  /** Blame the request that the thread read last; a new process has that of the thread that forked it. */
  readonly thread: TallyByKind;
  /** Blame every request that is in flight in the process, or in the nearest ancestor that serves requests. */
  readonly inFlight: TallyByKind;
}

export function emptyBaselines(): Baselines {
  return { thread: emptyTallies(), inFlight: emptyTallies() };
}

/** So far up it is looked for a process that serves requests. */
const MAX_ANCESTORS = 16;

/**
 * Computes the baselines out of the kernel's events alone. A request is in flight from the first bytes that a process
 * reads of it to the first bytes of the reply; the bench's requests do all they do in between.
 */
export class BaselineWatch {
  readonly #loads: ReadonlyMap<string, Baselines>;
  readonly #lastOfThread = new Map<number, string>();
  /** Connections that a server made to ask others. */
  readonly #clients = new Set<number>();
  readonly #inFlight = new Map<number, Set<string>>();
  readonly #parents = new Map<number, number>();
  readonly #connections = new Map<number, { readonly pid: number; readonly id: string }>();

  /** @param loads where to count, by the common part of a load's ids */
  constructor(loads: ReadonlyMap<string, Baselines>) {
    this.#loads = loads;
  }

  event(event: KernelEvent): void {
    switch (event.kind) {
      case 'payload':
        this.#payload(event);
        break;
      case 'accept':
        if (event.isClient === true) this.#clients.add(event.connection);
        break;
      case 'close':
        this.#clients.delete(event.connection);
        this.#over(event.connection);
        break;
      case 'fork':
        this.#forked(event.childPid, event);
        break;
      case 'exec':
        this.#judge(event, markOf({ type: 'exec', argv: event.argv }));
        break;
      case 'open':
        this.#judge(event, markOf({ type: 'open', path: event.path, resolvedPath: event.resolvedPath }));
        break;
      case 'exit':
        this.#inFlight.delete(event.pid);
        break;
      default:
        // Other kinds carry no mark.
        break;
    }
  }

  #payload(event: PayloadEvent): void {
    if (this.#clients.has(event.connection)) {
      this.#judge(event, askedIn(event.bytes));
      return;
    }
    if (event.direction === 'out') {
      this.#over(event.connection);
      return;
    }
    const id = requestIdIn(event.bytes);
    if (id === null) return;
    this.#over(event.connection);
    this.#connections.set(event.connection, { pid: event.pid, id });
    this.#lastOfThread.set(event.tid, id);
    const requests = this.#inFlight.get(event.pid) ?? new Set();
    requests.add(id);
    this.#inFlight.set(event.pid, requests);
  }

  #over(connection: number): void {
    const known = this.#connections.get(connection);
    if (known === undefined) return;
    this.#connections.delete(connection);
    this.#inFlight.get(known.pid)?.delete(known.id);
  }

  /** Ids of processes come again: whatever an older one had is gone. */
  #forked(childPid: number, parent: EventHeader): void {
    this.#parents.set(childPid, parent.pid);
    this.#inFlight.delete(childPid);
    const last = this.#lastOfThread.get(parent.tid);
    if (last === undefined) this.#lastOfThread.delete(childPid);
    else this.#lastOfThread.set(childPid, last);
  }

  #judge(event: EventHeader, mark: Mark | null): void {
    if (mark === null) return;
    const baselines = this.#loads.get(loadOf(mark.id));
    if (baselines === undefined) return;
    const last = this.#lastOfThread.get(event.tid);
    blame(baselines.thread[mark.kind], mark.id, last === undefined ? [] : [last]);
    blame(baselines.inFlight[mark.kind], mark.id, [...this.#serving(event.pid)]);
  }

  #serving(pid: number): ReadonlySet<string> {
    let current: number | undefined = pid;
    for (let depth = 0; depth < MAX_ANCESTORS && current !== undefined; depth++) {
      const requests = this.#inFlight.get(current);
      if (requests !== undefined) return requests;
      current = this.#parents.get(current);
    }
    return new Set();
  }
}

/** One blamed request is a claim, several are candidates, none is a miss. */
export function blame(tally: Tally, id: string, blamed: readonly string[]): void {
  if (blamed.length === 0) tally.missing += 1;
  else if (blamed.length === 1) tally[blamed[0] === id ? 'right' : 'wrong'] += 1;
  else {
    tally[blamed.includes(id) ? 'ambiguous' : 'misled'] += 1;
    tally.candidates += blamed.length;
  }
}
