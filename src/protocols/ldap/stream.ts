import type { ByteString } from '../../base/bytes.ts';
import { Frames } from '../../base/frames.ts';
import { dropOldest } from '../../base/oldest.ts';
import type { HandOver, ProtocolConnection, QuerySink } from '../contract.ts';
import { messageLength, OPERATION, readEnvelope } from './parser.ts';
import { parseRequest, START_TLS, type ParsedRequest } from './requests.ts';
import { parseResult } from './results.ts';

/** What is kept of a message that does not come in one piece: requests whole, of answers their beginning. */
const MAX_REQUEST_BYTES = 64 * 1024;
const MAX_RESPONSE_BYTES = 4 * 1024;
/** Requests that wait for an answer, and searches that stay open for good. */
export const MAX_OUTSTANDING = 1024;
/** Bytes of TLS that came before the server's consent was seen. */
const MAX_HELD_BYTES = 16 * 1024;
const TLS_HANDSHAKE = 0x16;
const NO_BYTES = new Uint8Array(0);

interface Outstanding {
  readonly request: ParsedRequest;
  /** Entries that a search has brought; null once some were not captured. */
  rows: number | null;
}

/** One connection to a directory. A request's number is its messageID; answers name it. */
export class LdapConnection implements ProtocolConnection {
  handOver: HandOver | null = null;

  readonly #sink: QuerySink;
  readonly #requests = new Frames({
    keptBytes: MAX_REQUEST_BYTES,
    lengthAt: messageLength,
    frame: (bytes, start, end) => this.#request(bytes, start, end),
  });
  readonly #responses = new Frames({
    keptBytes: MAX_RESPONSE_BYTES,
    lengthAt: messageLength,
    frame: (bytes, start, end) => this.#response(bytes, start, end),
  });
  readonly #outstanding = new Map<number, Outstanding>();
  #user: ByteString = '';
  #isTlsAsked = false;
  #held: Uint8Array = NO_BYTES;
  #isFinished = false;

  constructor(sink: QuerySink) {
    this.#sink = sink;
  }

  get isFinished(): boolean {
    return this.#isFinished;
  }

  fromClient(bytes: Uint8Array, missing: number): void {
    if (this.#isFinished) return;
    if (this.#isTlsAsked && (this.#held.length > 0 || bytes[0] === TLS_HANDSHAKE)) {
      const room = Math.max(0, MAX_HELD_BYTES - this.#held.length);
      this.#held = Uint8Array.from(Buffer.concat([this.#held, bytes.subarray(0, room)]));
      return;
    }
    this.#requests.read(bytes, missing);
    if (this.#requests.isBroken) this.close();
  }

  fromServer(bytes: Uint8Array, missing: number): void {
    if (this.#isFinished) return;
    const { gaps } = this.#responses;
    const end = this.#responses.read(bytes, missing);
    if (this.handOver !== null)
      this.handOver = { ...this.handOver, fromServer: Uint8Array.from(bytes.subarray(end)) };
    if (this.#responses.isBroken || this.handOver !== null) this.close();
    else if (this.#responses.gaps > gaps) for (const asked of this.#outstanding.values()) asked.rows = null;
  }

  close(): void {
    if (this.#isFinished) return;
    this.#isFinished = true;
    this.#requests.close();
    this.#outstanding.clear();
  }

  #request(bytes: Uint8Array, start: number, end: number): void {
    const envelope = readEnvelope(bytes, start, end);
    if (typeof envelope === 'string') return;
    const request = parseRequest(bytes, envelope, end);
    const { operation, text } = request;
    // A server's message in the client's direction is none of a client.
    if (operation === '') return;
    this.#sink.queryStarted(
      {
        protocol: 'ldap',
        operation,
        statement: text.text,
        parameters: text.parameters,
        database: '',
        user: this.#user,
        isTruncated: text.isCut || end < envelope.valueEnd,
        anomalies: [],
      },
      envelope.id,
    );
    this.#isTlsAsked = request.extension === START_TLS;
    if (operation === 'ABANDON') this.#outstanding.delete(request.abandoned);
    if (operation === 'ABANDON' || operation === 'UNBIND') return;
    if (this.#outstanding.size >= MAX_OUTSTANDING) dropOldest(this.#outstanding);
    this.#outstanding.set(envelope.id, { request, rows: operation === 'SEARCH' ? 0 : null });
  }

  #response(bytes: Uint8Array, start: number, end: number): void {
    const envelope = readEnvelope(bytes, start, end);
    const asked = typeof envelope === 'string' ? undefined : this.#outstanding.get(envelope.id);
    // An answer to what was not seen, or a notice that nobody asked for (number 0).
    if (typeof envelope === 'string' || asked === undefined) return;
    switch (envelope.operation) {
      case OPERATION.searchEntry:
        if (asked.rows !== null) asked.rows++;
        return;
      case OPERATION.searchReference:
      case OPERATION.intermediate:
        return;
      default:
    }
    const { number, outcome } = parseResult(bytes, envelope, end, asked.rows);
    this.#outstanding.delete(envelope.id);
    this.#sink.queryEnded(outcome, envelope.id);
    // RFC 4511 section 4.2.1: who fails to sign on is nobody, whoever it was before.
    if (asked.request.operation === 'BIND') this.#user = number === 0 ? asked.request.name : '';
    if (asked.request.extension !== START_TLS) return;
    this.#isTlsAsked = false;
    if (number === 0) this.#startTls();
    else if (this.#held.length > 0) this.close();
  }

  #startTls(): void {
    this.#responses.stop();
    const fromClient = this.#held.length > 0 ? this.#held : Uint8Array.from(this.#requests.pending);
    this.handOver = { protocol: 'tls', fromClient, fromServer: NO_BYTES };
  }
}
