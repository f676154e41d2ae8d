import type { ByteString } from '../../base/bytes.ts';
import type { QueryOutcome } from '../../model/query.ts';
import type { ProtocolConnection, QuerySink } from '../contract.ts';
import { CommandReader, type Command } from './commands.ts';
import { expectationOf, isConfirmation, isMessage, type Expectation } from './expectations.ts';
import { ReplyReader, type Reply } from './replies.ts';
import { withoutSecrets } from './secrets.ts';

/** Unanswered commands with something special about their answer that are remembered; pipelines may be longer. */
export const MAX_EXPECTATIONS = 1024;

/**
 * One connection to a Redis server. Commands are numbered, because some are never answered and answers may be lost:
 * an outcome names the command that it belongs to.
 */
export class RedisConnection implements ProtocolConnection {
  readonly #sink: QuerySink;
  readonly #commands: CommandReader;
  readonly #replies: ReplyReader;
  /** Number of the newest command, and of the newest that is answered or never will be. */
  #asked = 0;
  #answered = 0;
  readonly #expectations = new Map<number, Expectation>();
  #database: ByteString = '';
  #user: ByteString = '';
  #isSubscribed = false;
  #isMonitor = false;
  #isSilenced = false;
  #isNextSilenced = false;
  #isFinished = false;

  constructor(sink: QuerySink) {
    this.#sink = sink;
    this.#commands = new CommandReader((command) => this.#command(command));
    this.#replies = new ReplyReader((reply) => this.#reply(reply));
  }

  get isFinished(): boolean {
    return this.#isFinished;
  }

  fromClient(bytes: Uint8Array, missing: number): void {
    if (this.#isFinished) return;
    this.#commands.read(bytes, missing);
    // Unseen commands are answered too: which answer belongs to whom is known again with the next one that is seen.
    if (this.#commands.isLost) this.#replies.isLost = true;
    if (this.#commands.isBroken) this.close();
  }

  fromServer(bytes: Uint8Array, missing: number): void {
    if (!this.#isFinished) this.#replies.read(bytes, missing);
  }

  close(): void {
    if (this.#isFinished) return;
    this.#commands.close();
    this.#isFinished = true;
    this.#expectations.clear();
  }

  #command({ words: sent, isTruncated, isInline }: Command): void {
    if (this.#replies.isLost) this.#resume();
    const { words, user } = withoutSecrets(sent);
    const [name = '', ...parameters] = words;
    const operation = name.toUpperCase();
    const number = ++this.#asked;
    const before = { database: this.#database, user: this.#user };
    this.#sink.queryStarted(
      {
        protocol: 'redis',
        operation,
        statement: words.join(' '),
        parameters,
        database: before.database,
        user: before.user,
        isTruncated,
        anomalies: isInline ? ['inline-command'] : [],
      },
      number,
    );
    const isSilent = this.#isSilent(operation, parameters);
    if (operation === 'SELECT') this.#database = parameters[0] ?? '';
    if (user !== null) this.#user = user;
    if (operation === 'RESET') this.#reset();
    this.#expect(
      number,
      isSilent ? { kind: 'silence' } : expectationOf(operation, parameters.length, before),
    );
  }

  #expect(number: number, expectation: Expectation | null): void {
    if (expectation?.kind === 'silence' && this.#answered === number - 1) this.#answered = number;
    else if (expectation !== null && this.#expectations.size < MAX_EXPECTATIONS)
      this.#expectations.set(number, expectation);
  }

  /** CLIENT REPLY OFF, SKIP, ON (https://redis.io/docs/latest/commands/client-reply/). */
  #isSilent(operation: ByteString, parameters: readonly ByteString[]): boolean {
    const wasNext = this.#isNextSilenced;
    this.#isNextSilenced = false;
    if (operation === 'CLIENT' && parameters[0]?.toUpperCase() === 'REPLY') {
      const mode = parameters[1]?.toUpperCase();
      if (mode === 'ON') this.#isSilenced = false;
      else if (mode === 'OFF') this.#isSilenced = true;
      else if (mode === 'SKIP') this.#isNextSilenced = true;
      if (mode === 'SKIP') return true;
    }
    return this.#isSilenced || wasNext;
  }

  #reset(): void {
    this.#database = '0';
    this.#user = '';
    this.#isSubscribed = false;
    this.#isMonitor = false;
    this.#isSilenced = false;
  }

  /** Answers were lost, and the client goes on asking: it has got them. */
  #resume(): void {
    const partial = this.#replies.resume();
    if (partial !== null && this.#answered < this.#asked) this.#answer(partial);
    this.#answered = this.#asked;
    this.#expectations.clear();
  }

  #reply(reply: Reply): void {
    if (isConfirmation(reply.first) && (reply.type === '>' || this.#isConfirmed(reply))) this.#confirm(reply);
    else if (reply.type === '>' || (this.#isSubscribed && reply.type === '*' && isMessage(reply.first)))
      return;
    else if (this.#isMonitor && reply.type === '+' && isTimestamp(reply.text)) return;
    else this.#answer(reply);
  }

  /** Without pushes, an array is a confirmation where one is waited for; the end of all subscriptions brings many. */
  #isConfirmed(reply: Reply): boolean {
    if (reply.type !== '*' || reply.rows !== 3) return false;
    const expectation = this.#oldest();
    if (expectation?.kind === 'confirmations') return expectation.name === reply.first;
    return this.#isSubscribed;
  }

  #confirm(reply: Reply): void {
    this.#isSubscribed = !(reply.first.includes('un') && reply.last === '0');
    const expectation = this.#oldest();
    if (expectation?.kind !== 'confirmations' || expectation.name !== reply.first) return;
    expectation.left--;
    if (expectation.left === 0) this.#answer({ ...reply, rows: null });
  }

  #oldest(): Expectation | undefined {
    let expectation = this.#expectations.get(this.#answered + 1);
    while (expectation?.kind === 'silence') {
      this.#expectations.delete(++this.#answered);
      expectation = this.#expectations.get(this.#answered + 1);
    }
    return expectation;
  }

  #answer(reply: Reply): void {
    const expectation = this.#oldest();
    // Nobody asked, as far as was seen.
    if (this.#answered === this.#asked) return;
    const number = ++this.#answered;
    this.#expectations.delete(number);
    this.#sink.queryEnded(outcomeOf(reply, expectation), number);
    if (expectation === undefined) return;
    if (reply.isError) {
      if (expectation.kind === 'select') this.#database = expectation.before;
      if (expectation.kind === 'sign-on') this.#user = expectation.before;
    } else if (expectation.kind === 'monitor') {
      this.#isMonitor = true;
    } else if (expectation.kind === 'replication') {
      // What follows is a dump without a line end, then commands of the server.
      this.close();
    }
  }
}

function outcomeOf(reply: Reply, expectation: Expectation | undefined): QueryOutcome {
  const { isError, text, type } = reply;
  const blank = isError ? text.indexOf(' ') : -1;
  const isCounted = type === ':' && expectation?.kind === 'count';
  return {
    isError,
    code: isError ? text.slice(0, blank < 0 ? text.length : blank) : '',
    message: isError && blank >= 0 ? text.slice(blank + 1) : '',
    rows: isError || expectation?.kind === 'page' ? null : isCounted ? Number(text) : reply.rows,
    answers: [],
  };
}

/** A line of MONITOR begins with the time. */
function isTimestamp(text: ByteString): boolean {
  const code = text.charCodeAt(0);
  return code >= 48 && code <= 57;
}
