import type { Process } from './process.ts';
import type { Connection } from './request.ts';

/** A connection is over that a serving process accepted, or on which it, or what it started, asked others. */
export interface ConnectionEnd {
  /** Nanoseconds since boot. */
  readonly timeNs: number;
  /** Whose connection it was: it may end when nobody does anything. */
  readonly process: Process;
  readonly connection: Connection;
  /** Whether the process was its server. */
  readonly isServer: boolean;
  /** It is a UDP socket. */
  readonly isDatagram: boolean;
  /** What the process received and sent, as far as it was followed: of TLS that is read, the plaintext. */
  readonly bytesIn: number;
  readonly bytesOut: number;
}
