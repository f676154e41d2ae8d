import { dropOldest } from '../base/oldest.ts';
import type { AcceptEvent } from '../model/event.ts';

/** Unix connections have no close event: beyond this many, the oldest make room. */
const MAX_CLIENTS = 65_536;
/** A client may be gone before the server takes its connection. */
const MAX_CLOSED = 256;
/** Clients with the same two ports, in several network namespaces or at several addresses. */
const MAX_ALIKE = 8;

export interface ClientEnd {
  readonly event: AcceptEvent;
  isOpen: boolean;
}

/** Connections that processes on this host made, to be found by their other end. */
export class ClientEnds<Client extends ClientEnd> {
  readonly #open = new Map<number, Client>();
  readonly #closed = new Map<number, Client>();
  /** TCP by both ports, unix sockets by inode. */
  readonly #byPorts = new Map<number, Client[]>();
  readonly #byInode = new Map<number, Client>();

  add(client: Client): void {
    const { event } = client;
    if (this.#open.size >= MAX_CLIENTS) {
      for (const oldest of this.#open.values()) {
        this.#forget(oldest);
        break;
      }
      dropOldest(this.#open);
    }
    this.#open.set(event.connection, client);
    if (event.family === 'unix') {
      if (event.inode !== undefined && event.inode !== 0) this.#byInode.set(event.inode, client);
      return;
    }
    const alike = this.#byPorts.get(portsOf(event));
    if (alike === undefined) this.#byPorts.set(portsOf(event), [client]);
    else {
      if (alike.length >= MAX_ALIKE) alike.shift();
      alike.push(client);
    }
  }

  get(connection: number): Client | undefined {
    return this.#open.get(connection);
  }

  close(connection: number): void {
    const client = this.#open.get(connection);
    if (client === undefined) return;
    client.isOpen = false;
    this.#open.delete(connection);
    this.#closed.set(connection, client);
    if (this.#closed.size <= MAX_CLOSED) return;
    for (const oldest of this.#closed.values()) {
      this.#forget(oldest);
      break;
    }
    dropOldest(this.#closed);
  }

  /** The other end of an accepted connection; null where there is none on this host, or more than one could be it. */
  otherEndOf(server: AcceptEvent): Client | null {
    if (server.family === 'unix') {
      const client = this.#byInode.get(server.peerInode ?? 0);
      return client !== undefined && areEnds(client, server) ? client : null;
    }
    let found: Client | null = null;
    for (const client of this.#byPorts.get(server.remotePort * 65_536 + server.localPort) ?? []) {
      if (!areEnds(client, server)) continue;
      if (found !== null) return null;
      found = client;
    }
    return found;
  }

  #forget(client: Client): void {
    const { event } = client;
    if (event.family === 'unix') {
      const inode = event.inode ?? 0;
      if (this.#byInode.get(inode) === client) this.#byInode.delete(inode);
      return;
    }
    const alike = this.#byPorts.get(portsOf(event));
    const index = alike?.indexOf(client) ?? -1;
    if (alike === undefined || index < 0) return;
    alike.splice(index, 1);
    if (alike.length === 0) this.#byPorts.delete(portsOf(event));
  }
}

function portsOf({ localPort, remotePort }: AcceptEvent): number {
  return localPort * 65_536 + remotePort;
}

/**
 * Whether the two are ends of one connection. Addresses and ports are used again, by other namespaces at the same time: so
 * the first number of the TCP stream has to be the same. Where it is not known, since the connection was there before
 * the agent, both ends have to be open in one namespace.
 */
export function areEnds(client: ClientEnd, server: AcceptEvent): boolean {
  const { event, isOpen } = client;
  if (event.family !== server.family) return false;
  if (server.family === 'unix') {
    if (!isKnown(server.peerInode) || event.inode !== server.peerInode) return false;
    return !isKnown(event.peerInode) || event.peerInode === server.inode;
  }
  if (
    event.localPort !== server.remotePort ||
    event.remotePort !== server.localPort ||
    event.localAddress !== server.remoteAddress ||
    event.remoteAddress !== server.localAddress
  )
    return false;
  if (isKnown(event.startSequence) && isKnown(server.startSequence)) return areWhole(event, server);
  return isOpen && isKnown(event.networkNamespace) && event.networkNamespace === server.networkNamespace;
}

/** Both ends were seen from the first byte on. */
export function areWhole(client: AcceptEvent, server: AcceptEvent): boolean {
  return isKnown(client.startSequence) && client.startSequence === server.startSequence;
}

function isKnown(value: number | undefined): boolean {
  return value !== undefined && value !== 0;
}
