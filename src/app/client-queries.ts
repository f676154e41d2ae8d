import { addressText } from '../base/addresses.ts';
import type { Sinks } from '../attribution/content.ts';
import type { SentQuery } from '../attribution/local-hops.ts';
import { dropOldest } from '../base/oldest.ts';
import type { Attribution } from '../model/effect.ts';
import type { AcceptEvent, PayloadEvent } from '../model/event.ts';
import type { Process } from '../model/process.ts';
import type { QueryMessage, QueryOutcome } from '../model/query.ts';
import type { Connection, Request, RequestMessage } from '../model/request.ts';

const MAX_CLIENTS = 65_536;
/** Questions of one connection that wait for their answer: more are forgotten, oldest first. */
const MAX_WAITING = 256;

const NO_BYTES = new Uint8Array(0);

/** A question whose answer is filled in when it comes; everyone else reads it as QueryEffect. */
interface AskedQuery extends SentQuery {
  outcome: QueryOutcome | null;
  endedNs: number | null;
  /** The kernel's stamp of whoever asked. */
  readonly owner: { readonly connection: number; readonly sequence: number };
  /** The request that waits for the answer, where each question is waited for by itself. */
  readonly waiter: Request | null;
}

interface Client {
  readonly connection: Connection;
  readonly isDatagram: boolean;
  /** Asked and not answered yet, by stream number, or by their order where the protocol has none. */
  readonly waiting: Map<number, AskedQuery>;
  order: number;
  oldestOrder: number;
}

/** The connections on which watched processes ask others, and their questions in flight. */
export class ClientQueries {
  readonly #clients = new Map<number, Client>();

  opened(event: AcceptEvent): void {
    if (this.#clients.size >= MAX_CLIENTS) dropOldest(this.#clients);
    this.#clients.set(event.connection, {
      connection: {
        id: event.connection,
        family: event.family,
        client: { address: addressText(event.family, event.localAddress), port: event.localPort },
        server: { address: addressText(event.family, event.remoteAddress), port: event.remotePort },
      },
      isDatagram: event.isDatagram === true,
      waiting: new Map(),
      order: 0,
      oldestOrder: 0,
    });
  }

  isClient(connection: number): boolean {
    return this.#clients.has(connection);
  }

  /** A connection on which others are asked; null: it is none. */
  clientOf(connection: number): Pick<Client, 'connection' | 'isDatagram'> | null {
    return this.#clients.get(connection) ?? null;
  }

  /** Whether questions of another request are still unanswered where this event asks one. */
  isShared({ connection, stampConnection, stampSequence }: PayloadEvent): boolean {
    for (const { owner } of this.#clients.get(connection)?.waiting.values() ?? [])
      if (owner.connection !== stampConnection || owner.sequence !== stampSequence) return true;
    return false;
  }

  closed(connection: number): void {
    this.#clients.delete(connection);
  }

  /**
   * @param stream number by which the answer is told; undefined: answers come in order
   * @param waiter who is to be told of the answer: see answered()
   */
  asked(
    event: PayloadEvent,
    process: Process,
    query: QueryMessage,
    attribution: Attribution,
    stream: number | undefined,
    waiter: Request | null,
  ): SentQuery | null {
    const client = this.#clients.get(event.connection);
    if (client === undefined) return null;
    const effect: AskedQuery = {
      timeNs: event.timeNs,
      pid: event.pid,
      tid: event.tid,
      process,
      attribution,
      type: 'query',
      query,
      remote: client.connection.server,
      outcome: null,
      endedNs: null,
      servedAs: null,
      owner: { connection: event.stampConnection, sequence: event.stampSequence },
      waiter,
    };
    if (client.waiting.size >= MAX_WAITING) dropOldest(client.waiting);
    client.waiting.set(stream ?? client.order++, effect);
    return effect;
  }

  /** @returns the question, with its answer; null where none is known */
  answered(
    connection: number,
    outcome: QueryOutcome,
    timeNs: number,
    stream: number | undefined,
  ): AskedQuery | null {
    const client = this.#clients.get(connection);
    if (client === undefined) return null;
    const key = stream ?? client.oldestOrder++;
    const effect = client.waiting.get(key);
    client.waiting.delete(key);
    if (effect === undefined) return null;
    effect.outcome = outcome;
    effect.endedNs = timeNs;
    return effect;
  }
}

/** A request that a watched process sends is a question like any other. */
export function queryOfRequest(message: RequestMessage): QueryMessage {
  const host = message.headers.find(([name]) => name === 'host')?.[1] ?? '';
  return {
    protocol: message.protocol,
    operation: message.method,
    statement: message.target.startsWith('/') ? `${host}${message.target}` : message.target,
    parameters: [],
    database: '',
    user: '',
    isTruncated: message.isTruncated,
    anomalies: message.anomalies,
  };
}

export function outcomeOfStatus(status: number): QueryOutcome {
  return { isError: status >= 400, code: String(status), message: '', rows: null, answers: [] };
}

/** A question that a watched service is asked is a request to it. */
export function requestOfQuery(query: QueryMessage): RequestMessage {
  const { protocol, operation, statement, parameters, isTruncated, anomalies } = query;
  return {
    protocol,
    head: statement,
    method: operation,
    target: statement,
    headers: [],
    body: NO_BYTES,
    isTruncated,
    anomalies,
    get inputs() {
      return [statement, ...parameters].map((value) => ({
        location: 'body' as const,
        name: '',
        value,
        forms: [value],
      }));
    },
  };
}

/** What a question says, for content evidence. */
export function sinksOfQuery(query: QueryMessage): Sinks {
  if (query.protocol === 'dns') return { hostName: query.statement };
  return [query.statement, ...query.parameters];
}
