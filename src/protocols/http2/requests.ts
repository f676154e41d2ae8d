import type { Exchange, Http2Stream } from './exchange.ts';
import { FrameReader, type FrameSink } from './frame-reader.ts';
import { HeaderBlocks } from './header-blocks.ts';
import type { HeaderList } from './header-list.ts';
import { Http2Request } from './message.ts';
import { CONTINUATION, DATA, END_STREAM, type FrameHeader, HEADERS, type Plausibility } from './parser.ts';
import { PUSH_PROMISE, RST_STREAM } from './parser.ts';

/** Streams that may have begun between two that were seen. */
const MAX_UNSEEN_STREAMS = 1000;

/** The inbound direction: requests, and what follows them on their streams. */
export class RequestReader implements FrameSink {
  readonly #exchange: Exchange;
  readonly #frames = new FrameReader(this);
  readonly #blocks = new HeaderBlocks((id, list, isEnd) => this.#block(id, list, isEnd));

  constructor(exchange: Exchange) {
    this.#exchange = exchange;
  }

  get isHopeless(): boolean {
    return this.#frames.isHopeless;
  }

  read(bytes: Uint8Array, missing: number): void {
    this.#frames.read(bytes, missing);
  }

  /** The beginning of the connection was not seen. */
  joinLate(): void {
    this.#blocks.lose();
  }

  close(): void {
    this.#frames.close();
    this.#blocks.interrupt();
  }

  frame(header: FrameHeader, bytes: Uint8Array, start: number, end: number): void {
    if (header.type === HEADERS || header.type === CONTINUATION) {
      this.#blocks.frame(header, bytes, start, end);
      return;
    }
    this.#blocks.interrupt();
    if (header.type === RST_STREAM) this.#exchange.reset(header.stream);
  }

  data(id: number, bytes: Uint8Array, start: number, end: number): void {
    const stream = this.#exchange.get(id);
    if (stream?.isRequestOpen) stream.request.appendBody(bytes, start, end);
  }

  dataEnded(header: FrameHeader, length: number, isCut: boolean): void {
    this.#blocks.interrupt();
    const stream = this.#exchange.get(header.stream);
    if (stream === undefined || !stream.isRequestOpen) return;
    stream.isRequestDoubtful = false;
    if (stream.bodyBytes !== -1) stream.bodyBytes += length;
    if (isCut) stream.request.markTruncated();
    if ((header.flags & END_STREAM) !== 0) this.#end(stream);
  }

  lost(): void {
    this.#blocks.lose();
    this.#exchange.loseRequests();
  }

  judge({ type, stream }: FrameHeader, plausibility: Plausibility): Plausibility {
    const { newest } = this.#exchange;
    if (plausibility === 'no' || type === CONTINUATION || type === PUSH_PROMISE) return 'no';
    if (type !== DATA && type !== HEADERS) return plausibility;
    // Streams with even numbers are the server's own.
    if (stream % 2 === 0) return 'no';
    if (type === DATA)
      return this.#exchange.get(stream)?.isRequestOpen ? 'fixed' : newest > 0 ? 'no' : 'fits';
    if (newest === 0) return 'fits';
    if (stream > newest + MAX_UNSEEN_STREAMS) return 'no';
    return stream > newest ? 'fixed' : 'fits';
  }

  #block(id: number, list: HeaderList, isStreamEnd: boolean): void {
    const open = this.#exchange.get(id);
    if (open !== undefined) {
      if (!open.isRequestOpen) return;
      open.request.flag(list.hasPseudoFields ? 'repeated-head' : 'trailers');
      if (isStreamEnd) this.#end(open);
      return;
    }
    // Trailers of a stream that began unseen, or numbers that no client may use.
    const isTrailers = id <= this.#exchange.newest && !list.hasPseudoFields;
    if (isTrailers || id % 2 === 0) return;
    const stream = this.#exchange.begin(id, new Http2Request(list, this.#exchange.hasGrpc));
    if (isStreamEnd) this.#end(stream);
  }

  #end(stream: Http2Stream): void {
    const { request, bodyBytes } = stream;
    const expected = bodyBytes === -1 ? -1 : request.contentLength;
    if (expected !== -1 && expected !== bodyBytes) request.flag('conflicting-length');
    this.#exchange.endRequest(stream);
  }
}
