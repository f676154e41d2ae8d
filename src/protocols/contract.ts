import type { ConnectionDescription, QueryMessage, QueryOutcome } from '../model/query.ts';
import type { RequestMessage } from '../model/request.ts';

/**
 * What a leaf tells about requests: messages that make a server work for somebody. Calls come in the order of the
 * stream. Without a stream number, responses answer requests in their order (pipelining); protocols that interleave
 * (HTTP/2) name the stream each call belongs to.
 */
export interface RequestSink {
  /**
   * The head of a request is complete. The message's body may still be arriving: `body`, `isTruncated` and `inputs`
   * of the same object show more later, until requestEnded.
   */
  requestStarted(message: RequestMessage, stream?: number): void;
  /** The newest begun request is complete (or the stream ended or became unreadable inside it). */
  requestEnded(stream?: number): void;
  /** Bytes from the client were passed over that are of no known request: requests may stand in them. */
  unreadInbound?(): void;
  /** Head of the reply to the oldest unanswered request. Interim replies (1xx) are not reported, but 101 is. */
  responseStarted(status: number, stream?: number): void;
  /** The reply to the oldest unanswered request is complete as far as the bytes say. */
  responseEnded(stream?: number): void;
}

/**
 * What a leaf tells about questions to a data service. Without a stream number, outcomes belong to questions in their
 * order; protocols that number theirs (MongoDB, DNS, LDAP) pass that number.
 */
export interface QuerySink {
  /** The question is complete, or as complete as it gets. */
  queryStarted(query: QueryMessage, stream?: number): void;
  /** The answer is complete. Questions that get none (a closing command, a lost reply) never see this. */
  queryEnded(outcome: QueryOutcome, stream?: number): void;
}

export interface MessageSink extends RequestSink, QuerySink {
  /** The connection has said what it is (a TLS ClientHello): at most once. */
  described(description: ConnectionDescription): void;
}

/** Another protocol goes on on the same connection: WebSocket after its upgrade, TLS after STARTTLS. */
export interface HandOver {
  /** Name of the leaf that goes on, or of a protocol that we have none for. */
  readonly protocol: string;
  /** Bytes that came with the last ones of the old protocol and are of the new one. Copies. */
  readonly fromClient: Uint8Array;
  readonly fromServer: Uint8Array;
}

/**
 * State of one connection in one protocol, whichever end of it we watch. No method ever throws, whatever the bytes are.
 * Memory is bounded.
 */
export interface ProtocolConnection {
  /**
   * Bytes from the client, in order of the stream. For datagrams each call is one datagram, whose beginning `bytes` is:
   * they are never joined. `bytes` belongs to the caller and is reused after the call: copy what is kept.
   * @param missing so many bytes of the stream, or of the datagram, follow `bytes` that were not captured
   */
  fromClient(bytes: Uint8Array, missing: number): void;
  /** Bytes to the client, likewise. */
  fromServer(bytes: Uint8Array, missing: number): void;
  /** The connection is closed: what was begun ends now. */
  close(): void;
  /** The bytes turned out not to be this protocol, or nothing more can be read from it (upgrade, hostile input). */
  readonly isFinished: boolean;
  /** Nothing is begun and nothing is kept: whole exchanges may be left out here, and the reader would not notice. */
  readonly isIdle?: boolean;
  /** Who goes on, once isFinished. */
  readonly handOver?: HandOver | null;
}

/** What is known of a connection whose protocol is not. */
export interface FirstBytes {
  readonly fromClient: Uint8Array;
  /** What the server has said so far; some protocols begin with it (MySQL, SMTP). */
  readonly fromServer: Uint8Array;
  /** The bytes are the connection's first: it was not open before we looked. */
  readonly isBeginning: boolean;
}

/**
 * - certain: a signature that nothing else has; taken at once
 * - likely: it fits in every checked field; taken when no other protocol is certain
 * - maybe: more bytes are needed
 * - no: it is something else
 */
export type Confidence = 'certain' | 'likely' | 'maybe' | 'no';

/**
 * Tells by one look, without parsing, exchanges of which there is nothing to say unless they have an effect. Narrow: what
 * is not surely plain is read in full.
 */
export interface PlainLook {
  /**
   * The bytes are one whole request: no body, nothing that changes the connection, and no byte that an attack needs for
   * which detectors look in requests that have no effect.
   */
  isRequest(bytes: Uint8Array, start: number, end: number): boolean;
  /**
   * How many bytes the head of the reply has, when the bytes are the beginning of a whole reply that ended with the write
   * they are of, and nothing behind the head is needed to read it; else 0.
   * @param length so many bytes were written, captured or not
   */
  plainReplyHead(bytes: Uint8Array, start: number, end: number, length: number): number;
}

export interface Protocol {
  readonly name: string;
  readonly transport: 'stream' | 'datagram';
  /** Whether the bytes are of this protocol, from the bytes alone: ports prove nothing. */
  recognise(first: FirstBytes): Confidence;
  open(sink: MessageSink): ProtocolConnection;
  readonly plain?: PlainLook;
}
