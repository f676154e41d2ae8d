import { dropOldest } from '../base/oldest.ts';
import type { RequestState } from './request-state.ts';

const MAX_CONNECTIONS = 65_536;
/** Requests that wait on one connection at once, as far as they are told apart. */
const MAX_WAITING = 64;

interface ClientConnection {
  /** Process and service: the connections of one pool, as far as can be told. */
  readonly pool: string;
  /** Asked, and nothing of the answer was read yet. */
  isAsked: boolean;
  readonly waiting: Set<RequestState>;
}

interface Pool {
  connections: number;
  asked: number;
}

/** The connections on which serving processes ask others, and which requests visibly wait for them. */
export class ClientConnections {
  readonly #connections = new Map<number, ClientConnection>();
  readonly #pools = new Map<string, Pool>();

  opened(connection: number, pool: string): void {
    this.closed(connection);
    if (this.#connections.size >= MAX_CONNECTIONS)
      for (const oldest of this.#connections.keys()) {
        this.closed(oldest);
        break;
      }
    this.#connections.set(connection, { pool, isAsked: false, waiting: new Set() });
    const known = this.#pools.get(pool);
    if (known !== undefined) known.connections++;
    else {
      if (this.#pools.size >= MAX_CONNECTIONS) dropOldest(this.#pools);
      this.#pools.set(pool, { connections: 1, asked: 0 });
    }
  }

  /** The request waits for an answer, or for the connection. */
  wait(connection: number, request: RequestState): void {
    const client = this.#connections.get(connection);
    if (client === undefined || client.waiting.has(request) || client.waiting.size >= MAX_WAITING) return;
    client.waiting.add(request);
    request.waitingCount++;
  }

  asked(connection: number): void {
    this.#setAsked(connection, true);
  }

  /** The answer has begun. */
  answered(connection: number): void {
    this.#setAsked(connection, false);
    this.#release(connection);
  }

  closed(connection: number): void {
    const client = this.#connections.get(connection);
    if (client === undefined) return;
    this.answered(connection);
    this.#connections.delete(connection);
    const pool = this.#pools.get(client.pool);
    if (pool !== undefined && --pool.connections <= 0) this.#pools.delete(client.pool);
  }

  /** Whether the process has another connection to the same service on which nothing is asked: nobody queues for one. */
  hasIdleBeside(connection: number): boolean {
    const client = this.#connections.get(connection);
    const pool = client === undefined ? undefined : this.#pools.get(client.pool);
    if (client === undefined || pool === undefined) return false;
    return pool.connections - pool.asked - (client.isAsked ? 0 : 1) > 0;
  }

  /** Answers may have been lost: nobody is believed to wait. */
  forgetWaiting(): void {
    for (const { waiting } of this.#connections.values()) {
      for (const request of waiting) request.waitingCount = 0;
      waiting.clear();
    }
  }

  #setAsked(connection: number, isAsked: boolean): void {
    const client = this.#connections.get(connection);
    if (client === undefined || client.isAsked === isAsked) return;
    client.isAsked = isAsked;
    const pool = this.#pools.get(client.pool);
    if (pool !== undefined) pool.asked += isAsked ? 1 : -1;
  }

  #release(connection: number): void {
    const waiting = this.#connections.get(connection)?.waiting;
    if (waiting === undefined) return;
    for (const request of waiting) request.waitingCount--;
    waiting.clear();
  }
}
