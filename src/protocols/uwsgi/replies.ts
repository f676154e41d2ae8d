import { byteString } from '../../base/bytes.ts';
import type { RequestSink } from '../contract.ts';
import { BoundedBytes } from '../http/bounded-bytes.ts';
import { headerLines } from '../http/headers.ts';
import { readStatus } from '../http/status.ts';

/** Bytes of the head of a reply that changes the protocol. */
const MAX_HEAD_BYTES = 4 * 1024;

/**
 * The outbound direction: plain text of HTTP/1, of which the status is read. Its end is that of the connection, or the
 * beginning of the next request.
 */
export class ReplyReader {
  /** The connection goes on as a WebSocket. */
  isWebSocket = false;

  /** 'none': no request waits. 'head': the first bytes are not complete. 'upgrade': the head of a 101. */
  #state: 'none' | 'head' | 'upgrade' | 'body' = 'none';
  readonly #sink: RequestSink;
  #head = new BoundedBytes(MAX_HEAD_BYTES);

  constructor(sink: RequestSink) {
    this.#sink = sink;
  }

  requestBegan(): void {
    if (this.#state !== 'none') this.#sink.responseEnded();
    this.#state = 'head';
    this.#head = new BoundedBytes(MAX_HEAD_BYTES);
  }

  /** @returns offset of the first byte that is of another protocol; null while there is none */
  read(bytes: Uint8Array, missing: number): number | null {
    if (this.#state !== 'head' && this.#state !== 'upgrade') return null;
    const head = this.#head;
    const before = head.length;
    head.append(bytes, 0, bytes.length);
    if (this.#state === 'head') this.#readStatus(missing);
    if (this.#state !== 'upgrade') return null;
    const text = byteString(head.bytes);
    const end = text.indexOf('\r\n\r\n');
    if (end === -1 && missing === 0 && !head.isOverfull) return null;
    const upgrade = headerLines(text, MAX_FIELDS).find(([name]) => name === 'upgrade')?.[1] ?? '';
    this.isWebSocket = end !== -1 && upgrade.toLowerCase() === 'websocket';
    return end === -1 ? bytes.length : end + 4 - before;
  }

  /** The connection is gone. */
  close(): void {
    if (this.#state === 'body' || this.#state === 'upgrade') this.#sink.responseEnded();
    this.#state = 'none';
  }

  #readStatus(missing: number): void {
    const status = readStatus(this.#head.bytes, 0, this.#head.length);
    if (status === 0 && missing === 0) return;
    this.#state = status === 101 ? 'upgrade' : 'body';
    if (status > 0) this.#sink.responseStarted(status);
  }
}

const MAX_FIELDS = 100;
