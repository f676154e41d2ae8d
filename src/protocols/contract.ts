import type { RequestMessage } from '../model/request.ts';

/**
 * What a protocol leaf tells about one accepted connection. Calls come in the order of the stream; several requests
 * may be begun before the first is answered (pipelining): responses answer them in order.
 */
export interface MessageSink {
  /**
   * The head of a request is complete. The message's body may still be arriving: `body`, `isTruncated` and `inputs`
   * of the same object show more later, until requestEnded.
   */
  requestStarted(message: RequestMessage): void;
  /** The newest begun request is complete (or the stream ended or became unreadable inside it). */
  requestEnded(): void;
  /** Inbound bytes were passed over that are of no known request: requests may stand in them. */
  unreadInbound?(): void;
  /** Head of the reply to the oldest unanswered request. Interim replies (1xx) are not reported, but 101 is. */
  responseStarted(status: number): void;
  /** The reply to the oldest unanswered request is complete as far as the bytes say. */
  responseEnded(): void;
}

/** State of one connection in one protocol. No method ever throws, whatever the bytes are. Memory is bounded. */
export interface ProtocolConnection {
  /**
   * Bytes from the client, in order of the stream. `bytes` belongs to the caller and is reused after the call:
   * copy what is kept.
   * @param missing so many bytes of the stream follow `bytes` that were not captured
   */
  inbound(bytes: Uint8Array, missing: number): void;
  /** Bytes to the client, likewise. */
  outbound(bytes: Uint8Array, missing: number): void;
  /** The connection is closed: what was begun ends now. */
  close(): void;
  /** The bytes turned out not to be this protocol, or nothing more can be read from it (upgrade, hostile input). */
  readonly isFinished: boolean;
}

export interface Protocol {
  readonly name: string;
  /** Whether the first inbound bytes of a connection are of this protocol. 'maybe': more bytes are needed. */
  recognise(firstBytes: Uint8Array): 'yes' | 'no' | 'maybe';
  open(sink: MessageSink): ProtocolConnection;
}
