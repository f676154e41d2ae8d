import { Turns } from '../../base/turns.ts';
import type { HandOver, ProtocolConnection, QuerySink } from '../contract.ts';
import { Exchange } from './exchange.ts';
import { Frames } from './frames.ts';
import { backendRules, frontendRules } from './messages.ts';
import { CANCEL_REQUEST, GSS_REQUEST, SSL_REQUEST, readStartup, uint32 } from './parser.ts';
import { beginsLikeClient, beginsLikeServer } from './recognition.ts';
import { readReply } from './replies.ts';
import { Requests } from './requests.ts';

const NOTHING = new Uint8Array(0);
const ANSWER_YES_TLS = 0x53; // S
const ANSWER_YES_GSS = 0x47; // G
const ANSWER_NO = 0x4e; // N
const TLS_HANDSHAKE = 0x16;

/** One connection to a PostgreSQL server, from its startup or from the middle. */
export class PostgresqlConnection implements ProtocolConnection {
  handOver: HandOver | null = null;
  readonly #exchange: Exchange;
  readonly #requests: Requests;
  readonly #client = new Frames(frontendRules, true);
  readonly #server = new Frames(backendRules, false);
  /** The client asked for encryption, and one byte of the server decides. */
  #negotiates: 'tls' | 'gss' | null = null;
  readonly #turns = new Turns(true);
  #isFinished = false;

  constructor(sink: QuerySink) {
    this.#exchange = new Exchange(sink);
    this.#requests = new Requests(this.#exchange);
  }

  get isFinished(): boolean {
    return this.#isFinished;
  }

  /** What is held between calls; for tests. */
  get held(): { outstanding: number; statements: number; bytes: number; portals: number } {
    return { outstanding: this.#exchange.outstanding, ...this.#requests.statements.sizes };
  }

  fromClient(bytes: Uint8Array, missing: number): void {
    if (this.#isFinished) return;
    if (this.#turns.clientSpeaks()) {
      this.#server.next();
      this.#exchange.forget();
    }
    let at = 0;
    if (this.#turns.isClientLost && bytes.length > 0) {
      if (beginsLikeClient(bytes)) this.#resumeClient();
      else at = bytes.length;
    }
    while (at < bytes.length && !this.#isFinished) {
      if (this.#client.isBetween && this.#client.isUntyped && !this.#isUntyped(bytes, at)) return;
      at = this.#client.take(bytes, at);
      if (this.#client.isInvalid) this.#finish();
      else if (this.#client.isComplete) this.#clientMessage();
    }
    if (this.#isFinished) return;
    if (missing > 0 && !this.#turns.isClientLost) {
      const isLost = this.#client.skip(missing);
      if (this.#client.isComplete) this.#clientMessage();
      if (isLost) this.#loseClient();
    }
    if (this.#exchange.isOverrun) this.#turns.isServerLost = true;
  }

  fromServer(bytes: Uint8Array, missing: number): void {
    if (this.#isFinished) return;
    this.#turns.serverSpeaks();
    let at = 0;
    if (this.#negotiates !== null && bytes.length > 0) {
      if (!this.#negotiated(bytes)) return;
      at = 1;
    }
    if (this.#turns.isServerLost) return;
    if (
      this.#server.isBetween &&
      at < bytes.length &&
      this.#turns.isServerUnsure &&
      !beginsLikeServer(bytes, at)
    ) {
      this.#loseServer();
      return;
    }
    this.#turns.isServerUnsure = false;
    while (at < bytes.length) {
      at = this.#server.take(bytes, at);
      if (this.#server.isInvalid) {
        this.#loseServer();
        return;
      }
      if (this.#server.isComplete) this.#serverMessage();
    }
    if (missing > 0) {
      const isLost = this.#server.skip(missing);
      if (this.#server.isComplete) this.#serverMessage();
      if (isLost) this.#loseServer();
    }
  }

  close(): void {
    if (!this.#isFinished) this.#finish();
  }

  #loseClient(): void {
    this.#turns.loseClient();
    this.#client.next();
    this.#client.isUntyped = false;
  }

  #resumeClient(): void {
    // What is lost of a copy has no reply.
    if (this.#exchange.isCopyIn) this.#turns.isClientLost = false;
    else {
      this.#turns.findClient();
      this.#exchange.forget();
    }
  }

  #loseServer(): void {
    this.#server.next();
    this.#turns.isServerLost = true;
    this.#exchange.lostReply();
  }

  /** Whether a first message without a type begins here, as opposed to a connection that is open already. */
  #isUntyped(bytes: Uint8Array, at: number): boolean {
    if (bytes[at] === 0) return true;
    if (this.#negotiates !== null && bytes[at] === TLS_HANDSHAKE) {
      this.#handOver('tls', bytes.slice(at), NOTHING);
      return false;
    }
    this.#client.isUntyped = false;
    return true;
  }

  #clientMessage(): void {
    if (this.#client.type === 0) this.#first();
    else this.#requests.message(this.#client);
    this.#client.next();
  }

  /** https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-START-UP */
  #first(): void {
    const { body, start, end } = this.#client;
    const code = uint32(body, start);
    if (code === SSL_REQUEST) this.#negotiates = 'tls';
    else if (code === GSS_REQUEST) this.#negotiates = 'gss';
    else if (code === CANCEL_REQUEST) {
      this.#requests.cancel(uint32(body, start + 4));
      this.#finish();
    } else {
      this.#requests.startup = readStartup(body, start + 4, end);
      this.#client.isUntyped = false;
      this.#negotiates = null;
    }
  }

  /** @returns whether this protocol goes on */
  #negotiated(bytes: Uint8Array): boolean {
    const wanted = this.#negotiates;
    this.#negotiates = null;
    if (bytes[0] === ANSWER_NO) return true;
    const isTaken = bytes[0] === (wanted === 'tls' ? ANSWER_YES_TLS : ANSWER_YES_GSS);
    if (isTaken) this.#handOver(wanted === 'tls' ? 'tls' : 'gssapi', NOTHING, bytes.slice(1));
    else this.#finish();
    return false;
  }

  #handOver(protocol: string, fromClient: Uint8Array, fromServer: Uint8Array): void {
    this.handOver = { protocol, fromClient, fromServer };
    this.#finish();
  }

  #serverMessage(): void {
    readReply(this.#server, this.#exchange, this.#requests);
    this.#server.next();
  }

  #finish(): void {
    this.#isFinished = true;
    this.#exchange.close();
  }
}
