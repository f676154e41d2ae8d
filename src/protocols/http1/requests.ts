import { byteString } from '../../base/bytes.ts';
import { ChunkedReader, endsWithLastChunk } from './chunked.ts';
import type { Exchange } from './exchange.ts';
import { readFraming } from './framing.ts';
import { HeadBuffer, MAX_HEAD_LENGTH } from './head-buffer.ts';
import { Http1Request } from './message.ts';
import {
  HeadScan,
  isHttp2Preface,
  isTokenByte,
  MAX_HEAD_BYTES,
  requestLineKind,
  requestPlausibility,
  scanHead,
} from './parser.ts';

/** Bytes that are passed over in search of a first request, before the connection is given up. */
const MAX_SEARCH_BYTES = 256 * 1024;

/** The inbound direction: frames requests, and finds the next one when the framing was lost. */
export class RequestReader {
  /** 'lost': not in step with the client; see #readLost. */
  #state: 'head' | 'length' | 'chunked' | 'lost' = 'head';
  readonly #exchange: Exchange;
  readonly #scan = new HeadScan();
  #head: HeadBuffer | null = null;
  #chunked: ChunkedReader | null = null;
  /** Bytes of the body still to come. */
  #remaining = 0;
  /** The client may leave the announced body out: it asked first, and has sent none of it. */
  #mayOmitBody = false;
  #isAfterClose = false;
  /** Bytes of unknown content passed by: a request may begin at any piece that looks like one. */
  #hasGap = false;
  /** In a lost chunked body whose last chunk ends it wherever it is seen. */
  #endsWithLastChunk = false;
  /** Beginning of what may be a request line, too short to tell. */
  #candidate: Uint8Array = NO_BYTES;
  #searchedBytes = 0;

  constructor(exchange: Exchange) {
    this.#exchange = exchange;
  }

  /** Memory that is held between calls, apart from messages. */
  get bufferedBytes(): number {
    return (this.#head?.sizeBytes ?? 0) + this.#candidate.length;
  }

  /** The next byte begins a request, and nothing before it matters to it. */
  get isIdle(): boolean {
    return this.#state === 'head' && this.#head === null && !this.#isAfterClose && !this.#hasGap;
  }

  read(bytes: Uint8Array, missing: number): void {
    this.#readPiece(bytes, missing);
    if (missing > 0 && !this.#exchange.isFinished) this.#skip(missing);
  }

  #readPiece(bytes: Uint8Array, missing: number): void {
    const exchange = this.#exchange;
    const end = bytes.length;
    let offset = 0;
    while (offset < end && !exchange.isFinished) {
      switch (this.#state) {
        case 'head':
          offset = this.#readHead(bytes, offset, end);
          break;
        case 'length':
          offset = this.#readLength(bytes, offset, end);
          break;
        case 'chunked':
          offset = this.#readChunked(bytes, offset, end);
          break;
        case 'lost':
          offset = this.#readLost(bytes, offset, end, missing);
          break;
      }
    }
  }

  /** Begins the request whose head is not complete, if enough of it is known. */
  beginIncomplete(anomaly: string): void {
    const head = this.#head;
    this.#head = null;
    if (head === null || head.isEmpty) return;
    const isRequest =
      head.firstLineEnd === -1
        ? head.isOversized || requestPlausibility(head.bytes, 0, head.length, true) === 'yes'
        : requestLineKind(head.bytes, 0, head.firstLineEnd) !== 'malformed';
    this.#lose();
    if (!isRequest) return;
    const request = new Http1Request(head.text(), true);
    request.flag(anomaly);
    this.#exchange.requestBegan(request);
    this.#exchange.isRequestUnframed = true;
  }

  #readHead(bytes: Uint8Array, offset: number, end: number): number {
    if (this.#head !== null) return this.#readBufferedHead(this.#head, bytes, offset, end);
    let start = offset;
    // Empty lines before a request line (RFC 9112, 2.2): some clients end a body with one too many.
    while (start < end && (bytes[start] === 13 || bytes[start] === 10)) start++;
    if (start === end) return end;
    const scan = this.#scan;
    const headEnd = scanHead(bytes, start, end, scan);
    if (headEnd !== -1 && headEnd - start <= MAX_HEAD_BYTES) {
      const kind = requestLineKind(bytes, start, scan.firstLineEnd);
      const isHttp1 = bytes[start] !== 0x50 || !isHttp2Preface(bytes, start, scan.firstLineEnd);
      if (kind === 'versioned' && isHttp1) {
        this.#begin(new Http1Request(byteString(bytes, start, headEnd), false), null);
        return headEnd;
      }
    }
    if (!isTokenByte(bytes[start] as number)) {
      this.#lose();
      return start;
    }
    return this.#readBufferedHead((this.#head = new HeadBuffer()), bytes, start, end);
  }

  /** A head in pieces, or an odd one. */
  #readBufferedHead(head: HeadBuffer, bytes: Uint8Array, offset: number, end: number): number {
    const hadLine = head.firstLineEnd !== -1;
    const before = head.totalLength;
    let next = head.append(bytes, offset, end);
    if (!hadLine) {
      const verdict = this.#judgeFirstLine(head);
      if (verdict === 'lost') {
        // What came before in this head was passed over with the calls that brought it.
        this.#head = null;
        this.#lose();
        return offset;
      }
      if (verdict === 'finished') return end;
      if (verdict === 'simple') {
        next = offset + head.firstLineEnd + 1 - before;
        const line = byteString(head.bytes, 0, head.firstLineEnd + 1);
        this.#head = null;
        this.#scan.needsCare = false;
        this.#scan.contentLength = -1;
        this.#begin(new Http1Request(line, false), null);
        return next;
      }
    }
    if (head.isComplete) {
      this.#head = null;
      scanHead(head.bytes, 0, head.length, this.#scan);
      const request = new Http1Request(head.text(), head.isOversized);
      if (head.isOversized) request.flag('oversized-head');
      this.#begin(request, head);
    } else if (head.totalLength > MAX_HEAD_LENGTH) {
      this.beginIncomplete('endless-head');
      this.#exchange.finish();
      return end;
    }
    return next;
  }

  #judgeFirstLine(head: HeadBuffer): 'go on' | 'simple' | 'lost' | 'finished' {
    if (head.firstLineEnd !== -1) {
      if (isHttp2Preface(head.bytes, 0, head.firstLineEnd)) {
        this.#head = null;
        this.#exchange.finish();
        return 'finished';
      }
      const kind = requestLineKind(head.bytes, 0, head.firstLineEnd);
      if (kind === 'versioned') return 'go on';
      return kind === 'simple' ? 'simple' : 'lost';
    }
    return !head.isOversized && requestPlausibility(head.bytes, 0, head.length, false) === 'no'
      ? 'lost'
      : 'go on';
  }

  /** @param head where the head was buffered, else null */
  #begin(request: Http1Request, head: HeadBuffer | null): void {
    const exchange = this.#exchange;
    const scan = this.#scan;
    if (this.#isAfterClose) request.flag('data-after-close');
    this.#isAfterClose = scan.mayClose && isClosing(request);
    let length = scan.contentLength;
    this.#state = 'head';
    if (scan.needsCare || head?.isOversized) {
      const anomalies: string[] = [];
      const framing = readFraming(head === null ? request.head : head.framingText(), anomalies);
      for (const anomaly of anomalies) request.flag(anomaly);
      length = framing.kind === 'length' ? framing.length : -1;
      if (framing.kind === 'chunked') this.#state = 'chunked';
      else if (framing.kind === 'unframed') this.#state = 'lost';
    }
    exchange.requestBegan(request);
    if (exchange.isFinished) return;
    if (this.#state === 'chunked') {
      (this.#chunked ??= new ChunkedReader()).reset();
    } else if (this.#state === 'lost') {
      this.#lose();
      exchange.isRequestUnframed = true;
    } else if (length > 0) {
      this.#state = 'length';
      this.#remaining = length;
      this.#mayOmitBody = scan.hasExpect;
    } else {
      exchange.requestEnded();
    }
  }

  #readLength(bytes: Uint8Array, offset: number, end: number): number {
    const exchange = this.#exchange;
    if (this.#mayOmitBody) {
      // A client that expected 100 and was answered with a refusal instead may go on with its next request.
      const isAnswered = exchange.unanswered.length === 0;
      if (isAnswered && requestPlausibility(bytes, offset, end, true) === 'yes') {
        exchange.openRequest?.flag('body-omitted');
        exchange.requestEnded();
        this.#state = 'head';
        return offset;
      }
      this.#mayOmitBody = false;
    }
    const taken = Math.min(this.#remaining, end - offset);
    exchange.openRequest?.appendBody(bytes, offset, offset + taken);
    this.#passBody(taken);
    return offset + taken;
  }

  #passBody(count: number): void {
    this.#remaining -= count;
    if (this.#remaining > 0) return;
    this.#state = 'head';
    this.#exchange.requestEnded();
  }

  #readChunked(bytes: Uint8Array, offset: number, end: number): number {
    const chunked = this.#chunked as ChunkedReader;
    const request = this.#exchange.openRequest;
    const next = chunked.advance(bytes, offset, end);
    if (chunked.dataEnd > chunked.dataStart) request?.appendBody(bytes, chunked.dataStart, chunked.dataEnd);
    if (chunked.anomalies.length > 0) for (const anomaly of chunked.anomalies) request?.flag(anomaly);
    if (chunked.state === 'done') {
      this.#state = 'head';
      this.#exchange.requestEnded();
    } else if (chunked.state === 'broken') {
      this.#lose();
      this.#exchange.isRequestUnframed = true;
    }
    return next;
  }

  /**
   * Out of step. While a request is open the bytes are taken for its body, until it is answered; then, or after a
   * gap, a piece that begins like a request is one.
   */
  #readLost(bytes: Uint8Array, offset: number, end: number, missing: number): number {
    const exchange = this.#exchange;
    const request = exchange.openRequest;
    if (request !== null && !this.#hasGap) {
      request.appendBody(bytes, offset, end);
      return end;
    }
    if (this.#candidate.length > 0) return this.#readCandidate(bytes, offset, end);
    const plausibility = requestPlausibility(bytes, offset, end, true);
    if (plausibility === 'yes') {
      this.#resume();
      return offset;
    }
    if (plausibility === 'maybe' && end - offset <= MAX_CANDIDATE_BYTES) {
      // Not slice: that of a Buffer shares memory, and the caller uses it again.
      this.#candidate = Uint8Array.from(bytes.subarray(offset, end));
      return end;
    }
    request?.appendBody(bytes, offset, end);
    if (request !== null && this.#endsWithLastChunk && missing === 0 && endsWithLastChunk(bytes)) {
      exchange.requestEnded();
    }
    this.#noteSearched(end - offset);
    return end;
  }

  /** Joins the piece with the few bytes before it; once more, as one piece. */
  #readCandidate(bytes: Uint8Array, offset: number, end: number): number {
    const candidate = this.#candidate;
    const taken = Math.min(end - offset, MAX_CANDIDATE_BYTES - candidate.length);
    const joined = new Uint8Array(candidate.length + taken);
    joined.set(candidate);
    joined.set(bytes.subarray(offset, offset + taken), candidate.length);
    const plausibility = requestPlausibility(joined, 0, joined.length, true);
    if (plausibility === 'maybe' && joined.length < MAX_CANDIDATE_BYTES) {
      this.#candidate = joined;
    } else if (plausibility === 'yes') {
      this.#resume();
      this.#readPiece(joined, 0);
    } else {
      this.#candidate = NO_BYTES;
      this.#exchange.openRequest?.appendBody(joined, 0, joined.length);
      this.#noteSearched(joined.length);
    }
    return offset + taken;
  }

  #noteSearched(count: number): void {
    this.#searchedBytes += count;
    if (!this.#exchange.hasRequests && this.#searchedBytes > MAX_SEARCH_BYTES) this.#exchange.finish();
  }

  /** A request begins here: back in step. */
  #resume(): void {
    this.#candidate = NO_BYTES;
    this.#hasGap = false;
    this.#endsWithLastChunk = false;
    this.#state = 'head';
    if (this.#exchange.openRequest !== null) this.#exchange.requestEnded();
  }

  #lose(): void {
    this.#state = 'lost';
    this.#hasGap = false;
    this.#endsWithLastChunk = false;
    this.#candidate = NO_BYTES;
  }

  /** Passes over bytes that were not captured. */
  #skip(count: number): void {
    const exchange = this.#exchange;
    exchange.openRequest?.markTruncated();
    if (this.#state === 'length') {
      this.#mayOmitBody = false;
      const beyond = count - this.#remaining;
      this.#passBody(Math.min(count, this.#remaining));
      if (beyond <= 0) return;
      exchange.unreadInbound();
      this.#lose();
    } else if (this.#state === 'chunked') {
      if ((this.#chunked as ChunkedReader).skip(count) === 0) return;
      this.#lose();
      exchange.isRequestUnframed = true;
      this.#endsWithLastChunk = true;
    } else if (this.#state === 'head') {
      if (this.#head === null) {
        exchange.unreadInbound();
        this.#lose();
      } else this.beginIncomplete('cut-head');
    } else if (this.#candidate.length > 0) {
      exchange.openRequest?.appendBody(this.#candidate, 0, this.#candidate.length);
      this.#candidate = NO_BYTES;
    }
    this.#hasGap = true;
  }
}

const NO_BYTES = new Uint8Array(0);
/** Enough for the longest registered method and the beginning of any target. */
const MAX_CANDIDATE_BYTES = 48;

function isClosing(request: Http1Request): boolean {
  return request.headers.some(
    ([name, value]) => name === 'connection' && value.toLowerCase().startsWith('close'),
  );
}
