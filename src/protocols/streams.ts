import type { AcceptEvent, PayloadEvent } from '../model/event.ts';
import type { ConnectionDescription, QueryMessage, QueryOutcome } from '../model/query.ts';
import type { RequestMessage } from '../model/request.ts';
import type { FirstBytes, MessageSink, PlainLook, Protocol, ProtocolConnection } from './contract.ts';

/** What the streams tell, for each connection by its id. */
export interface StreamSink {
  requestStarted(connection: number, message: RequestMessage, stream?: number): void;
  /** Requests may stand in bytes from the client that were not captured. */
  unreadInbound(connection: number): void;
  requestEnded(connection: number, stream?: number): void;
  responseStarted(connection: number, status: number, stream?: number): void;
  responseEnded(connection: number, stream?: number): void;
  queryStarted(connection: number, query: QueryMessage, stream?: number): void;
  queryEnded(connection: number, outcome: QueryOutcome, stream?: number): void;
  described(connection: number, description: ConnectionDescription): void;
  /**
   * The connection speaks no protocol that we read: its payload is of no use. Plaintext of TLS is told apart from
   * ciphertext, which nobody reads before it comes.
   */
  unreadable(connection: number, isPlaintext: boolean): void;
}

/** Bytes of each direction that are kept while no protocol is sure. */
const RECOGNITION_BYTES = 256;
/**
 * A connection that was met in its middle may have been in the middle of a message, or of something that says little:
 * after so many questions that say nothing it is given up. The kernel asks up to the sixteenth.
 */
const MAX_ATTEMPTS = 8;
/** Unix connections have no close event: beyond this many, the oldest make room. */
const MAX_STREAMS = 65_536;
const NO_BYTES = new Uint8Array(0);

interface Stream {
  reader: ProtocolConnection | null;
  /** Of the reader's protocol. */
  plain: PlainLook | null;
  /** What was said while the protocol is not known; null once it is. */
  undecided: Undecided | null;
  inboundOffset: number;
  outboundOffset: number;
  isUnreadable: boolean;
  /** The connection was not open before we looked. */
  readonly isWhole: boolean;
  readonly isPlaintext: boolean;
  /** The watched process is the client. */
  readonly isClient: boolean;
}

interface Undecided extends FirstBytes {
  fromClient: Uint8Array;
  fromServer: Uint8Array;
  isServerFirst: boolean;
  /** Questions that said nothing. */
  attempts: number;
  /** 'question' and 'answer': passed over up to the next question. */
  passes: 'nothing' | 'question' | 'answer';
}

function freshStream(isWhole: boolean, isPlaintext: boolean, isClient: boolean): Stream {
  return {
    reader: null,
    plain: null,
    undecided: {
      fromClient: NO_BYTES,
      fromServer: NO_BYTES,
      isBeginning: isWhole,
      isServerFirst: false,
      attempts: 0,
      passes: 'nothing',
    },
    inboundOffset: 0,
    outboundOffset: 0,
    isUnreadable: false,
    isWhole,
    isPlaintext,
    isClient,
  };
}

/** Where bytes are passed over: whether they end here, since the client asks again. */
function isNextQuestion(undecided: Undecided, isFromClient: boolean): boolean {
  const isNext = isFromClient && undecided.passes === 'answer';
  undecided.passes = isNext ? 'nothing' : isFromClient ? 'question' : 'answer';
  return isNext;
}

/** Puts captured bytes back into streams, finds out each connection's protocol and feeds its reader. */
export class Streams {
  readonly #protocols: readonly Protocol[];
  readonly #sink: StreamSink;
  readonly #streams = new Map<number, Stream>();

  constructor(protocols: readonly Protocol[], sink: StreamSink) {
    this.#protocols = protocols.filter(({ transport }) => transport === 'stream');
    this.#sink = sink;
  }

  accept(event: AcceptEvent): void {
    if (this.#streams.size >= MAX_STREAMS) {
      for (const oldest of this.#streams.keys()) {
        this.close(oldest);
        break;
      }
    }
    this.#streams.set(event.connection, freshStream(!event.isAdopted, false, event.isClient ?? false));
  }

  payload(event: PayloadEvent): void {
    const stream = this.#streamOf(event);
    if (stream === null || stream.isUnreadable) return;
    const missing = event.length - event.bytes.length;
    if (event.direction === 'in') {
      const gap = event.streamOffset - stream.inboundOffset;
      stream.inboundOffset = event.streamOffset + event.length;
      this.#read(event.connection, stream, !stream.isClient, event.bytes, gap, missing);
    } else {
      const gap = event.streamOffset - stream.outboundOffset;
      stream.outboundOffset = event.streamOffset + event.length;
      this.#read(event.connection, stream, stream.isClient, event.bytes, gap, missing);
    }
  }

  /** With the first plaintext of a TLS connection everything begins anew: until then it was ciphertext. */
  #streamOf(event: PayloadEvent): Stream | null {
    const stream = this.#streams.get(event.connection);
    const isPlaintext = event.isPlaintext ?? false;
    if (stream === undefined || stream.isPlaintext === isPlaintext) return stream ?? null;
    if (stream.isPlaintext) return null;
    stream.reader?.close();
    const fresh = freshStream(stream.isWhole && event.streamOffset === 0, true, stream.isClient);
    this.#streams.set(event.connection, fresh);
    return fresh;
  }

  /** How to tell the connection's next exchanges without reading them; null where each has to be read. */
  plainLookAt(connection: number): PlainLook | null {
    const stream = this.#streams.get(connection);
    return stream !== undefined && !stream.isClient && !stream.isPlaintext && stream.reader?.isIdle === true
      ? stream.plain
      : null;
  }

  /** How far the connection was read: @returns bytes from and to the client, or null where it is not known. */
  offsetsOf(connection: number): { readonly inbound: number; readonly outbound: number } | null {
    const stream = this.#streams.get(connection);
    return stream === undefined ? null : { inbound: stream.inboundOffset, outbound: stream.outboundOffset };
  }

  /** Whole exchanges were left out: the idle connection goes on at these offsets. */
  passOver(connection: number, inboundOffset: number, outboundOffset: number): void {
    const stream = this.#streams.get(connection);
    if (stream === undefined) return;
    stream.inboundOffset = inboundOffset;
    stream.outboundOffset = outboundOffset;
  }

  close(connection: number): void {
    const stream = this.#streams.get(connection);
    if (stream === undefined) return;
    this.#streams.delete(connection);
    stream.reader?.close();
  }

  #read(
    connection: number,
    stream: Stream,
    isFromClient: boolean,
    bytes: Uint8Array,
    gap: number,
    missing: number,
  ): void {
    const { reader } = stream;
    if (reader === null) {
      if (stream.undecided !== null)
        this.#recognise(connection, stream, stream.undecided, isFromClient, bytes, gap, missing);
    } else if (isFromClient) {
      if (gap > 0) reader.fromClient(NO_BYTES, gap);
      reader.fromClient(bytes, missing);
    } else {
      if (gap > 0) reader.fromServer(NO_BYTES, gap);
      reader.fromServer(bytes, missing);
    }
    if (stream.reader?.isFinished === true) this.#finish(connection, stream, stream.reader);
  }

  #recognise(
    connection: number,
    stream: Stream,
    undecided: Undecided,
    isFromClient: boolean,
    bytes: Uint8Array,
    gap: number,
    missing: number,
  ): void {
    if (undecided.passes !== 'nothing' && !isNextQuestion(undecided, isFromClient)) return;
    const before = isFromClient ? undecided.fromClient : undecided.fromServer;
    let fresh = bytes;
    if (before.length > 0) {
      // Bytes on both sides of a gap are no beginning of anything.
      if (gap > 0) {
        this.#missed(connection, stream, undecided, isFromClient);
        return;
      }
      fresh = Buffer.concat([before, bytes]);
    } else if (isFromClient) {
      // Empty lines before a first line are passed over, as servers do, however many there are.
      const start = stream.isClient ? 0 : bytes.findIndex((byte) => byte !== 13 && byte !== 10);
      if (start < 0) {
        if (missing > 0) this.#sink.unreadInbound(connection);
        return;
      }
      fresh = bytes.subarray(start);
    } else {
      undecided.isServerFirst = undecided.fromClient.length === 0;
    }
    if (isFromClient) undecided.fromClient = fresh;
    else undecided.fromServer = fresh;
    const mayWait = missing === 0 && fresh.length < RECOGNITION_BYTES;
    const protocol = this.#choose(undecided, mayWait);
    if (protocol === null) {
      this.#missed(connection, stream, undecided, isFromClient);
    } else if (protocol === 'wait') {
      // What the event holds is used again.
      if (isFromClient) undecided.fromClient = Uint8Array.from(fresh);
      else undecided.fromServer = Uint8Array.from(fresh);
    } else {
      const { fromClient, fromServer, isServerFirst } = undecided;
      stream.undecided = null;
      const reader = protocol.open(sinkFor(this.#sink, connection));
      stream.reader = reader;
      stream.plain = protocol.plain ?? null;
      if (isServerFirst) reader.fromServer(fromServer, isFromClient ? 0 : missing);
      if (fromClient.length > 0) reader.fromClient(fromClient, isFromClient ? missing : 0);
      if (!isServerFirst && fromServer.length > 0) reader.fromServer(fromServer, isFromClient ? 0 : missing);
    }
  }

  /** Nothing that we know. A client's next question may tell, where this was not the first. */
  #missed(connection: number, stream: Stream, undecided: Undecided, isFromClient: boolean): void {
    if (stream.isWhole || !stream.isClient || ++undecided.attempts >= MAX_ATTEMPTS) {
      this.#giveUp(connection, stream);
      return;
    }
    undecided.passes = isFromClient ? 'question' : 'answer';
    undecided.fromClient = NO_BYTES;
    undecided.fromServer = NO_BYTES;
  }

  /** The surest protocol; 'wait' where more bytes may tell; null where none of them is it. */
  #choose(first: FirstBytes, mayWait: boolean): Protocol | 'wait' | null {
    let likely: Protocol | null = null;
    let isOpen = false;
    for (const protocol of this.#protocols) {
      const confidence = protocol.recognise(first);
      if (confidence === 'certain') return protocol;
      if (confidence === 'likely') likely ??= protocol;
      else if (confidence === 'maybe') isOpen = true;
    }
    return isOpen && mayWait ? 'wait' : likely;
  }

  /** Somebody else goes on, or nobody. */
  #finish(connection: number, stream: Stream, reader: ProtocolConnection): void {
    const handOver = reader.handOver ?? null;
    const next =
      handOver === null ? undefined : this.#protocols.find(({ name }) => name === handOver.protocol);
    if (handOver === null || next === undefined) {
      this.#giveUp(connection, stream);
      return;
    }
    reader.close();
    const successor = next.open(sinkFor(this.#sink, connection));
    stream.reader = successor;
    stream.plain = next.plain ?? null;
    if (handOver.fromServer.length > 0) successor.fromServer(handOver.fromServer, 0);
    if (handOver.fromClient.length > 0) successor.fromClient(handOver.fromClient, 0);
    if (successor.isFinished) this.#giveUp(connection, stream);
  }

  #giveUp(connection: number, stream: Stream): void {
    stream.isUnreadable = true;
    stream.undecided = null;
    stream.reader?.close();
    stream.reader = null;
    this.#sink.unreadable(connection, stream.isPlaintext);
  }
}

/** What a reader of one connection tells, told with that connection. */
export function sinkFor(sink: StreamSink, connection: number): MessageSink {
  return {
    requestStarted: (message, stream) => sink.requestStarted(connection, message, stream),
    unreadInbound: () => sink.unreadInbound(connection),
    requestEnded: (stream) => sink.requestEnded(connection, stream),
    responseStarted: (status, stream) => sink.responseStarted(connection, status, stream),
    responseEnded: (stream) => sink.responseEnded(connection, stream),
    queryStarted: (query, stream) => sink.queryStarted(connection, query, stream),
    queryEnded: (outcome, stream) => sink.queryEnded(connection, outcome, stream),
    described: (description) => sink.described(connection, description),
  };
}
