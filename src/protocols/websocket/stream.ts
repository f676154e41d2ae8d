import type { ProtocolConnection, RequestSink } from '../contract.ts';
import { BoundedBytes } from '../http/bounded-bytes.ts';
import { evidenceOf, ENOUGH_EVIDENCE } from './evidence.ts';
import { Inflater } from './inflater.ts';
import { MAX_MESSAGE_BYTES, WebSocketMessage } from './message.ts';
import { BINARY, CLOSE, CONTINUATION, FrameReader, TEXT, unmasked } from './parser.ts';

/**
 * One WebSocket connection after its handshake (RFC 6455). The client's messages are told; the server's answer nothing in
 * general, and are not read.
 */
export class WebSocketConnection implements ProtocolConnection {
  isFinished = false;

  readonly #sink: RequestSink;
  readonly #frames = new FrameReader();
  /** Out of step: nothing is read until a piece is surely the beginning of frames. */
  #isLost = false;
  /** The message under way. */
  #message: WebSocketMessage | null = null;
  /** Its payload, while it is a compressed one. */
  #compressed: BoundedBytes | null = null;
  /** All of it was captured so far. */
  #isWhole = true;
  #inflater: Inflater | null = null;

  constructor(sink: RequestSink) {
    this.#sink = sink;
  }

  /** Memory that is held between messages; for tests. */
  get bufferedBytes(): number {
    return (this.#compressed?.length ?? 0) + (this.#inflater?.sizeBytes ?? 0);
  }

  fromClient(bytes: Uint8Array, missing: number): void {
    if (this.isFinished) return;
    if (this.#isLost) this.#isLost = evidenceOf(bytes, true) < ENOUGH_EVIDENCE;
    const frames = this.#frames;
    let offset = 0;
    while (!this.#isLost && !this.isFinished && offset < bytes.length) {
      offset = frames.advance(bytes, offset, bytes.length);
      if (frames.event === 'frame') this.#beginFrame();
      else if (frames.event === 'payload') this.#readPayload(bytes);
      else if (frames.event === 'broken') this.close();
    }
    if (missing > 0 && !this.isFinished) this.#skip(missing);
  }

  /** What the server says is of no request. */
  fromServer(): void {}

  close(): void {
    if (this.isFinished) return;
    this.#isWhole = false;
    this.#endMessage();
    this.isFinished = true;
  }

  #beginFrame(): void {
    const frames = this.#frames;
    if (frames.opcode === TEXT || frames.opcode === BINARY) {
      // A message that was never finished: servers refuse this.
      if (this.#message !== null) this.#isWhole = false;
      this.#endMessage();
      const message = new WebSocketMessage(frames.opcode === TEXT ? 'TEXT' : 'BINARY');
      this.#message = message;
      this.#isWhole = true;
      this.#compressed = frames.isCompressed ? new BoundedBytes(MAX_MESSAGE_BYTES) : null;
      this.#sink.requestStarted(message);
    } else if (frames.opcode === CONTINUATION && this.#message === null) {
      this.#inflater?.forget();
      this.#sink.unreadInbound?.();
    }
    this.#flagOddities();
    if (frames.isComplete) this.#endFrame();
  }

  /** What a server has to refuse, and some perhaps do not. */
  #flagOddities(): void {
    const frames = this.#frames;
    const message = this.#message;
    if (message === null) return;
    if (!frames.isMasked) message.flag('unmasked');
    if (frames.isLengthPadded) message.flag('overlong-length');
    const isFirst = frames.opcode === TEXT || frames.opcode === BINARY;
    if (frames.hasReservedBits || (frames.isCompressed && !isFirst)) message.flag('reserved-bits');
  }

  #readPayload(bytes: Uint8Array): void {
    const frames = this.#frames;
    if (frames.opcode <= BINARY && this.#message !== null) {
      const { payloadStart: start, payloadEnd: end } = frames;
      if (!frames.isMasked) this.#addPayload(bytes, start, end);
      else {
        const plain = unmasked(bytes, start, end, frames.mask, frames.payloadOffset);
        this.#addPayload(plain, 0, plain.length);
      }
    }
    if (frames.isComplete) this.#endFrame();
  }

  #addPayload(bytes: Uint8Array, start: number, end: number): void {
    if (this.#compressed === null) this.#message?.appendBody(bytes, start, end);
    else if (this.#isWhole) {
      this.#compressed.append(bytes, start, end);
      if (this.#compressed.isOverfull) this.#isWhole = false;
    }
  }

  #endFrame(): void {
    const { opcode, isFinal } = this.#frames;
    if (opcode === CLOSE) this.close();
    else if (isFinal && opcode <= BINARY) this.#endMessage();
  }

  #endMessage(): void {
    const message = this.#message;
    if (message === null) return;
    this.#message = null;
    if (this.#compressed !== null) this.#inflate(message, this.#compressed.bytes);
    this.#compressed = null;
    if (!this.#isWhole) message.markTruncated();
    this.#sink.requestEnded();
  }

  #inflate(message: WebSocketMessage, payload: Uint8Array): void {
    const inflated = (this.#inflater ??= new Inflater()).inflate(payload, this.#isWhole);
    if (inflated === null) {
      message.flag('undecodable');
      message.markTruncated();
      return;
    }
    message.appendBody(inflated.bytes, 0, inflated.bytes.length);
    if (!inflated.isWhole) message.markTruncated();
  }

  /** Passes over bytes that were not captured. */
  #skip(missing: number): void {
    const frames = this.#frames;
    if (!this.#isLost) {
      const isPayload = !frames.isBetweenFrames;
      const beyond = frames.skip(missing);
      if (isPayload && frames.opcode <= BINARY) this.#isWhole = false;
      if (beyond === 0) {
        if (frames.isComplete) this.#endFrame();
        return;
      }
    }
    // Messages may stand there that the next compressed ones refer to.
    this.#isWhole = false;
    this.#endMessage();
    this.#inflater?.forget();
    this.#sink.unreadInbound?.();
    this.#frames.reset();
    this.#isLost = true;
  }
}
