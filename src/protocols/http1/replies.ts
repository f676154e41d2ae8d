import { byteString, type ByteString } from '../../base/bytes.ts';
import { headerLines, MAX_HEADERS } from '../http/headers.ts';
import { readStatus } from '../http/status.ts';
import { ChunkedReader, endsWithLastChunk } from './chunked.ts';
import type { Exchange } from './exchange.ts';
import { readFraming } from './framing.ts';
import { HeadBuffer, MAX_HEAD_LENGTH } from './head-buffer.ts';
import { HeadScan, scanHead } from './parser.ts';
import type { RequestReader } from './requests.ts';

const SWITCHING_PROTOCOLS = 101;

/** The outbound direction: status and end of every reply. Nothing of a reply is kept. */
export class ReplyReader {
  /** 'endless': until the connection closes. 'lost': out of step, see #readLost. */
  #state: 'head' | 'length' | 'chunked' | 'endless' | 'lost' = 'head';
  readonly #exchange: Exchange;
  readonly #requests: RequestReader;
  readonly #scan = new HeadScan();
  #head: HeadBuffer | null = null;
  #chunked: ChunkedReader | null = null;
  #remaining = 0;

  constructor(exchange: Exchange, requests: RequestReader) {
    this.#exchange = exchange;
    this.#requests = requests;
  }

  get bufferedBytes(): number {
    return this.#head?.sizeBytes ?? 0;
  }

  /** The next byte begins a reply. */
  get isIdle(): boolean {
    return this.#state === 'head' && this.#head === null;
  }

  read(bytes: Uint8Array, missing: number): void {
    const exchange = this.#exchange;
    const end = bytes.length;
    let offset = 0;
    // The other direction ended the reply.
    if (exchange.reply === 'none') this.#state = 'head';
    while (offset < end && !exchange.isFinished) {
      switch (this.#state) {
        case 'head':
          offset = this.#readHead(bytes, offset, end);
          break;
        case 'length': {
          const taken = Math.min(this.#remaining, end - offset);
          offset += taken;
          this.#passBody(taken);
          break;
        }
        case 'chunked':
          offset = this.#readChunked(bytes, offset, end);
          break;
        case 'endless':
          offset = end;
          break;
        case 'lost':
          offset = this.#readLost(bytes, offset, end, missing);
          break;
      }
    }
    if (missing > 0 && !exchange.isFinished) this.#skip(missing);
    if (exchange.upgrade !== '') exchange.handOver(bytes, offset);
  }

  #readHead(bytes: Uint8Array, offset: number, end: number): number {
    if (this.#head !== null) return this.#readBufferedHead(this.#head, bytes, offset, end);
    let start = offset;
    while (start < end && (bytes[start] === 13 || bytes[start] === 10)) start++;
    if (start === end) return end;
    const status = readStatus(bytes, start, end);
    if (status === -1) return this.#readForeign(end);
    const headEnd = scanHead(bytes, start, end, this.#scan);
    if (headEnd !== -1 && status !== 0) {
      const isNeeded = this.#scan.needsCare || status === SWITCHING_PROTOCOLS;
      this.#begin(status, isNeeded ? byteString(bytes, start, headEnd) : '');
      return headEnd;
    }
    return this.#readBufferedHead((this.#head = new HeadBuffer()), bytes, start, end);
  }

  #readBufferedHead(head: HeadBuffer, bytes: Uint8Array, offset: number, end: number): number {
    const next = head.append(bytes, offset, end);
    const status = readStatus(head.bytes, 0, head.length);
    if (status === -1 || head.totalLength > MAX_HEAD_LENGTH) {
      this.#head = null;
      return this.#readForeign(end);
    }
    if (head.isComplete) {
      this.#head = null;
      scanHead(head.bytes, 0, head.length, this.#scan);
      if (head.isOversized) this.#scan.needsCare = true;
      if (status === 0) return this.#readForeign(end);
      const isNeeded = this.#scan.needsCare || status === SWITCHING_PROTOCOLS;
      this.#begin(status, isNeeded ? head.framingText() : '');
    }
    return next;
  }

  /** What is no reply of HTTP/1: the answer to a request of HTTP/0.9, or bytes that no request explains. */
  #readForeign(end: number): number {
    const exchange = this.#exchange;
    if (exchange.unanswered[0]?.isSimple) {
      exchange.replyBegan(200);
      this.#state = 'endless';
    }
    return end;
  }

  /** @param framingText the head's lines, where the quick scan does not tell the framing, and those of a 101 */
  #begin(status: number, framingText: string): void {
    const exchange = this.#exchange;
    if (status === SWITCHING_PROTOCOLS) {
      // Without a request the switch was agreed on before the capture began: it is still no HTTP any more.
      if (exchange.unanswered.length > 0) {
        exchange.replyBegan(status);
        exchange.replyEnded();
      }
      exchange.finish();
      exchange.upgrade = upgradeOf(framingText);
      return;
    }
    if (status < 200) return;
    if (exchange.unanswered.length === 0) this.#requests.beginIncomplete('answered-early');
    const request = exchange.unanswered[0];
    if (request === undefined) exchange.reply = 'unmatched';
    else exchange.replyBegan(status);
    if (request?.hasMethod('CONNECT') && status < 300) {
      exchange.replyEnded();
      exchange.finish();
      return;
    }
    this.#remaining = this.#scan.contentLength;
    this.#state = this.#remaining === -1 ? 'endless' : 'length';
    if (status === 204 || status === 304 || request?.hasMethod('HEAD')) {
      this.#end();
      return;
    }
    if (this.#scan.needsCare) {
      const framing = readFraming(framingText, []);
      if (framing.kind === 'length') {
        this.#state = 'length';
        this.#remaining = framing.length;
      } else if (framing.kind === 'chunked') {
        this.#state = 'chunked';
        (this.#chunked ??= new ChunkedReader()).reset();
      } else {
        this.#state = 'endless';
      }
    }
    if (this.#state === 'length' && this.#remaining === 0) this.#end();
  }

  #passBody(count: number): void {
    this.#remaining -= count;
    if (this.#remaining === 0) this.#end();
  }

  #end(): void {
    this.#state = 'head';
    if (this.#exchange.reply === 'unmatched') this.#exchange.reply = 'none';
    else this.#exchange.replyEnded();
  }

  #readChunked(bytes: Uint8Array, offset: number, end: number): number {
    const chunked = this.#chunked as ChunkedReader;
    const next = chunked.advance(bytes, offset, end);
    if (chunked.state === 'done') this.#end();
    else if (chunked.state === 'broken') this.#lose();
    return next;
  }

  /**
   * Out of step in a reply: it ends with a last chunk, with the head of another reply that is due (or, in
   * Exchange, when the client goes on to its next request).
   */
  #readLost(bytes: Uint8Array, offset: number, end: number, missing: number): number {
    const isNext = this.#exchange.unanswered.length > 1 && readStatus(bytes, offset, end) > 0;
    if (isNext) {
      this.#end();
      return offset;
    }
    if (missing === 0 && endsWithLastChunk(bytes)) this.#end();
    return end;
  }

  #lose(): void {
    this.#state = 'lost';
    if (this.#exchange.reply === 'open') this.#exchange.reply = 'unframed';
  }

  /** Passes over bytes that were not captured. */
  #skip(count: number): void {
    const exchange = this.#exchange;
    switch (this.#state) {
      case 'length': {
        const beyond = count - this.#remaining;
        this.#passBody(Math.min(count, this.#remaining));
        if (beyond > 0) exchange.hasLostReplies = true;
        return;
      }
      case 'chunked':
        if ((this.#chunked as ChunkedReader).skip(count) > 0) this.#lose();
        return;
      case 'head':
        this.#skipHead();
        return;
      case 'endless':
      case 'lost':
    }
  }

  /** The rest of a head is missing: its status may be known, its framing is not. */
  #skipHead(): void {
    const head = this.#head;
    this.#head = null;
    const status = head === null ? -1 : readStatus(head.bytes, 0, head.length);
    if (status < 200 && status !== SWITCHING_PROTOCOLS) {
      this.#exchange.hasLostReplies = true;
      return;
    }
    this.#scan.needsCare = false;
    this.#scan.contentLength = -1;
    this.#begin(status, head?.text() ?? '');
    if (this.#state === 'endless') this.#lose();
  }
}

/** Leaves that go on after an upgrade, by what the Upgrade field calls them (RFC 6455, 4.2.2; RFC 7540, 3.2). */
const UPGRADES: ReadonlyMap<string, string> = new Map([
  ['websocket', 'websocket'],
  ['h2c', 'http2'],
]);

/** The leaf that goes on, '' for none. */
function upgradeOf(head: ByteString): string {
  const field = headerLines(head, MAX_HEADERS).find(([name]) => name === 'upgrade');
  return UPGRADES.get((field?.[1] ?? '').toLowerCase()) ?? '';
}
