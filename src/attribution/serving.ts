import type { Process } from '../model/process.ts';
import type { Connection } from '../model/request.ts';
import type { RequestState } from './request-state.ts';

/** Requests that are remembered for each inbound message number of a connection. */
const MAX_SEQUENCES = 32;

/** An accepted connection whose requests we read. */
export class ServedConnection {
  readonly connection: Connection;
  /** Begun and not yet answered in full, oldest first: replies come in order. */
  readonly unanswered: RequestState[] = [];
  /** Process that read it last. */
  pid = 0;
  readonly #bySequence = new Map<number, RequestState[]>();
  #newest: RequestState | null = null;

  constructor(connection: Connection) {
    this.connection = connection;
  }

  get newest(): RequestState | null {
    return this.#newest;
  }

  begin(request: RequestState, sequence: number): void {
    this.#newest = request;
    this.unanswered.push(request);
    this.#listFor(sequence).push(request);
  }

  /** The bytes of this message belong to the request begun before: its body, after an interim reply. */
  continueIn(sequence: number): void {
    if (this.#newest?.isInFlight === true && !this.#bySequence.has(sequence))
      this.#listFor(sequence).push(this.#newest);
  }

  /** Requests whose bytes came in the message with this number. */
  requestsOf(sequence: number): readonly RequestState[] {
    return this.#bySequence.get(sequence) ?? [];
  }

  #listFor(sequence: number): RequestState[] {
    let list = this.#bySequence.get(sequence);
    if (list === undefined) {
      list = [];
      this.#bySequence.set(sequence, list);
      if (this.#bySequence.size > MAX_SEQUENCES)
        for (const oldest of this.#bySequence.keys()) {
          this.#bySequence.delete(oldest);
          break;
        }
    }
    return list;
  }
}

/** A thread that has read requests. */
export class ServingThread {
  readonly pid: number;
  /** It comes back from epoll_wait: what it runs next may belong to any of its requests. */
  isLoop = false;
  /** Read by this thread and possibly still in work, oldest first. */
  #requests: RequestState[] = [];

  constructor(pid: number) {
    this.pid = pid;
  }

  read(request: RequestState): void {
    this.#prune();
    this.#requests.push(request);
  }

  /** Requests that this thread may be working on. */
  open(): readonly RequestState[] {
    this.#prune();
    return this.#requests;
  }

  /**
   * A thread that is no event loop is done with a request when it reads another after having begun to answer: only one
   * that juggles several leaves one unanswered.
   */
  #prune(): void {
    const newest = this.#requests.at(-1);
    if (this.#requests.length === 0) return;
    this.#requests = this.#requests.filter(
      (request) => request.isInFlight && (this.isLoop || !request.isAnswered || request === newest),
    );
  }
}

/** A process that reads requests itself. */
export class ServingProcess {
  readonly process: Process;
  readonly inFlight = new Set<RequestState>();
  readonly threads = new Set<number>();
  readonly connections = new Set<number>();
  /** Threads of it that are event loops. */
  loopCount = 0;
  /** A reply was written by another thread than the one that had read the request: threads prove nothing here. */
  isMigrating = false;

  constructor(process: Process) {
    this.process = process;
  }

  /** Several loops share the work (Go, a multi-threaded runtime), or work moves between threads. */
  get hasMovingWork(): boolean {
    return this.isMigrating || this.loopCount > 1;
  }
}
