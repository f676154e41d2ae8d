import type { AcceptEvent, PayloadEvent } from '../model/event.ts';
import type { FirstBytes, Protocol, ProtocolConnection } from './contract.ts';
import { sinkFor, type StreamSink } from './streams.ts';

/** Sockets that are read; nothing tells their end for sure, so the one that was silent longest makes room. */
const MAX_SOCKETS = 1024;
/** So many datagrams may be of no known protocol before the socket is given up. */
const MAX_STRANGE = 8;
const NO_BYTES = new Uint8Array(0);

export interface DatagramSink extends StreamSink {
  /** The socket was given up to make room for another one: nothing more will be told of it. */
  forgotten(connection: number): void;
}

interface Socket {
  reader: ProtocolConnection | null;
  strangeCount: number;
  isUnreadable: boolean;
}

/**
 * Sockets on which the watched processes ask others by datagrams. Each event is one whole message: nothing is put
 * together, nothing is missing between two of them, and what was cut stays cut.
 */
export class Datagrams {
  readonly #protocols: readonly Protocol[];
  readonly #sink: DatagramSink;
  /** The one that was in use last stands last. */
  readonly #sockets = new Map<number, Socket>();

  constructor(protocols: readonly Protocol[], sink: DatagramSink) {
    this.#protocols = protocols.filter(({ transport }) => transport === 'datagram');
    this.#sink = sink;
  }

  open({ connection }: AcceptEvent): void {
    this.close(connection);
    if (this.#sockets.size >= MAX_SOCKETS)
      for (const oldest of this.#sockets.keys()) {
        this.close(oldest);
        this.#sink.forgotten(oldest);
        break;
      }
    this.#sockets.set(connection, { reader: null, strangeCount: 0, isUnreadable: false });
  }

  payload({ connection, direction, bytes, length }: PayloadEvent): void {
    const socket = this.#sockets.get(connection);
    if (socket === undefined || socket.isUnreadable) return;
    this.#sockets.delete(connection);
    this.#sockets.set(connection, socket);
    const isFromClient = direction === 'out';
    const reader = socket.reader ?? this.#recognise(connection, socket, isFromClient, bytes);
    if (reader === null) return;
    const missing = Math.max(0, length - bytes.length);
    if (isFromClient) reader.fromClient(bytes, missing);
    else reader.fromServer(bytes, missing);
    if (reader.isFinished) this.#giveUp(connection, socket);
  }

  close(connection: number): void {
    const socket = this.#sockets.get(connection);
    if (socket === undefined) return;
    this.#sockets.delete(connection);
    socket.reader?.close();
  }

  #recognise(
    connection: number,
    socket: Socket,
    isFromClient: boolean,
    bytes: Uint8Array,
  ): ProtocolConnection | null {
    const first: FirstBytes = {
      fromClient: isFromClient ? bytes : NO_BYTES,
      fromServer: isFromClient ? NO_BYTES : bytes,
      isBeginning: true,
    };
    const protocol = surest(this.#protocols, first);
    if (protocol !== null) {
      socket.reader = protocol.open(sinkFor(this.#sink, connection));
      return socket.reader;
    }
    if (++socket.strangeCount >= MAX_STRANGE) this.#giveUp(connection, socket);
    return null;
  }

  #giveUp(connection: number, socket: Socket): void {
    socket.isUnreadable = true;
    socket.reader?.close();
    socket.reader = null;
    this.#sink.unreadable(connection, false);
  }
}

/** A datagram is all that there will be of it: what needs more bytes is not it. */
function surest(protocols: readonly Protocol[], first: FirstBytes): Protocol | null {
  let likely: Protocol | null = null;
  for (const protocol of protocols) {
    const confidence = protocol.recognise(first);
    if (confidence === 'certain') return protocol;
    if (confidence === 'likely') likely ??= protocol;
  }
  return likely;
}
