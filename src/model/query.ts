import type { ByteString } from '../base/bytes.ts';

/**
 * What a client asked of a data service: a statement, a command, a lookup. Byte strings hold the bytes as they were on
 * the wire, one character a byte; '' where a protocol has no such thing or it was not captured.
 */
export interface QueryMessage {
  /** Name of the protocol leaf: 'postgresql', 'redis', 'dns', ... */
  readonly protocol: string;
  /** The verb, upper case where the protocol ignores case: 'SELECT', 'HGET', 'find', 'AAAA', 'MAIL'. */
  readonly operation: ByteString;
  /** The whole question as the service gets it: the SQL text, the command with its arguments, the name looked up. */
  readonly statement: ByteString;
  /** Values that travelled beside the statement: bound parameters, as text where the wire has text. */
  readonly parameters: readonly ByteString[];
  /** Database, keyspace, or what else of the service is meant. */
  readonly database: ByteString;
  readonly user: ByteString;
  /** Some of the question was not captured. */
  readonly isTruncated: boolean;
  /** Names of what is odd about the bytes, such as 'length-mismatch'. */
  readonly anomalies: readonly string[];
}

/** How the service answered. */
export interface QueryOutcome {
  readonly isError: boolean;
  /** Machine-readable result: SQLSTATE, error number, 'NXDOMAIN', 'WRONGTYPE', ... '' for plain success. */
  readonly code: ByteString;
  /** The service's words about an error, else '' (or the command tag where there is one). */
  readonly message: ByteString;
  /** Rows, documents or records that came back or were changed; null where the reply does not say. */
  readonly rows: number | null;
  /** What a lookup came to: addresses of a name. */
  readonly answers: readonly ByteString[];
}

/** What a connection says about itself before anything is asked of it. */
export interface ConnectionDescription {
  readonly protocol: string;
  /** Name of the server that the client wants (TLS SNI), else ''. */
  readonly serverName: ByteString;
  /** Protocols that the client offers to speak inside (TLS ALPN), in its order. */
  readonly applicationProtocols: readonly ByteString[];
  /** Fingerprint of the client's software (JA4), else ''. */
  readonly fingerprint: string;
  /** Version of the protocol, for people: 'TLS 1.3'. */
  readonly version: string;
}
