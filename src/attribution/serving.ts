import type { EventHeader } from '../model/event.ts';
import type { Process } from '../model/process.ts';
import type { ConnectionDescription } from '../model/query.ts';
import type { Connection } from '../model/request.ts';
import type { Answering } from './answering.ts';
import type { RequestState } from './request-state.ts';

/**
 * Messages of a connection whose requests are remembered. A thread's stamp names the one that it read last, so few are
 * enough; and what is not kept dies young, which the garbage collector likes.
 */
const REMEMBERED_MESSAGES = 4;
/** So long a server may go on with a request whose client has gone. */
const ABORTED_WORK_NS = 30e9;
const MAX_ABORTED = 256;
const REMEMBERED_ANSWERED = 32;
/** So long a request that was answered may leave work behind. */
const LEFTOVER_WORK_NS = 5e9;

interface InboundMessage {
  sequence: number;
  readonly requests: RequestState[];
}

/** An accepted connection whose requests we read. */
/** A connection of which more may become known. */
type KnownConnection = Omit<Connection, 'tls'> & { tls: ConnectionDescription | null };

export class ServedConnection {
  readonly connection: KnownConnection;
  /** Begun and not yet answered in full, oldest first: replies come in order. */
  readonly unanswered: RequestState[] = [];
  /** Process that read it last. */
  pid = 0;
  /** What of it read the last request. */
  unit = 0;
  /** The last inbound messages with the requests in them, newest last. */
  readonly #messages: InboundMessage[] = [];
  #newest: RequestState | null = null;
  #unreadSequence = -1;

  constructor(connection: Connection) {
    this.connection = { ...connection, tls: null };
  }

  get newest(): RequestState | null {
    return this.#newest;
  }

  begin(request: RequestState, sequence: number): void {
    this.#newest = request;
    this.unanswered.push(request);
    const last = this.#messages.at(-1);
    if (last !== undefined && last.sequence === sequence) last.requests.push(request);
    else this.#remember(sequence, request);
  }

  /** The request that a reply is for: the oldest one, or the one with this number. */
  waitingFor(stream: number | undefined): RequestState | null {
    if (stream === undefined) return this.unanswered[0] ?? null;
    return this.unanswered.find((request) => request.stream === stream) ?? null;
  }

  /** Its reply is complete. */
  answered(request: RequestState): void {
    if (this.unanswered[0] === request) this.unanswered.shift();
    else {
      const index = this.unanswered.indexOf(request);
      if (index >= 0) this.unanswered.splice(index, 1);
    }
  }

  /** The bytes of this message belong to the request begun before: its body, after an interim reply. */
  continueIn(sequence: number): void {
    const newest = this.#newest;
    if (newest === null || newest.isDone || newest.isComplete) return;
    if (this.#messages.at(-1)?.sequence === sequence) return;
    this.#remember(sequence, newest);
  }

  /** Requests whose bytes came in the message with this number. */
  requestsOf(sequence: number): readonly RequestState[] {
    return this.#messages.find((message) => message.sequence === sequence)?.requests ?? [];
  }

  /**
   * Requests that came in a later message, one after the other: a server that has not finished with the one before may begin
   * with them from within it. Those that are told apart by a number are worked on side by side.
   */
  requestsBehind(sequence: number): readonly RequestState[] {
    if (this.#newest?.stream !== undefined) return [];
    return this.#messages
      .filter((message) => message.sequence > sequence)
      .flatMap(({ requests }) => requests);
  }

  /** The message holds bytes that were not captured, and in which requests may stand. */
  markUnread(sequence: number): void {
    this.#unreadSequence = sequence;
  }

  isUnread(sequence: number): boolean {
    return this.#unreadSequence === sequence;
  }

  #remember(sequence: number, request: RequestState): void {
    if (this.#messages.length >= REMEMBERED_MESSAGES) this.#messages.shift();
    this.#messages.push({ sequence, requests: [request] });
  }
}

/** A thread that has read requests. */
export class ServingThread {
  readonly pid: number;
  /** It comes back from epoll_wait: what it runs next may belong to any of its requests. */
  isLoop = false;
  /** It had several requests in work at once. A loop that never had (Apache's prefork) takes them one by one. */
  hasJuggled = false;
  /**
   * The request of which it wrote the reply since it last read: what a loop does right after belongs to that one, though
   * its stamp names another.
   */
  answered: RequestState | null = null;
  /** The stamp that it had then. */
  answeredConnection = 0;
  answeredSequence = 0;
  /** Client connection whose answer it read last, 0 since it has read anything else. */
  resumedBy = 0;
  /** Read by this thread and possibly still in work, oldest first. */
  readonly #requests: RequestState[] = [];

  constructor(pid: number) {
    this.pid = pid;
  }

  read(request: RequestState): void {
    this.#prune();
    this.#requests.push(request);
    if (this.isLoop && this.#requests.length > 1) this.hasJuggled = true;
  }

  /** The request that it answered with the same stamp: once that has changed, the loop has turned to another. */
  answeredUnder({ stampConnection, stampSequence }: EventHeader): RequestState | null {
    const isSame = this.answeredConnection === stampConnection && this.answeredSequence === stampSequence;
    return isSame ? this.answered : null;
  }

  /** Lets go of requests that are done. */
  release(): void {
    this.#prune();
  }

  /** Requests that this thread may be working on. */
  open(): readonly RequestState[] {
    this.#prune();
    return this.#requests;
  }

  /**
   * A thread that is no event loop is done with a request when it reads another after having begun to answer, or after
   * the client has gone: only one that juggles several leaves one unanswered.
   */
  #prune(): void {
    const requests = this.#requests;
    const newest = requests.at(-1);
    let kept = 0;
    for (const request of requests) {
      const mayBeLeft = !this.isLoop && (request.isAnswered || request.isAborted) && request !== newest;
      if (!request.isDone && !mayBeLeft) requests[kept++] = request;
    }
    requests.length = kept;
  }
}

/** A process that reads requests itself. */
export class ServingProcess {
  readonly process: Process;
  readonly inFlight = new Set<RequestState>();
  readonly threads = new Set<number>();
  readonly connections = new Set<number>();
  /** Requests that wait for work which they have handed over, by its address. */
  readonly work = new Map<number, RequestState>();
  /** In work though their connection is gone, oldest first; they are in `inFlight` too. */
  readonly #aborted: RequestState[] = [];
  /** Answered a moment ago, in no order: work left over from them is no work of those in flight. */
  readonly #answered: RequestState[] = [];
  #nextAnswered = 0;
  /** Requests that it has read. */
  requestCount = 0;
  /** Threads of it that are event loops. */
  loopCount = 0;
  /** A reply was written by another thread than the one that had read the request: threads prove nothing here. */
  isMigrating = false;
  /** Who answers, once a reply was written by something else than what had read the request. */
  answering: Answering | null = null;
  /** Its connections whose protocol nobody reads: who answers on them is not seen. */
  readonly unreadable = new Set<number>();

  /** A goroutine or task answered a request of another connection than its own: they work for each other here. */
  areUnitsMixed = false;
  /** It has goroutines or tasks, and how it keeps them is known. */
  hasUnits = false;

  constructor(process: Process) {
    this.process = process;
  }

  /** The client has gone: what the server does for the request goes on, for how long is not known. */
  abort(request: RequestState): void {
    request.isAborted = true;
    this.#aborted.push(request);
    if (this.#aborted.length > MAX_ABORTED) this.#forgetOldest();
  }

  /** Gives up requests that were aborted too long ago to be still in work. */
  sweep(nowNs: number): void {
    for (let oldest = this.#aborted[0]; oldest !== undefined; oldest = this.#aborted[0]) {
      if ((oldest.endedNs ?? 0) + ABORTED_WORK_NS > nowNs) return;
      this.#forgetOldest();
    }
  }

  answered(request: RequestState): void {
    this.#answered[this.#nextAnswered] = request;
    this.#nextAnswered = (this.#nextAnswered + 1) % REMEMBERED_ANSWERED;
  }

  /** Requests that may have left work over. */
  recentlyAnswered(nowNs: number): readonly RequestState[] {
    return this.#answered.filter((request) => (request.endedNs ?? 0) + LEFTOVER_WORK_NS > nowNs);
  }

  #forgetOldest(): void {
    const oldest = this.#aborted.shift();
    if (oldest === undefined) return;
    oldest.isDone = true;
    this.inFlight.delete(oldest);
  }

  /**
   * Several loops share the work (Go, a multi-threaded runtime), a loop that reads hands work to threads that read as
   * well, or a reply showed that work moves between threads.
   */
  get hasMovingWork(): boolean {
    return this.isMigrating || this.loopCount > 1 || (this.loopCount > 0 && this.threads.size > 1);
  }
}
