import { Turns } from '../../base/turns.ts';
import type { HandOver, ProtocolConnection, QuerySink } from '../contract.ts';
import { Exchange } from './exchange.ts';
import {
  COMPRESS,
  PROTOCOL_41,
  SSL,
  SSL_REQUEST_LENGTH,
  ZSTD,
  isHandshakeResponse,
  readGreeting,
  readHandshakeResponse,
  shared,
  type Capabilities,
} from './handshake.ts';
import { MAX_KEPT_BYTES, Packets } from './packets.ts';
import { beginsLikeCommand } from './recognition.ts';
import { Replies } from './replies.ts';
import { Requests } from './requests.ts';

/** What is kept of a server's message: enough for errors and what a session tells of itself. */
const MAX_KEPT_REPLY_BYTES = 1024;
const NOTHING = new Uint8Array(0);
const OK = 0x00;
const ERROR = 0xff;

/** One connection to a MySQL or MariaDB server, from its greeting or from the middle. */
export class MysqlConnection implements ProtocolConnection {
  handOver: HandOver | null = null;
  readonly #exchange: Exchange;
  readonly #requests: Requests;
  readonly #replies: Replies;
  readonly #client = new Packets(MAX_KEPT_BYTES);
  readonly #server = new Packets(MAX_KEPT_REPLY_BYTES);
  /** 'unknown' until the first message: a greeting, or something from the middle of a connection. */
  #phase: 'unknown' | 'handshake' | 'sign-on' | 'commands' = 'unknown';
  #serverCapabilities: Capabilities | null = null;
  /** Everything after the sign-on is. */
  #isCompressed = false;
  readonly #turns = new Turns(false);
  #isFinished = false;

  constructor(sink: QuerySink) {
    this.#exchange = new Exchange(sink);
    this.#requests = new Requests(this.#exchange);
    this.#replies = new Replies(this.#exchange, this.#requests);
  }

  get isFinished(): boolean {
    return this.#isFinished;
  }

  /** What is held between calls; for tests. */
  get held(): { outstanding: number; statements: number; bytes: number } {
    return { outstanding: this.#exchange.outstanding, ...this.#requests.statements.sizes };
  }

  fromClient(bytes: Uint8Array, missing: number): void {
    if (this.#isFinished) return;
    if (this.#turns.clientSpeaks()) {
      this.#server.next();
      this.#replies.reset();
      this.#exchange.forget();
    }
    let at = 0;
    if (this.#turns.isClientLost && bytes.length > 0) {
      if (beginsLikeCommand(bytes)) this.#resumeClient();
      else at = bytes.length;
    }
    while (at < bytes.length && !this.#isFinished && !this.#turns.isClientLost) {
      at = this.#client.take(bytes, at);
      if (this.#client.isComplete) this.#clientMessage(bytes, at);
    }
    if (this.#isFinished) return;
    if (missing > 0 && !this.#turns.isClientLost) {
      const isLost = this.#client.skip(missing);
      if (this.#client.isComplete) this.#clientMessage(NOTHING, 0);
      if (isLost) this.#loseClient();
    }
    if (this.#exchange.isOverrun) this.#turns.isServerLost = true;
  }

  fromServer(bytes: Uint8Array, missing: number): void {
    if (this.#isFinished) return;
    this.#turns.serverSpeaks();
    if (this.#turns.isServerLost) return;
    if (this.#turns.isServerUnsure && bytes.length > 0) {
      this.#turns.isServerUnsure = false;
      const expected = this.#exchange.oldest?.sequence ?? 1;
      if (bytes.length >= 4 && bytes[3] !== expected) {
        this.#loseServer();
        return;
      }
    }
    let at = 0;
    while (at < bytes.length && !this.#isFinished) {
      at = this.#server.take(bytes, at);
      if (this.#server.isComplete) this.#serverMessage();
    }
    if (missing > 0 && !this.#isFinished) {
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
  }

  #resumeClient(): void {
    this.#turns.findClient();
    this.#exchange.forget();
    this.#replies.reset();
  }

  #loseServer(): void {
    this.#turns.isServerLost = true;
    this.#server.next();
    this.#replies.lost();
  }

  #clientMessage(bytes: Uint8Array, next: number): void {
    const packets = this.#client;
    if (this.#phase === 'handshake') this.#handshake(bytes, next);
    else if (this.#exchange.isFileExpected) {
      // Pieces of the file, whose numbers may come round to 0; an empty one ends it.
      if (packets.length === 0) this.#exchange.isFileExpected = false;
    } else if (packets.sequence === 0) this.#command();
    else if (this.#phase === 'unknown') this.#handshake(bytes, next);
    // What proves a password stands in messages with other numbers: they are not read.
    else if (this.#phase === 'commands' && this.#exchange.oldest === null) this.#loseClient();
    packets.next();
  }

  #command(): void {
    this.#phase = 'commands';
    if (this.#client.length === 0) return;
    if (!this.#requests.command(this.#client)) this.#finish();
  }

  #handshake(bytes: Uint8Array, next: number): void {
    const { body, start, end, length, sequence } = this.#client;
    if (!isHandshakeResponse(body, start, end)) {
      this.#finish();
      return;
    }
    const response = readHandshakeResponse(body, start, end);
    const { flags } = response.capabilities;
    // Clients from before version 4.1 speak another protocol.
    if (sequence !== 1 || length < SSL_REQUEST_LENGTH || (flags & PROTOCOL_41) === 0) {
      this.#finish();
      return;
    }
    if (length === SSL_REQUEST_LENGTH && (flags & SSL) !== 0) {
      this.handOver = { protocol: 'tls', fromClient: bytes.slice(next), fromServer: NOTHING };
      this.#finish();
      return;
    }
    this.#phase = 'sign-on';
    // What the server can do is not known where its greeting was not seen. Nobody asks in vain for compression.
    const greeted = this.#serverCapabilities;
    const capabilities = greeted === null ? response.capabilities : shared(response.capabilities, greeted);
    this.#requests.capabilities = greeted === null ? null : capabilities;
    this.#isCompressed = (capabilities.flags & (COMPRESS | ZSTD)) !== 0;
    this.#exchange.session = { user: response.user, database: response.database };
  }

  #serverMessage(): void {
    const packets = this.#server;
    const first = packets.start < packets.end ? packets.body[packets.start] : undefined;
    switch (this.#phase) {
      case 'unknown':
        this.#greeting();
        break;
      case 'handshake':
        // Refused before anything was said, or an answer that was asked for out of our sight.
        break;
      case 'sign-on':
        if (first === OK) this.#signedOn();
        else if (first === ERROR) this.#finish();
        break;
      case 'commands':
        this.#replies.packet(packets);
    }
    packets.next();
  }

  #greeting(): void {
    const { body, start, end, sequence } = this.#server;
    if (sequence !== 0) {
      // The rest of an answer: the connection was open before.
      this.#phase = 'commands';
      return;
    }
    this.#serverCapabilities = readGreeting(body, start, end);
    if (this.#serverCapabilities === null) this.#finish();
    else this.#phase = 'handshake';
  }

  #signedOn(): void {
    this.#phase = 'commands';
    if (this.#isCompressed) this.#finish();
  }

  #finish(): void {
    if (!this.#isFinished && !this.#turns.isServerLost) this.#replies.lost();
    this.#isFinished = true;
    this.#exchange.forget();
  }
}
