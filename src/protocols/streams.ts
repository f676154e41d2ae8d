import type { AcceptEvent, PayloadEvent } from '../model/event.ts';
import type { RequestMessage } from '../model/request.ts';
import type { MessageSink, Protocol, ProtocolConnection } from './contract.ts';

/** What the streams tell, for each accepted connection by its id. */
export interface StreamSink {
  requestStarted(connection: number, message: RequestMessage): void;
  /** Requests may stand in inbound bytes that were not captured. */
  unreadInbound(connection: number): void;
  requestEnded(connection: number): void;
  responseStarted(connection: number, status: number): void;
  responseEnded(connection: number): void;
  /** The connection speaks no protocol that we read: its payload is of no use. */
  unreadable(connection: number): void;
}

/** Bytes that are kept while no protocol has said yes or no. */
const RECOGNITION_BYTES = 256;
/** Unix connections have no close event: beyond this many, the oldest make room. */
const MAX_STREAMS = 65_536;
const NO_BYTES = new Uint8Array(0);

interface Stream {
  reader: ProtocolConnection | null;
  /** First inbound bytes while the protocol is not known. */
  undecided: Uint8Array;
  inboundOffset: number;
  outboundOffset: number;
  isUnreadable: boolean;
}

/** Puts captured bytes back into streams, finds out each connection's protocol and feeds its reader. */
export class Streams {
  readonly #protocols: readonly Protocol[];
  readonly #sink: StreamSink;
  readonly #streams = new Map<number, Stream>();

  constructor(protocols: readonly Protocol[], sink: StreamSink) {
    this.#protocols = protocols;
    this.#sink = sink;
  }

  accept(event: AcceptEvent): void {
    if (this.#streams.size >= MAX_STREAMS) {
      for (const oldest of this.#streams.keys()) {
        this.close(oldest);
        break;
      }
    }
    this.#streams.set(event.connection, {
      reader: null,
      undecided: NO_BYTES,
      inboundOffset: 0,
      outboundOffset: 0,
      isUnreadable: false,
    });
  }

  payload(event: PayloadEvent): void {
    const stream = this.#streams.get(event.connection);
    if (stream === undefined || stream.isUnreadable) return;
    const missing = event.length - event.bytes.length;
    if (event.direction === 'in') {
      const gap = event.streamOffset - stream.inboundOffset;
      stream.inboundOffset = event.streamOffset + event.length;
      if (stream.reader === null) {
        // Bytes on both sides of a gap are no beginning of anything.
        if (gap > 0 && stream.undecided.length > 0) this.#giveUp(event.connection, stream);
        else this.#recognise(event.connection, stream, event.bytes, missing);
      } else {
        if (gap > 0) stream.reader.inbound(NO_BYTES, gap);
        stream.reader.inbound(event.bytes, missing);
      }
    } else {
      const gap = event.streamOffset - stream.outboundOffset;
      stream.outboundOffset = event.streamOffset + event.length;
      // A server that speaks first speaks none of the protocols that we read.
      if (stream.reader === null) this.#giveUp(event.connection, stream);
      else {
        if (gap > 0) stream.reader.outbound(NO_BYTES, gap);
        stream.reader.outbound(event.bytes, missing);
      }
    }
    if (stream.reader?.isFinished === true) this.#giveUp(event.connection, stream);
  }

  close(connection: number): void {
    const stream = this.#streams.get(connection);
    if (stream === undefined) return;
    this.#streams.delete(connection);
    stream.reader?.close();
  }

  #recognise(connection: number, stream: Stream, bytes: Uint8Array, missing: number): void {
    // Empty lines before a first line are passed over, as servers do, however many there are.
    const start = stream.undecided.length === 0 ? bytes.findIndex((byte) => byte !== 13 && byte !== 10) : 0;
    if (start < 0) {
      if (missing > 0) this.#sink.unreadInbound(connection);
      return;
    }
    const first =
      stream.undecided.length === 0 ? bytes.subarray(start) : Buffer.concat([stream.undecided, bytes]);
    let isUndecided = false;
    for (const protocol of this.#protocols) {
      const answer = protocol.recognise(first);
      if (answer === 'yes') {
        stream.reader = protocol.open(this.#sinkFor(connection));
        stream.undecided = NO_BYTES;
        stream.reader.inbound(first, missing);
        return;
      }
      if (answer === 'maybe') isUndecided = true;
    }
    if (isUndecided && missing === 0 && first.length < RECOGNITION_BYTES)
      stream.undecided = Uint8Array.from(first);
    else this.#giveUp(connection, stream);
  }

  #giveUp(connection: number, stream: Stream): void {
    stream.isUnreadable = true;
    stream.undecided = NO_BYTES;
    stream.reader?.close();
    stream.reader = null;
    this.#sink.unreadable(connection);
  }

  #sinkFor(connection: number): MessageSink {
    const sink = this.#sink;
    return {
      requestStarted: (message) => sink.requestStarted(connection, message),
      unreadInbound: () => sink.unreadInbound(connection),
      requestEnded: () => sink.requestEnded(connection),
      responseStarted: (status) => sink.responseStarted(connection, status),
      responseEnded: () => sink.responseEnded(connection),
    };
  }
}
