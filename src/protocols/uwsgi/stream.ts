import type { HandOver, ProtocolConnection, RequestSink } from '../contract.ts';
import { ReplyReader } from './replies.ts';
import { RequestReader } from './requests.ts';

/**
 * One connection of a web server to uWSGI (the uwsgi protocol). It mostly carries one request; where it carries more,
 * each one begins when the reply before it is over.
 */
export class UwsgiConnection implements ProtocolConnection {
  isFinished = false;
  handOver: HandOver | null = null;

  readonly #requests: RequestReader;
  readonly #replies: ReplyReader;

  constructor(sink: RequestSink) {
    this.#replies = new ReplyReader(sink);
    this.#requests = new RequestReader(sink, this.#replies);
  }

  fromClient(bytes: Uint8Array, missing: number): void {
    if (this.isFinished) return;
    this.#requests.read(bytes, missing);
    if (this.#requests.isForeign) this.close();
  }

  fromServer(bytes: Uint8Array, missing: number): void {
    if (this.isFinished) return;
    this.#requests.answered();
    const end = this.#replies.read(bytes, missing);
    if (end === null) return;
    this.close();
    if (this.#replies.isWebSocket) {
      const rest = Uint8Array.from(bytes.subarray(end));
      this.handOver = { protocol: 'websocket', fromClient: new Uint8Array(0), fromServer: rest };
    }
  }

  close(): void {
    if (this.isFinished) return;
    this.isFinished = true;
    this.#requests.close();
    this.#replies.close();
  }
}
