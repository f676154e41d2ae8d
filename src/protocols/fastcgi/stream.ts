import { dropOldest } from '../../base/oldest.ts';
import type { ProtocolConnection, RequestSink } from '../contract.ts';
import { Exchange } from './exchange.ts';
import {
  ABORT_REQUEST,
  BEGIN_REQUEST,
  END_REQUEST,
  FIXED_RECORD_BYTES,
  HEADER_BYTES,
  PARAMS,
  RecordReader,
  STDIN,
  STDOUT,
  uint16,
} from './parser.ts';
import { isApplicationRecord, isBeginRequest, isWebServerRecord } from './recognise.ts';

/** Requests at once on one connection. Web servers of today send one after the other. */
export const MAX_REQUESTS = 64;
/** Bytes without a record, before a connection on which no request was seen is given up. */
const MAX_SEARCH_BYTES = 64 * 1024;

/** One connection of a web server to a FastCGI application (FastCGI 1.0). Streams are numbered by request id. */
export class FastcgiConnection implements ProtocolConnection {
  isFinished = false;

  readonly #sink: RequestSink;
  readonly #requests = new RecordReader();
  readonly #replies = new RecordReader();
  readonly #exchanges = new Map<number, Exchange>();
  /** Out of step: nothing is read until a piece begins with a record. */
  #isInboundLost = false;
  #isOutboundLost = false;
  #hasRequests = false;
  #searchedBytes = 0;

  constructor(sink: RequestSink) {
    this.#sink = sink;
  }

  /** Requests that have not been answered; for tests. */
  get openCount(): number {
    return this.#exchanges.size;
  }

  fromClient(bytes: Uint8Array, missing: number): void {
    if (this.isFinished) return;
    if (this.#isInboundLost) this.#findRequest(bytes);
    const reader = this.#requests;
    let offset = 0;
    while (!this.#isInboundLost && offset < bytes.length) {
      offset = reader.advance(bytes, offset, bytes.length);
      if (reader.event === 'content' || reader.event === 'empty') this.#readRequest(bytes);
      else if (reader.event === 'broken') this.#loseInbound();
    }
    if (missing > 0 && !this.isFinished) this.#skipInbound(missing);
  }

  fromServer(bytes: Uint8Array, missing: number): void {
    if (this.isFinished) return;
    if (this.#isOutboundLost) {
      const isOpen = (id: number) => this.#exchanges.has(id);
      this.#isOutboundLost = !isApplicationRecord(bytes, 0, isOpen);
    }
    const reader = this.#replies;
    let offset = 0;
    while (!this.#isOutboundLost && offset < bytes.length) {
      offset = reader.advance(bytes, offset, bytes.length);
      if (reader.event === 'content' || reader.event === 'empty') this.#readReply(bytes);
      else if (reader.event === 'broken') this.#loseOutbound();
    }
    if (missing > 0 && !this.isFinished) this.#skipOutbound(missing);
  }

  close(): void {
    if (this.isFinished) return;
    this.isFinished = true;
    for (const exchange of this.#exchanges.values()) exchange.close();
    this.#exchanges.clear();
  }

  /** A record of the web server, or a part of its content. Management records (id 0) are of no request. */
  #readRequest(bytes: Uint8Array): void {
    const reader = this.#requests;
    const isEmpty = reader.event === 'empty';
    if (reader.type === BEGIN_REQUEST) {
      if (reader.event === 'content' && reader.isContentComplete && reader.firstLength === 8) {
        this.#begin(reader.requestId, uint16(reader.first, 0));
      }
      return;
    }
    const exchange = this.#exchanges.get(reader.requestId);
    if (exchange === undefined) return;
    if (reader.type === PARAMS) {
      if (isEmpty) exchange.endParams();
      else exchange.addParams(bytes, reader.contentStart, reader.contentEnd);
    } else if (reader.type === STDIN) {
      if (isEmpty) exchange.endRequest();
      else exchange.addBody(bytes, reader.contentStart, reader.contentEnd);
    } else if (reader.type === ABORT_REQUEST) {
      exchange.endRequest();
    }
  }

  #begin(id: number, role: number): void {
    if (id === 0) return;
    // An id is used again once its request is over: what said so was not captured.
    this.#end(id);
    if (this.#exchanges.size >= MAX_REQUESTS) {
      for (const oldest of this.#exchanges.values()) {
        oldest.close();
        break;
      }
      dropOldest(this.#exchanges);
    }
    this.#hasRequests = true;
    this.#exchanges.set(id, new Exchange(id, role, this.#sink));
  }

  #end(id: number): void {
    const exchange = this.#exchanges.get(id);
    if (exchange === undefined) return;
    this.#exchanges.delete(id);
    exchange.endReply();
  }

  #readReply(bytes: Uint8Array): void {
    const reader = this.#replies;
    if (reader.type === END_REQUEST) {
      if (reader.isContentComplete) this.#end(reader.requestId);
    } else if (reader.type === STDOUT) {
      const exchange = this.#exchanges.get(reader.requestId);
      if (reader.event === 'empty') exchange?.beginReply();
      else exchange?.addReply(bytes, reader.contentStart, reader.contentEnd);
    }
  }

  /** Passes over bytes of requests that were not captured. */
  #skipInbound(missing: number): void {
    const reader = this.#requests;
    if (!this.#isInboundLost) {
      if (!reader.isBetweenRecords) this.#exchanges.get(reader.requestId)?.truncate();
      if (reader.skip(missing) === 0) return;
    }
    this.#loseInbound();
  }

  #loseInbound(): void {
    this.#isInboundLost = true;
    this.#requests.reset();
    let isOfOpen = false;
    for (const exchange of this.#exchanges.values()) {
      if (!exchange.isReceiving) continue;
      exchange.truncate();
      isOfOpen = true;
    }
    if (!isOfOpen) this.#sink.unreadInbound?.();
  }

  /** Out of step with the web server: a piece may begin with a record. */
  #findRequest(bytes: Uint8Array): void {
    const isOpen = (id: number) => this.#exchanges.has(id);
    if (isBeginRequest(bytes, 0) || isWebServerRecord(bytes, 0, isOpen)) {
      this.#isInboundLost = false;
      return;
    }
    this.#searchedBytes += bytes.length;
    if (!this.#hasRequests && this.#searchedBytes > MAX_SEARCH_BYTES) this.close();
  }

  /**
   * Passes over bytes of replies that were not captured. Most replies are written at once, and their end with them:
   * where just its bytes are left, they are the end.
   */
  #skipOutbound(missing: number): void {
    if (this.#isOutboundLost) return;
    const reader = this.#replies;
    const id = reader.requestId;
    if (reader.type === STDOUT && !reader.isBetweenRecords) this.#exchanges.get(id)?.beginReply();
    const beyond = reader.skip(missing);
    if (beyond === 0) return;
    if (beyond === FIXED_RECORD_BYTES || beyond === HEADER_BYTES + FIXED_RECORD_BYTES) {
      reader.reset();
      this.#end(id);
    } else this.#loseOutbound();
  }

  #loseOutbound(): void {
    this.#isOutboundLost = true;
    this.#replies.reset();
  }
}
