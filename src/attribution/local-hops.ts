import { dropOldest } from '../base/oldest.ts';
import type { QueryEffect } from '../model/effect.ts';
import type { AcceptEvent, PayloadEvent } from '../model/event.ts';
import type { Request, RequestMessage } from '../model/request.ts';
import { areEnds, areWhole, ClientEnds, type ClientEnd } from './connection-ends.ts';
import { hopOf } from './hop-evidence.ts';
import type { RequestState } from './request-state.ts';

const MAX_SERVERS = 65_536;
/** Requests that were sent and not yet seen to be read, of all connections: most go to other hosts. */
const MAX_SENT = 1024;
/** Requests of one connection that were read and not yet seen to be sent. */
const MAX_RECEIVED = 32;
/** Requests that were read before it was told who had made their connection. */
const MAX_EARLY = 64;

/** A request that a proxy sent on; everyone else reads it as QueryEffect. */
export interface SentQuery extends QueryEffect {
  servedAs: Request | null;
}

/** One half of a hop: where in the stream the bytes stood that completed the head, and what they said. */
interface Half {
  readonly start: number;
  readonly end: number;
  /** Offsets count from the connection's first byte: those of plaintext from wherever a library was met. */
  readonly isCounted: boolean;
  readonly message: RequestMessage;
  readonly stream: number | undefined;
}

interface Sent extends Half {
  readonly client: ProxyEnd;
  readonly effect: SentQuery;
}

interface Received extends Half {
  readonly request: RequestState;
}

interface ProxyEnd extends ClientEnd {
  server: ServerEnd | null;
  readonly sent: Sent[];
}

interface ServerEnd {
  readonly event: AcceptEvent;
  client: ProxyEnd | null;
  /** Both ends were seen from the first byte on. */
  isWhole: boolean;
  readonly received: Received[];
}

/**
 * Connections of which both ends are on this host: a proxy and the application behind it. What the proxy wrote is joined
 * to the request that the application read, by the place of the bytes in the stream; who is told first is not known,
 * since a reader may be done before the writer's call has returned.
 */
export class LocalHops {
  readonly #clients = new ClientEnds<ProxyEnd>();
  readonly #servers = new Map<number, ServerEnd>();
  /** All that is sent and waits, oldest first. */
  readonly #sent = new Set<Sent>();
  readonly #early: { readonly server: ServerEnd; readonly received: Received }[] = [];

  /** A connection was accepted, or made. */
  opened(event: AcceptEvent): void {
    if (event.isClient !== true) {
      if (this.#servers.size >= MAX_SERVERS) dropOldest(this.#servers);
      this.#servers.set(event.connection, { event, client: null, isWhole: false, received: [] });
      return;
    }
    const client: ProxyEnd = { event, isOpen: true, server: null, sent: [] };
    this.#clients.add(client);
    for (const { server, received } of this.#early) {
      if (server.client === null && areEnds(client, server.event)) pair(client, server);
      if (server.client === client) server.received.push(received);
    }
  }

  closed(connection: number): void {
    this.#servers.delete(connection);
    this.#clients.close(connection);
  }

  /** A process has sent a request on a connection that it made. */
  sent(event: PayloadEvent, effect: SentQuery, message: RequestMessage, stream: number | undefined): void {
    const client = this.#clients.get(event.connection);
    if (client === undefined) return;
    const sent: Sent = { ...halfOf(event, message, stream), client, effect };
    const received = client.server === null ? null : take(client.server.received, sent, client.server);
    if (received !== null) {
      join(sent, received);
      return;
    }
    client.sent.push(sent);
    this.#sent.add(sent);
    if (this.#sent.size <= MAX_SENT) return;
    for (const oldest of this.#sent) {
      this.#sent.delete(oldest);
      oldest.client.sent.splice(oldest.client.sent.indexOf(oldest), 1);
      break;
    }
  }

  /** A process has read a request on a connection that it accepted. */
  received(event: PayloadEvent, request: RequestState, stream: number | undefined): void {
    const server = this.#servers.get(event.connection);
    if (server === undefined) return;
    if (server.client === null) {
      const other = this.#clients.otherEndOf(server.event);
      if (other !== null) pair(other, server);
    }
    const received: Received = { ...halfOf(event, request.message, stream), request };
    if (server.client === null) {
      this.#early.push({ server, received });
      if (this.#early.length > MAX_EARLY) this.#early.shift();
      return;
    }
    const sent = take(server.client.sent, received, server);
    if (sent === null) {
      server.received.push(received);
      if (server.received.length > MAX_RECEIVED) server.received.shift();
      return;
    }
    this.#sent.delete(sent);
    join(sent, received);
  }
}

function pair(client: ProxyEnd, server: ServerEnd): void {
  if (client.server !== null) return;
  client.server = server;
  server.client = client;
  server.isWhole = areWhole(client.event, server.event);
}

function halfOf(event: PayloadEvent, message: RequestMessage, stream: number | undefined): Half {
  const start = event.streamOffset;
  return { start, end: start + event.length, isCounted: event.isPlaintext !== true, message, stream };
}

/** Takes the other half out of those that wait. */
function take<Other extends Sent | Received>(
  waiting: Other[],
  half: Sent | Received,
  server: ServerEnd,
): Other | null {
  const index = waiting.findIndex((other) => areHalves(half, other, server));
  return index < 0 ? null : (waiting.splice(index, 1)[0] ?? null);
}

/** Whether the one is what was sent and the other what was read. */
function areHalves(half: Sent | Received, other: Sent | Received, { isWhole }: ServerEnd): boolean {
  return (
    half.start < other.end &&
    other.start < half.end &&
    half.stream === other.stream &&
    half.message.method === other.message.method &&
    half.message.target === other.message.target &&
    ((isWhole && half.isCounted && other.isCounted) || overlap(spanOf(half), spanOf(other)))
  );
}

interface Span {
  readonly fromNs: number;
  readonly toNs: number;
}

/** Where one end may have counted from another byte, both have to be under way at the same time. */
function spanOf(half: Sent | Received): Span {
  return 'effect' in half
    ? { fromNs: half.effect.timeNs, toNs: half.effect.endedNs ?? Infinity }
    : { fromNs: half.request.startedNs, toNs: half.request.endedNs ?? Infinity };
}

function overlap(a: Span, b: Span): boolean {
  return a.fromNs < b.toNs && b.fromNs < a.toNs;
}

function join({ effect }: Sent, { request }: Received): void {
  if (effect.attribution.request === request) return;
  effect.servedAs = request;
  request.hop = hopOf(effect, request);
}
