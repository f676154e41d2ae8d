import type { Exchange, Http2Stream } from './exchange.ts';
import { FrameReader, type FrameSink } from './frame-reader.ts';
import { httpStatusOfGrpc, isGrpcType } from './grpc.ts';
import { HeaderBlocks } from './header-blocks.ts';
import type { HeaderList } from './header-list.ts';
import {
  CONTINUATION,
  DATA,
  END_STREAM,
  type FrameHeader,
  GOAWAY,
  HEADERS,
  type Plausibility,
  PUSH_PROMISE,
  RST_STREAM,
  SETTINGS,
  uint31,
} from './parser.ts';

/** The outbound direction: status and end of every reply. Nothing of a reply is kept. */
export class ReplyReader implements FrameSink {
  readonly #exchange: Exchange;
  readonly #frames = new FrameReader(this);
  readonly #blocks = new HeaderBlocks((id, list, isEnd) => this.#block(id, list, isEnd));
  #hasFrames = false;

  constructor(exchange: Exchange) {
    this.#exchange = exchange;
  }

  read(bytes: Uint8Array, missing: number): void {
    this.#frames.read(bytes, missing);
  }

  /** The beginning of the connection was not seen. */
  joinLate(): void {
    this.#hasFrames = true;
    this.#blocks.lose();
  }

  frame(header: FrameHeader, bytes: Uint8Array, start: number, end: number): void {
    this.#noteFirst(header);
    switch (header.type) {
      case HEADERS:
      case PUSH_PROMISE:
      case CONTINUATION:
        this.#blocks.frame(header, bytes, start, end);
        return;
      case RST_STREAM:
        this.#exchange.reset(header.stream);
        return;
      case GOAWAY:
        if (end - start >= 4) this.#exchange.resetBeyond(uint31(bytes, start));
        return;
      default:
    }
  }

  data(): void {
    // Bodies of replies are nobody's business.
  }

  dataEnded(header: FrameHeader): void {
    this.#noteFirst(header);
    const stream = this.#exchange.get(header.stream);
    if (stream === undefined) return;
    stream.hasReplyBegun = true;
    stream.replyDoubt = -1;
    if ((header.flags & END_STREAM) !== 0) this.#end(stream);
  }

  lost(): void {
    this.#blocks.lose();
    this.#exchange.loseReplies();
  }

  judge({ type, stream }: FrameHeader, plausibility: Plausibility): Plausibility {
    if (plausibility === 'no' || type === CONTINUATION) return 'no';
    if (type !== DATA && type !== HEADERS && type !== PUSH_PROMISE) return plausibility;
    if (this.#exchange.get(stream)?.isReplyOpen) return 'fixed';
    return stream <= this.#exchange.newest || this.#exchange.newest === 0 ? 'fits' : 'no';
  }

  /** A server begins with its settings (RFC 9113, 3.4). */
  #noteFirst(header: FrameHeader): void {
    if (this.#hasFrames) return;
    this.#hasFrames = true;
    if (header.type !== SETTINGS || header.flags !== 0) this.#blocks.lose();
  }

  #block(id: number, list: HeaderList, isStreamEnd: boolean): void {
    const stream = this.#exchange.get(id);
    if (stream === undefined) return;
    stream.hasReplyBegun = true;
    stream.replyDoubt = -1;
    const status = readStatus(list);
    if (status >= 100 && status < 200) return;
    if (stream.request.grpc !== 'no') this.#noteGrpc(stream, list, status, isStreamEnd);
    else if (status !== 0) this.#exchange.tellStatus(stream, status);
    if (isStreamEnd) this.#end(stream);
  }

  /** The status of a call stands in its trailers, or in a head that is all there is; what is before it is 200. */
  #noteGrpc(stream: Http2Stream, list: HeaderList, status: number, isStreamEnd: boolean): void {
    if (status !== 0) stream.heldStatus = status;
    const meant = httpStatusOfGrpc(list.value('grpc-status'));
    const contentType = list.value('content-type');
    if (meant !== 0 || isGrpcType(contentType)) this.#exchange.hasGrpc = true;
    if (meant !== 0) stream.heldStatus = meant;
    // It may be among what is unknown: better no status than a wrong one.
    else if (isStreamEnd && !list.isComplete) stream.heldStatus = 0;
    const isPlain = stream.request.grpc === 'maybe' && contentType !== '' && !isGrpcType(contentType);
    if (status !== 0 && (status !== 200 || isPlain)) this.#exchange.tellStatus(stream, status);
  }

  #end(stream: Http2Stream): void {
    if (stream.heldStatus !== 0) this.#exchange.tellStatus(stream, stream.heldStatus);
    this.#exchange.endReply(stream);
  }
}

/** @returns 0 where the block has none that is known */
function readStatus(list: HeaderList): number {
  const text = list.value(':status');
  return /^[1-9]\d\d$/.test(text) ? Number(text) : 0;
}
