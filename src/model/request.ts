import type { ByteString } from '../base/bytes.ts';
import type { Effect } from './effect.ts';
import type { Hop } from './hop.ts';
import type { Process } from './process.ts';
import type { ConnectionDescription } from './query.ts';

export interface Endpoint {
  /** Dotted IPv4, RFC 5952 IPv6, or the path of a unix socket ('' when unnamed). */
  readonly address: string;
  /** 0 for unix sockets. */
  readonly port: number;
}

/** A connection that a server process accepted. */
export interface Connection {
  /** Unique while the agent runs; counted by the kernel side. */
  readonly id: number;
  readonly family: 'ipv4' | 'ipv6' | 'unix';
  readonly client: Endpoint;
  readonly server: Endpoint;
  /** What its client said of itself in the greeting of TLS; absent or null: none was seen. */
  readonly tls?: ConnectionDescription | null;
}

/** One value that the client chose: a needle for content evidence and for detectors. */
export interface RequestInput {
  readonly location: 'path' | 'query' | 'form' | 'json' | 'multipart' | 'cookie' | 'header' | 'body';
  /** Name of the parameter; path segments and raw bodies have ''. */
  readonly name: ByteString;
  /** The value as it stood in the message. */
  readonly value: ByteString;
  /**
   * Distinct forms that a framework may hand to the program: the value itself, then decoded ones (percent once,
   * percent twice, plus as space, ...). The first element is always `value`.
   */
  readonly forms: readonly ByteString[];
}

/** The message of a request, as its protocol leaf parsed it. Decoding is lazy: most requests are never looked into. */
export interface RequestMessage {
  readonly protocol: string;
  /** The head as it was captured, nothing decoded: for quick looks that decide whether decoding is worth it. */
  readonly head: ByteString;
  readonly method: ByteString;
  /** Request target as sent: path and query, not decoded. */
  readonly target: ByteString;
  /** Names in lower case, in order of arrival, repeated names kept. */
  readonly headers: readonly (readonly [name: ByteString, value: ByteString])[];
  /** The captured part of the body, transfer coding removed. */
  readonly body: Uint8Array;
  /** Some of the message was not captured (longer than the capture limit, or lost). */
  readonly isTruncated: boolean;
  /** Names of what is odd about the message, such as 'bare-lf' or 'conflicting-length'. */
  readonly anomalies: readonly string[];
  /** Everything that the client chose, for content evidence. Computed at first use, bounded. */
  readonly inputs: readonly RequestInput[];
}

/** One message from a client to a server process that we watch. Identified by connection and number on it. */
export interface Request {
  /** Printable identity, unique over restarts of the agent. */
  readonly id: string;
  readonly connection: Connection;
  readonly message: RequestMessage;
  /** The process that read the request's first bytes. */
  readonly process: Process;
  /** The thread that read the request's first bytes. */
  readonly tid: number;
  /** Nanoseconds since boot. */
  readonly startedNs: number;
  /** When the reply was complete or the connection was gone; null while in flight. */
  readonly endedNs: number | null;
  /** Status of the reply, null while there is none. */
  readonly status: number | null;
  /** Effects with grade exact, linked or matched, in order of time; bounded, see droppedEffects. */
  readonly effects: readonly Effect[];
  readonly droppedEffects: number;
  /** A proxy on this host had sent it; absent or null: none that is known. */
  readonly hop?: Hop | null;
}
