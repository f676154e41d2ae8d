import type { Container } from '../model/container.ts';
import { ANSWER_TIMEOUT_MS, CLIENTS, problemText } from './clients.ts';
import type { RuntimeSocket } from './contract.ts';
import { presentSockets } from './sockets.ts';

/** Containers that wait to be asked for. A node of Kubernetes has some hundred. */
const MAX_WAITING = 1024;
const MAX_ASKED_AT_ONCE = 4;
/** Pauses before the next attempt where no runtime knew the id (yet), or none could be asked. */
const RETRY_AFTER_MS = [100, 400, 1600, 6400, 25_600];
/** So long a socket is left alone after it failed, twice as long after each further time. */
const REST_MS = 1000;
const MAX_REST_MS = 60_000;

export interface LookupCounters {
  asked: number;
  named: number;
  /** No runtime knew the id, whenever it was asked. */
  unknown: number;
  /** Questions to a socket that was no help: it did not answer in time, or not as its kind does. */
  failed: number;
  /** Too many waited. */
  skipped: number;
}

interface Rest {
  failures: number;
  untilMs: number;
}

/**
 * Asks the container runtimes of this host who a container is. Each question goes to all of them at once, and the first
 * that knows it is believed. Nothing here waits for an answer, nothing throws, and everything has an end.
 */
export class ContainerLookups implements Disposable {
  readonly counters: LookupCounters = { asked: 0, named: 0, unknown: 0, failed: 0, skipped: 0 };
  readonly #sockets: readonly RuntimeSocket[];
  readonly #onFound: (container: Container) => void;
  readonly #warn: (text: string) => void;
  readonly #ending = new AbortController();
  readonly #waiting: { readonly id: string; readonly attempt: number }[] = [];
  /** Ids whose next attempt is due later. */
  readonly #retries = new Map<string, NodeJS.Timeout>();
  readonly #rests = new Map<RuntimeSocket, Rest>();
  readonly #warned = new Set<RuntimeSocket>();
  #active = 0;

  /** @param warn is told once for each socket what is wrong with it */
  constructor(
    sockets: readonly RuntimeSocket[],
    onFound: (container: Container) => void,
    warn: (text: string) => void,
  ) {
    this.#sockets = sockets;
    this.#onFound = onFound;
    this.#warn = warn;
  }

  /** The answer comes to onFound, or never. */
  ask(id: string): void {
    this.counters.asked++;
    this.#enqueue(id, 0);
  }

  [Symbol.dispose](): void {
    this.#ending.abort();
    this.#waiting.length = 0;
    for (const timer of this.#retries.values()) clearTimeout(timer);
    this.#retries.clear();
  }

  #enqueue(id: string, attempt: number): void {
    if (this.#waiting.length + this.#retries.size >= MAX_WAITING) {
      this.counters.skipped++;
      return;
    }
    this.#waiting.push({ id, attempt });
    this.#next();
  }

  #next(): void {
    while (this.#active < MAX_ASKED_AT_ONCE) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      this.#active++;
      void this.#find(next.id).then((container) => {
        this.#active--;
        this.#answered(next.id, next.attempt, container);
        this.#next();
      });
    }
  }

  #answered(id: string, attempt: number, container: Container | null): void {
    if (this.#ending.signal.aborted) return;
    if (container !== null) {
      this.counters.named++;
      this.#onFound(container);
      return;
    }
    const pauseMs = RETRY_AFTER_MS[attempt];
    if (pauseMs === undefined) {
      this.counters.unknown++;
      return;
    }
    const timer = setTimeout(() => {
      this.#retries.delete(id);
      this.#enqueue(id, attempt + 1);
    }, pauseMs);
    // Whoever is asked to end does so.
    timer.unref();
    this.#retries.set(id, timer);
  }

  /** The first answer that names it; null when all have answered and none does. */
  #find(id: string): Promise<Container | null> {
    const { promise, resolve } = Promise.withResolvers<Container | null>();
    const found = new AbortController();
    const nowMs = performance.now();
    const asked = presentSockets(this.#sockets).filter(
      (socket) => CLIENTS[socket.kind].canHave(id) && (this.#rests.get(socket)?.untilMs ?? 0) <= nowMs,
    );
    const answers = asked.map(async (socket) => {
      const container = await this.#askSocket(socket, id, found.signal);
      if (container === null) return;
      resolve(container);
      found.abort();
    });
    void Promise.all(answers).then(() => resolve(null));
    return promise;
  }

  /** @param found aborts when the answer of another socket has come */
  async #askSocket(socket: RuntimeSocket, id: string, found: AbortSignal): Promise<Container | null> {
    const isOver = AbortSignal.any([this.#ending.signal, found]);
    const signal = AbortSignal.any([isOver, AbortSignal.timeout(ANSWER_TIMEOUT_MS)]);
    try {
      const container = await CLIENTS[socket.kind].find(socket.path, id, signal);
      this.#rests.delete(socket);
      return container;
    } catch (error) {
      if (!isOver.aborted) this.#failed(socket, error);
      return null;
    }
  }

  #failed(socket: RuntimeSocket, error: unknown): void {
    this.counters.failed++;
    const nowMs = performance.now();
    const rest = this.#rests.get(socket) ?? { failures: 0, untilMs: 0 };
    // Several questions that fail together are one failure.
    if (rest.untilMs <= nowMs) {
      const restMs = Math.min(REST_MS * 2 ** rest.failures, MAX_REST_MS);
      this.#rests.set(socket, { failures: rest.failures + 1, untilMs: nowMs + restMs });
    }
    if (this.#warned.has(socket)) return;
    this.#warned.add(socket);
    const { kind, path } = socket;
    this.#warn(`names of containers may be missing: ${kind} at ${path} ${problemText(error)}`);
  }
}
