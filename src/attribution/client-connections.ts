import { dropOldest } from '../base/oldest.ts';
import type { Process } from '../model/process.ts';
import type { RequestState } from './request-state.ts';

const MAX_CONNECTIONS = 65_536;
/** Requests that wait on one connection at once, as far as they are told apart. */
const MAX_WAITING = 64;

/**
 * A question in a datagram may get no answer, and whoever waits goes on without one. The most impatient resolver that
 * we know asks again after a quarter of a second (c-ares), so nobody is believed to wait longer.
 */
const DATAGRAM_WAIT_NS = 250e6;
const MAX_DATAGRAM_WAITS = 1024;

interface ClientConnection {
  /** Process and service: the connections of one pool, as far as can be told. */
  readonly pool: string;
  /** Asked, and nothing of the answer was read yet. */
  isAsked: boolean;
  /**
   * It lay unused and was taken up. Before that it may be one that is still being made, with questions of its own (a login), which
   * nobody who queues can have yet.
   */
  isTakenUp: boolean;
  hasAsked: boolean;
  /** With how often they asked. */
  readonly waiting: Map<RequestState, number>;
}

interface Pool {
  connections: number;
  /** Of them those that whoever queues for one could have. */
  idle: number;
}

interface DatagramWait {
  readonly connection: number;
  readonly request: RequestState;
  readonly untilNs: number;
}

/** The connections on which serving processes ask others, and which requests visibly wait for them. */
export class ClientConnections {
  readonly #connections = new Map<number, ClientConnection>();
  readonly #pools = new Map<string, Pool>();
  /** In order of time; those that were answered stand here until their time is over. */
  readonly #datagramWaits: DatagramWait[] = [];

  opened(connection: number, pool: string): void {
    this.closed(connection);
    if (this.#connections.size >= MAX_CONNECTIONS)
      for (const oldest of this.#connections.keys()) {
        this.closed(oldest);
        break;
      }
    this.#connections.set(connection, {
      pool,
      isAsked: false,
      isTakenUp: false,
      hasAsked: false,
      waiting: new Map(),
    });
    const known = this.#pools.get(pool);
    if (known !== undefined) known.connections++;
    else {
      if (this.#pools.size >= MAX_CONNECTIONS) dropOldest(this.#pools);
      this.#pools.set(pool, { connections: 1, idle: 0 });
    }
  }

  /** The request waits for an answer, or for the connection. */
  wait(connection: number, request: RequestState): void {
    const client = this.#connections.get(connection);
    if (client === undefined) return;
    const times = client.waiting.get(request) ?? 0;
    if (times === 0 && client.waiting.size >= MAX_WAITING) return;
    client.waiting.set(request, times + 1);
    if (times === 0) request.waitingCount++;
  }

  /** The request waits for the answer to a datagram, for a while. */
  waitForDatagram(connection: number, request: RequestState, nowNs: number): void {
    if (this.#datagramWaits.length >= MAX_DATAGRAM_WAITS) this.#giveUpWaiting();
    this.#datagramWaits.push({ connection, request, untilNs: nowNs + DATAGRAM_WAIT_NS });
    this.wait(connection, request);
  }

  /** Whose answer should be there by now may go on without it. */
  sweep(nowNs: number): void {
    while ((this.#datagramWaits[0]?.untilNs ?? Infinity) <= nowNs) this.#giveUpWaiting();
  }

  /** One of its questions is answered: others of the connection are answered each by itself. */
  datagramAnswered(connection: number, request: RequestState): void {
    const waiting = this.#connections.get(connection)?.waiting;
    const times = waiting?.get(request) ?? 0;
    if (waiting === undefined || times === 0) return;
    if (times > 1) waiting.set(request, times - 1);
    else {
      waiting.delete(request);
      request.waitingCount--;
    }
  }

  /** @param isHere whoever asks does it upon an answer that came on this connection */
  asked(connection: number, isHere: boolean): void {
    const client = this.#connections.get(connection);
    if (client === undefined) return;
    this.#setAsked(client, true);
    if (client.hasAsked && !isHere) client.isTakenUp = true;
    client.hasAsked = true;
  }

  /** The answer has begun. */
  answered(connection: number): void {
    const client = this.#connections.get(connection);
    if (client !== undefined) this.#setAsked(client, false);
    this.#release(connection);
  }

  closed(connection: number): void {
    const client = this.#connections.get(connection);
    if (client === undefined) return;
    this.answered(connection);
    this.#connections.delete(connection);
    const pool = this.#pools.get(client.pool);
    if (pool === undefined) return;
    if (client.isTakenUp) pool.idle--;
    if (--pool.connections <= 0) this.#pools.delete(client.pool);
  }

  /** Whether the process has another connection to the same service on which nothing is asked: nobody queues for one. */
  hasIdleBeside(connection: number): boolean {
    const client = this.#connections.get(connection);
    const pool = client === undefined ? undefined : this.#pools.get(client.pool);
    if (client === undefined || pool === undefined) return false;
    return pool.idle - (client.isTakenUp && !client.isAsked ? 1 : 0) > 0;
  }

  /**
   * Answers may have been lost: no request is believed to wait.
   * @param processes those whose requests these are; null: everybody's
   */
  forgetWaiting(processes: ReadonlySet<Process> | null): void {
    for (const { waiting } of this.#connections.values())
      for (const request of waiting.keys()) {
        if (processes?.has(request.process) === false) continue;
        request.waitingCount = 0;
        waiting.delete(request);
      }
  }

  #giveUpWaiting(): void {
    const oldest = this.#datagramWaits.shift();
    if (oldest !== undefined) this.datagramAnswered(oldest.connection, oldest.request);
  }

  #setAsked(client: ClientConnection, isAsked: boolean): void {
    if (client.isAsked === isAsked) return;
    client.isAsked = isAsked;
    const pool = this.#pools.get(client.pool);
    if (pool !== undefined && client.isTakenUp) pool.idle += isAsked ? -1 : 1;
  }

  #release(connection: number): void {
    const waiting = this.#connections.get(connection)?.waiting;
    if (waiting === undefined) return;
    for (const request of waiting.keys()) request.waitingCount--;
    waiting.clear();
  }
}
