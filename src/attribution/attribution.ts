import { addressText } from '../base/addresses.ts';
import type { ByteString } from '../base/bytes.ts';
import { dropOldest } from '../base/oldest.ts';
import type { Attribution } from '../model/effect.ts';
import type { AcceptEvent, EventHeader, PayloadEvent, WorkEvent } from '../model/event.ts';
import type { Process } from '../model/process.ts';
import type { Connection, Request, RequestMessage } from '../model/request.ts';
import { Answering, type AnsweringCounters } from './answering.ts';
import { ClientConnections } from './client-connections.ts';
import { placeByBirth, type Birth } from './birth.ts';
import type { Sinks } from './content.ts';
import { ContentEvidence, type ContentCounters } from './content-evidence.ts';
import { ambiguous, NO_REQUEST, UNKNOWN_STAMP } from './verdicts.ts';
import { makerOf } from './maker.ts';
import type { OpenQuestion } from './open-question.ts';
import { RequestState } from './request-state.ts';
import { isThread } from './unit.ts';
import { ServedConnection, ServingProcess, ServingThread } from './serving.ts';

/** Unix connections have no close event: beyond this many, the oldest make room. */
const MAX_CONNECTIONS = 65_536;
const MAX_THREADS = 65_536;
/** Connections that are gone while a thread may still carry their stamp. */
const MAX_CLOSED = 512;
/** After lost payload we do not know what else was in flight: so long nothing is called exact on an event loop. */
const DOUBT_AFTER_LOSS_NS = 5e9;
/** Requests of one connection that wait for a reply. HTTP/2 has a hundred streams as a rule. */
const MAX_UNANSWERED = 1024;
/** Connections of one process whose protocol nobody reads: more tell nothing more. */
const MAX_UNREADABLE = 64;
/** Work of one process on its way. */
const MAX_WORK = 16_384;
const NANOSECONDS_PER_TICK = 10_000_000;

/** Requests of a process after which its threads are known for what they are. */
const SETTLED_REQUESTS = 64;

export interface AttributionCounters extends AnsweringCounters, ContentCounters {
  requests: number;
  exact: number;
  linked: number;
  matched: number;
  ambiguous: number;
  none: number;
  /** The stamp named a message of which we have no request: lost, or of no protocol that we read. */
  unknownStamps: number;
  /** Effects that were ambiguous until a reply told whose they are; they are counted as linked since. */
  settled: number;
}

/**
 * Decides which request caused an effect. The kernel's stamp says which request the thread read last; what it cannot
 * know is whether the thread juggles several, so everything that is in flight is kept here, and a stamp is believed
 * only where no other request could be meant. Wrong is worse than missing.
 */
export class Attributor {
  readonly counters: AttributionCounters = {
    requests: 0,
    exact: 0,
    linked: 0,
    matched: 0,
    ambiguous: 0,
    none: 0,
    disagreements: 0,
    unknownStamps: 0,
    contentSkipped: 0,
    settled: 0,
    contradictions: 0,
  };
  readonly #connections = new Map<number, ServedConnection>();
  readonly #closed = new Map<number, ServedConnection>();
  readonly #threads = new Map<number, ServingThread>();
  readonly #processes = new Map<number, ServingProcess>();
  readonly #clients = new ClientConnections();
  readonly #content = new ContentEvidence(this.#processes, this.counters);
  readonly #births = new WeakMap<Process, Birth>();
  /** What is provisional, by the attribution that was given for the time being. */
  readonly #questions = new WeakMap<Attribution, OpenQuestion>();
  #closedQuestions: OpenQuestion[] = [];
  /** Requests whose replies stand in the payload event that is being read. */
  #replies: RequestState[] = [];
  #session = 'request';
  #doubtUntilNs = 0;
  #attachedNs = -Infinity;

  /** Threads, goroutines and tasks that are known to read requests. */
  get unitCount(): number {
    return this.#threads.size;
  }

  /** Prefix of request ids, so that they are unique over restarts. */
  setSession(session: string): void {
    this.#session = session;
  }

  /**
   * The sensors were attached at this time: of servers that ran before, requests may be in flight that were not seen.
   */
  attached(nowNs: number): void {
    this.#attachedNs = nowNs;
  }

  /** Who waits for what is not known any more: an answer may have been among what was lost. */
  payloadLost(nowNs: number): void {
    this.#doubtUntilNs = nowNs + DOUBT_AFTER_LOSS_NS;
    this.#clients.forgetWaiting();
    for (const { work, answering } of this.#processes.values()) {
      answering?.lost();
      for (const request of work.values()) request.waitingCount = 0;
      work.clear();
    }
  }

  accept(event: AcceptEvent): void {
    if (this.#connections.size >= MAX_CONNECTIONS)
      for (const oldest of this.#connections.keys()) {
        this.close(oldest, event.timeNs);
        break;
      }
    this.#connections.set(event.connection, new ServedConnection(connectionOf(event)));
  }

  /**
   * Ends what is in flight on the connection. A client that goes away at once does not stop the server from working, so
   * its requests stay possible causes for a while.
   */
  close(connection: number, timeNs: number): readonly RequestState[] {
    const served = this.#connections.get(connection);
    if (served === undefined) return [];
    this.#connections.delete(connection);
    this.#closed.set(connection, served);
    if (this.#closed.size > MAX_CLOSED) dropOldest(this.#closed);
    const serving = this.#processes.get(served.pid);
    serving?.connections.delete(connection);
    // What is still at work for it may go over to another request unseen.
    if (serving?.unreadable.delete(connection) === true) serving.answering?.lost();
    const ended = served.unanswered.splice(0);
    if (ended.length === 0 && !isThread(served.unit)) this.#forgetUnit(served.unit, serving);
    for (const request of ended) {
      if (request.endedNs !== null) continue;
      request.endedNs = timeNs;
      request.isComplete = true;
      if (serving?.inFlight.has(request) === true) serving.abort(request);
      else request.isDone = true;
    }
    return ended;
  }

  /** Inbound or outbound bytes, before the protocol reader gets them. */
  payload(event: PayloadEvent, process: Process): void {
    this.#replies = [];
    const thread = this.#threads.get(event.unit);
    if (thread !== undefined) this.#noteLoop(event, thread);
    const served = this.#connections.get(event.connection);
    if (served === undefined) {
      // Its beginning was lost: as long as it is in use, there are requests that are not known.
      if (event.direction === 'in') this.#doubtUntilNs = event.timeNs + DOUBT_AFTER_LOSS_NS;
      return;
    }
    if (event.direction === 'in') {
      if (thread !== undefined) {
        thread.answered = null;
        thread.resumedBy = 0;
      }
      served.continueIn(event.sequence);
    } else {
      this.#noteWriter(served, event, process);
    }
  }

  /**
   * The protocol reader has read these bytes to the server or from it: who has written the reply of a request was serving it.
   */
  payloadRead(event: PayloadEvent, process: Process): void {
    if (event.direction !== 'out') return;
    const serving = this.#processes.get(process.pid);
    if (serving === undefined || serving.process !== process) return;
    const [request, ...others] = this.#replies;
    const isLoop = this.#isLoop(event);
    if (request === undefined || others.length > 0 || isLoop || request.stream !== undefined) {
      for (const one of this.#replies) one.endsUnseen = true;
      if (isLoop) serving.answering?.isLoop(event.unit);
      serving.answering?.interrupted(event.unit, event.timeNs);
      // It answers for somebody who has worked on the request and goes on with another.
      if (isLoop && request !== undefined && event.stampConnection !== request.connection.id)
        serving.answering?.handedBack();
      return;
    }
    // An interim reply: its writer need not be who does the work.
    if (!request.isAnswered) return;
    if (serving.answering === null && !isHandedOver(request, event)) return;
    serving.answering ??= new Answering(this.counters, (question) => this.#close(question));
    if (serving.unreadable.size > 0) serving.answering.interrupted(event.unit, event.timeNs);
    else serving.answering.replied(event.unit, request, event.timeNs);
  }

  /**
   * Whether an attribution is provisional, and worth waiting for: the question that decides. It is among
   * closedQuestions() once it has been settled or given up.
   */
  questionOf(attribution: Attribution): OpenQuestion | null {
    return this.#questions.get(attribution) ?? null;
  }

  /** Questions that are not open any more, since this was asked last. */
  closedQuestions(): readonly OpenQuestion[] {
    const closed = this.#closedQuestions;
    if (closed.length > 0) this.#closedQuestions = [];
    return closed;
  }

  /** Nobody reads the protocol of this connection, so who answers on it is not seen. */
  unreadable(connection: number, process: Process): void {
    const served = this.#connections.get(connection);
    const unreadable = this.#processes.get(process.pid)?.unreadable;
    if (served === undefined || unreadable === undefined || unreadable.size >= MAX_UNREADABLE) return;
    served.pid = process.pid;
    unreadable.add(connection);
  }

  /**
   * A serving process asks another service, or reads its answer. Who waits for an answer runs again when it comes, and
   * the kernel says so; until then it is nobody's rival.
   * @param isShared questions of others are still unanswered on this connection
   */
  clientPayload(event: PayloadEvent, process: Process, isShared: boolean): void {
    const { connection } = event;
    const thread = this.#threads.get(event.unit);
    if (thread !== undefined) this.#noteLoop(event, thread);
    if (event.direction === 'in') {
      if (thread !== undefined) {
        thread.answered = null;
        thread.resumedBy = connection;
      }
      this.#clients.answered(connection);
      return;
    }
    const asking = this.#handsOver(event, process);
    if (asking !== null) {
      const serving = this.#processes.get(process.pid);
      const isAlone = serving === undefined || serving.inFlight.size < 2;
      // Whoever queues for a place in a pool gets the connection that was just given back.
      const isHandedOn =
        thread?.resumedBy === connection && !isAlone && !this.#clients.hasIdleBeside(connection);
      if (isShared || isHandedOn) asking.isDoubtful = true;
      this.#clients.wait(connection, asking);
    }
    this.#clients.asked(connection);
  }

  /** A UDP socket, on which each question is waited for by itself. */
  datagramsOpened(event: AcceptEvent): void {
    this.#clients.opened(event.connection, `datagrams ${event.connection}`);
  }

  /** A question or an answer that is one datagram, before its reader gets it. */
  clientDatagram(event: PayloadEvent): void {
    const thread = this.#threads.get(event.tid);
    if (thread === undefined) return;
    this.#noteLoop(event, thread);
    if (event.direction === 'out') return;
    thread.answered = null;
    thread.resumedBy = 0;
  }

  /** The datagram asks something. @returns which request waits for the answer by itself: see datagramAnswered() */
  datagramAsked(event: PayloadEvent, process: Process): Request | null {
    const asking = this.#handsOver(event, process);
    // Any other thread waits in the call.
    if (asking === null || this.#threads.get(event.tid)?.isLoop !== true) return null;
    this.#clients.waitForDatagram(event.connection, asking, event.timeNs);
    return asking;
  }

  datagramAnswered(connection: number, waiter: Request): void {
    this.#clients.datagramAnswered(connection, waiter as RequestState);
  }

  /** A connection to another service is begun: whoever does that waits until it is there, or for its end. */
  clientOpened(event: AcceptEvent, process: Process): void {
    const pool = `${process.pid} ${event.remotePort} ${event.remoteAddress}`;
    this.#clients.opened(event.connection, pool);
    const asking = this.#handsOver(event, process);
    if (asking !== null) this.#clients.wait(event.connection, asking);
  }

  clientClosed(connection: number): void {
    this.#clients.closed(connection);
  }

  /** Work is handed to a pool, or a program is started whose end is awaited; or it has come back. */
  work(event: WorkEvent, process: Process): void {
    const serving = this.#processes.get(process.pid);
    if (serving === undefined || serving.process !== process) return;
    const before = serving.work.get(event.object);
    if (before !== undefined) {
      serving.work.delete(event.object);
      before.waitingCount--;
    }
    const thread = this.#threads.get(event.unit);
    if (thread !== undefined) this.#noteLoop(event, thread);
    if (event.phase === 'done') {
      if (thread !== undefined) {
        thread.answered = null;
        thread.resumedBy = 0;
      }
      return;
    }
    const asking = this.#handsOver(event, process);
    if (asking === null || serving.work.size >= MAX_WORK) return;
    serving.work.set(event.object, asking);
    asking.waitingCount++;
  }

  /**
   * The request that something is handed over for. The kernel will name it when that comes back, though another may have
   * done it in its place: then what is named is not believed any more.
   */
  #handsOver(event: EventHeader, process: Process): RequestState | null {
    const { request } = this.#place(event, process);
    if (request !== null) return request as RequestState;
    const stamped = this.#stamped(event);
    if (stamped !== null) stamped.isDoubtful = true;
    return stamped;
  }

  /** The one request that the kernel's stamp names. */
  #stamped(event: EventHeader): RequestState | null {
    if (!isStamped(event)) return null;
    const requests = this.#connections.get(event.stampConnection)?.requestsOf(event.stampSequence) ?? [];
    const [only] = requests;
    return only !== undefined && requests.length === 1 ? only : null;
  }

  /**
   * What is over when another request begins on the connection: messages that get no reply (WebSocket), and what was
   * begun so often without a reply that none is to be expected.
   */
  overtaken(connection: number, message: RequestMessage, timeNs: number): readonly RequestState[] {
    const served = this.#connections.get(connection);
    if (served === undefined) return [];
    const over: RequestState[] = [];
    for (let oldest = served.unanswered[0]; oldest !== undefined; oldest = served.unanswered[0]) {
      const isUnanswerable = message.protocol === 'websocket' && oldest.message.protocol === 'websocket';
      if (!isUnanswerable && served.unanswered.length < MAX_UNANSWERED) break;
      served.answered(oldest);
      this.#end(oldest, timeNs);
      over.push(oldest);
    }
    return over;
  }

  requestStarted(
    event: PayloadEvent,
    message: RequestMessage,
    process: Process,
    stream?: number,
  ): RequestState | null {
    const served = this.#connections.get(event.connection);
    if (served === undefined) return null;
    this.counters.requests++;
    const request = new RequestState(
      this.#session,
      event.sequence,
      served.requestsOf(event.sequence).length,
      served.connection,
      message,
      process,
      event,
    );
    request.stream = stream;
    served.begin(request, event.sequence);
    if (served.pid !== process.pid) this.#processes.get(served.pid)?.connections.delete(event.connection);
    served.pid = process.pid;
    served.unit = event.unit;
    const serving = this.#servingProcess(process);
    serving.requestCount++;
    serving.inFlight.add(request);
    serving.connections.add(event.connection);
    const thread = this.#servingThread(event, serving);
    thread.read(request);
    this.#noteLoop(event, thread);
    return request;
  }

  /**
   * Whether exchanges that this thread has by itself may be left out, as long as nothing else happens in its process:
   * they would teach nothing new about it. Only of event loops: other threads carry the stamp of their last request
   * for as long as they wait.
   * @returns whether the loop is known to juggle; null where each exchange has to be told
   */
  settledLoop(pid: number, tid: number): { readonly hasJuggled: boolean } | null {
    const serving = this.#processes.get(pid);
    const thread = this.#threads.get(tid);
    if (serving === undefined || thread === undefined || thread.pid !== pid || !thread.isLoop) return null;
    return serving.isMigrating || serving.requestCount < SETTLED_REQUESTS ? null : thread;
  }

  /** So many exchanges were left out for good. */
  passedOver(count: number): void {
    this.counters.requests += count;
  }

  /** The process whose requests in flight decide about this one: itself, or the server that it was born in. */
  serverOf(process: Process): number {
    const birth = this.#births.get(process);
    return birth?.server?.process.pid ?? process.pid;
  }

  /** Bytes of the connection were passed over in which requests may stand. */
  unreadInbound(event: PayloadEvent): void {
    this.#connections.get(event.connection)?.markUnread(event.sequence);
  }

  requestEnded(connection: number, stream?: number): RequestState | null {
    const served = this.#connections.get(connection);
    const request = (stream === undefined ? served?.newest : served?.waitingFor(stream)) ?? null;
    if (request !== null) request.isComplete = true;
    return request;
  }

  /** @param status null where the protocol has none */
  responseStarted(connection: number, status: number | null, stream?: number): RequestState | null {
    const request = this.#connections.get(connection)?.waitingFor(stream) ?? null;
    if (request === null) return null;
    request.status = status;
    request.isAnswered = true;
    if (!this.#replies.includes(request)) this.#replies.push(request);
    return request;
  }

  responseEnded(connection: number, timeNs: number, stream?: number): RequestState | null {
    const served = this.#connections.get(connection);
    const request = served?.waitingFor(stream) ?? null;
    if (request !== null) served?.answered(request);
    if (request !== null) this.#end(request, timeNs);
    return request;
  }

  /** The child belongs to whatever its parent was doing. */
  forked(event: EventHeader, parent: Process, child: Process): void {
    const attribution = this.#place(event, parent);
    const question = this.#ask(event, parent, attribution);
    if (attribution.grade === 'none') return;
    const inherited = this.#births.get(parent);
    this.#births.set(child, {
      attribution,
      question,
      hasProgram: inherited?.hasProgram ?? false,
      server: this.#processes.get(parent.pid) ?? inherited?.server ?? null,
    });
  }

  /**
   * A program was started: its arguments can tell which request it was, and from here on the process is no copy of
   * the server.
   */
  executed(event: EventHeader, process: Process, sinks: readonly ByteString[]): Attribution {
    const birth = this.#births.get(process);
    // A pool worker starts its programs in children: who replaces itself was made for this program.
    if (birth !== undefined) birth.hasProgram = true;
    const refined = this.#content.refine(this.#place(event, process), sinks, event.timeNs);
    const attribution = this.#content.crossCheck(refined, process, sinks, event.timeNs);
    const question = this.#ask(event, process, attribution);
    if (birth !== undefined) birth.attribution = attribution;
    return this.#count(attribution, question);
  }

  /** Any other effect of a process. */
  attribute(event: EventHeader, process: Process, sinks: Sinks): Attribution {
    const attribution = this.#content.refine(this.#place(event, process), sinks, event.timeNs);
    return this.#count(attribution, this.#ask(event, process, attribution));
  }

  /** The process ended: what it was serving ends with it, unless another process holds the connection. */
  exited(process: Process, timeNs: number): readonly RequestState[] {
    const serving = this.#processes.get(process.pid);
    // A late exit of whoever had the pid before ends nothing.
    if (serving === undefined || serving.process.startTicks > process.startTicks) return [];
    this.#processes.delete(process.pid);
    serving.answering?.end();
    for (const tid of serving.threads) this.#threads.delete(tid);
    const ended: RequestState[] = [];
    for (const connection of serving.connections) ended.push(...this.close(connection, timeNs));
    return ended;
  }

  /** Whether the process, or the one that it was born in, serves requests. */
  isServing(process: Process): boolean {
    return this.#processes.has(process.pid) || this.#births.has(process);
  }

  #end(request: RequestState, timeNs: number): void {
    if (request.endedNs !== null) return;
    request.endedNs = timeNs;
    request.isComplete = true;
    request.isDone = true;
    const serving = this.#processes.get(request.process.pid);
    serving?.inFlight.delete(request);
    serving?.answered(request);
    this.#threads.get(request.unit)?.release();
  }

  #noteWriter(served: ServedConnection, event: PayloadEvent, process: Process): void {
    const request = served.unanswered[0];
    if (request === undefined) return;
    this.#replies.push(request);
    const thread = this.#threads.get(event.unit);
    if (thread !== undefined) thread.answered = request;
    if (!request.isAnswered) request.writer = event.unit;
    if (request.isAnswered || request.unit === event.unit) return;
    // Tasks are made to be the ones who answer: threads prove here what they prove elsewhere.
    if (request.process.pid === process.pid && isThread(event.unit))
      this.#servingProcess(process).isMigrating = true;
  }

  /** What only a thread has that comes back from epoll_wait. */
  #noteLoop({ stampOrigin }: EventHeader, thread: ServingThread): void {
    if (stampOrigin === 'waited' || stampOrigin === 'linked') this.#markLoop(thread);
  }

  #markLoop(thread: ServingThread): void {
    if (thread.isLoop) return;
    thread.isLoop = true;
    const serving = this.#processes.get(thread.pid);
    if (serving !== undefined) serving.loopCount++;
  }

  /** Whether what executes is known to be an event loop. */
  #isLoop({ unit, stampOrigin }: EventHeader): boolean {
    return stampOrigin === 'waited' || stampOrigin === 'linked' || this.#threads.get(unit)?.isLoop === true;
  }

  /**
   * Something was done: by whom is noted, for the reply that tells for whom it was.
   * @returns the question that decides about it; null where it is decided, or where nothing will tell
   */
  #ask(event: EventHeader, process: Process, attribution: Attribution): OpenQuestion | null {
    const serving = this.#processes.get(process.pid);
    if (serving !== undefined && serving.process === process) {
      const { answering } = serving;
      if (answering === null || event.stampOrigin === 'work') return null;
      if (!this.#isLoop(event)) return answering.acted(event.unit, event.timeNs, attribution, makerOf(event));
      answering.isLoop(event.unit);
      return null;
    }
    const birth = this.#births.get(process);
    // A copy of the server may be a worker of a pool.
    if (birth === undefined || !birth.hasProgram || birth.question?.isOpen !== true) return null;
    if (attribution.grade === 'matched') birth.question.matched ??= attribution.request as RequestState;
    return attribution.grade === 'ambiguous' ? birth.question : null;
  }

  #close(question: OpenQuestion): void {
    if (question.effectCount === 0) return;
    this.#closedQuestions.push(question);
    if (question.answer === null) return;
    this.counters.ambiguous -= question.effectCount;
    this.counters.linked += question.effectCount;
    this.counters.settled += question.effectCount;
  }

  #servingProcess(process: Process): ServingProcess {
    let serving = this.#processes.get(process.pid);
    if (serving === undefined || serving.process !== process) {
      serving?.answering?.end();
      serving = new ServingProcess(process);
      this.#processes.set(process.pid, serving);
    }
    return serving;
  }

  #servingThread(event: EventHeader, serving: ServingProcess): ServingThread {
    let thread = this.#threads.get(event.unit);
    if (thread === undefined || thread.pid !== event.pid) {
      if (this.#threads.size >= MAX_THREADS) this.#dropOldestThread();
      thread = new ServingThread(event.pid);
      this.#threads.set(event.unit, thread);
      serving.threads.add(event.unit);
    }
    return thread;
  }

  /** Of goroutines, of which each connection has its own, nothing else tells the end. */
  #forgetUnit(unit: number, serving: ServingProcess | undefined): void {
    if ((this.#threads.get(unit)?.open().length ?? 0) > 0) return;
    this.#threads.delete(unit);
    serving?.threads.delete(unit);
  }

  #dropOldestThread(): void {
    for (const [tid, thread] of this.#threads) {
      this.#threads.delete(tid);
      this.#processes.get(thread.pid)?.threads.delete(tid);
      return;
    }
  }

  /** Where the effect belongs by who did it, without looking at its content. */
  #place(event: EventHeader, process: Process): Attribution {
    const serving = this.#processes.get(process.pid);
    const isServer = serving !== undefined && serving.process === process;
    if (isServer) serving.sweep(event.timeNs);
    // Who serves requests itself is judged by them, though it may have been born in another.
    if (isServer && this.#isOwnUnit(event)) return this.#placeUnit(event, serving);
    if (isServer)
      return event.stampOrigin === 'work'
        ? this.#placeWork(event, serving)
        : isStamped(event)
          ? this.#placeByStamp(event, serving)
          : this.#placeInServer(event, serving);
    const birth = this.#births.get(process);
    if (birth === undefined) return NO_REQUEST;
    return placeByBirth(birth);
  }

  /** A goroutine or a task, unless it is an event loop of its own: then it is like a thread that is one. */
  #isOwnUnit({ unit }: EventHeader): boolean {
    return !isThread(unit) && this.#threads.get(unit)?.isLoop !== true;
  }

  /**
   * A goroutine runs the code of the request that it read, and a task that of the request in which it was made, whatever the
   * threads do that they run on. Long-lived ones serve pools: what they do once that request is over is not believed, but of
   * the one that answered it.
   */
  #placeUnit(event: EventHeader, serving: ServingProcess): Attribution {
    const isTask = event.stampOrigin === 'task';
    if (!isTask && event.stampOrigin !== 'read')
      return ambiguous(serving.inFlight, 'a goroutine or task did it that had read no request');
    const served = this.#connections.get(event.stampConnection) ?? this.#closed.get(event.stampConnection);
    const own = openOrLast(served?.requestsOf(event.stampSequence) ?? []);
    const [first] = own;
    if (first === undefined) {
      this.counters.unknownStamps++;
      return { grade: 'ambiguous', reason: UNKNOWN_STAMP, request: null, candidates: [...serving.inFlight] };
    }
    if (served?.isUnread(event.stampSequence) === true)
      return { grade: 'ambiguous', reason: UNKNOWN_STAMP, request: null, candidates: [...own] };
    const candidates = new Set([...own, ...(this.#threads.get(event.unit)?.open() ?? [])]);
    if (candidates.size > 1)
      return ambiguous(candidates, `${candidates.size} requests were in work in the goroutine or task`);
    if (first.isDone && first.writer !== event.unit)
      return ambiguous(candidates, 'the request was over, and another had answered it');
    return {
      grade: isTask ? 'linked' : 'exact',
      reason: isTask
        ? 'a task did it that was made while this request was served'
        : 'the goroutine or task had read this request and no other since',
      request: first,
      candidates: [first],
    };
  }

  /** The thread read a request and has not gone back to wait since. */
  #placeByStamp(event: EventHeader, serving: ServingProcess): Attribution {
    const served = this.#connections.get(event.stampConnection) ?? this.#closed.get(event.stampConnection);
    const own = openOrLast(served?.requestsOf(event.stampSequence) ?? []);
    const [first] = own;
    const thread = this.#threads.get(event.unit);
    if (thread !== undefined) this.#noteLoop(event, thread);
    if (first === undefined) {
      this.counters.unknownStamps++;
      // Told even if there is no candidate: something was served here that we could not read.
      return {
        grade: 'ambiguous',
        reason: UNKNOWN_STAMP,
        request: null,
        candidates: [...(serving.hasMovingWork ? serving.inFlight : (thread?.open() ?? []))],
      };
    }
    // Another request may stand in bytes that were not captured: then the likelier cause is not among the candidates.
    if (served?.isUnread(event.stampSequence) === true)
      return { grade: 'ambiguous', reason: UNKNOWN_STAMP, request: null, candidates: [...own] };
    // Of a thread that was pushed out of the table we do not know what else it does.
    const canJuggle = thread === undefined || thread.isLoop || serving.hasMovingWork;
    // After the reply the thread may have gone on with what another one has read.
    const isAnyPossible = thread === undefined || serving.hasMovingWork || first.isDone;
    const candidates = new Set([...own, ...(isAnyPossible ? serving.inFlight : thread.open())]);
    if (thread !== undefined && thread.answered !== null) candidates.add(thread.answered);
    if (candidates.size === 1) {
      // A runtime that moves work between threads is not known for one yet, nor what it had begun before.
      if (event.timeNs < this.#newcomerUntil(serving))
        return ambiguous(candidates, 'the agent has just come: other requests may be in flight');
      if (canJuggle) {
        if (event.timeNs < this.#doubtUntilNs)
          return ambiguous(candidates, 'other requests may be in flight: bytes were lost');
        // What a loop runs after the reply may be left over from any request before.
        if (first.isDone) return ambiguous(candidates, 'an event loop ran it after the reply');
        if (first.isDoubtful)
          return ambiguous(candidates, 'another may have asked in the name of this request');
      }
      return {
        grade: 'exact',
        reason: !first.isDone
          ? 'the thread was serving this request and no other'
          : 'the thread had served this request last and no other',
        request: first,
        candidates: [first],
      };
    }
    if (thread !== undefined && thread.isLoop && !serving.hasMovingWork && own.length === 1)
      return this.#placeOnLoop(event, serving, first, candidates);
    return ambiguous(candidates, `${candidates.size} requests were in flight on the thread`);
  }

  /**
   * One loop, several requests in flight. It runs one of them after it has read something: a request, or the answer that
   * one waited for. All others that wait for an answer of their own stand still meanwhile; but whoever waits for what
   * we cannot see (a timer, a file, a place in a pool) may go on at any moment.
   */
  #placeOnLoop(
    event: EventHeader,
    serving: ServingProcess,
    running: RequestState,
    candidates: ReadonlySet<RequestState>,
  ): Attribution {
    const all = `${candidates.size} requests were in flight on the event loop`;
    if (running.isDone || event.timeNs < this.#doubtUntilNs || event.timeNs < this.#newcomerUntil(serving))
      return ambiguous(candidates, all);
    this.#clients.sweep(event.timeNs);
    for (const other of candidates)
      if (other !== running && (other.isDone || other.waitingCount === 0)) return ambiguous(candidates, all);
    if (running.isDoubtful) return ambiguous(candidates, all);
    return {
      grade: 'linked',
      reason:
        event.stampOrigin === 'linked'
          ? 'the event loop had read the answer that this request waited for; every other one waits for its own'
          : 'the event loop had read this request; every other one waits for an answer',
      request: running,
      candidates: [running],
    };
  }

  /** A thread of a pool does what was handed over for a request. */
  #placeWork(event: EventHeader, serving: ServingProcess): Attribution {
    const request = this.#stamped(event);
    if (request === null) return ambiguous(serving.inFlight, UNKNOWN_STAMP);
    if (request.isDoubtful)
      return ambiguous(
        new Set([request, ...serving.inFlight]),
        'a pool ran it, and another may have handed it over',
      );
    return {
      grade: 'linked',
      reason: 'a pool ran it, and this request had handed it over',
      request,
      candidates: [request],
    };
  }

  /** Of a server that was there before the agent, requests may be in flight that it has not seen. */
  #newcomerUntil({ process }: ServingProcess): number {
    const wasBefore = process.startTicks * NANOSECONDS_PER_TICK < this.#attachedNs;
    return wasBefore ? this.#attachedNs + DOUBT_AFTER_LOSS_NS : -Infinity;
  }

  /** A thread of a server without a stamp: an event loop between reads, or a helper thread. */
  #placeInServer(event: EventHeader, serving: ServingProcess): Attribution {
    const thread = this.#threads.get(event.unit);
    if (thread !== undefined && thread.pid === event.pid) {
      this.#noteLoop(event, thread);
      if (!serving.hasMovingWork) {
        // What it has not finished may go on: it polls inside a request, after an interim reply or the reply's beginning.
        const reason = thread.isLoop
          ? 'an event loop ran it after it had waited'
          : 'the thread had waited since it read the request';
        return ambiguous(new Set(thread.open()), reason);
      }
    }
    return ambiguous(serving.inFlight, 'another thread of the server did it');
  }

  #count(attribution: Attribution, question: OpenQuestion | null): Attribution {
    this.counters[attribution.grade]++;
    if (question?.isPromising === true) {
      question.effectCount++;
      this.#questions.set(attribution, question);
    }
    return attribution;
  }
}

/** The reply is written by something else than what had read the request, and is no task that was made for it. */
function isHandedOver(request: RequestState, event: EventHeader): boolean {
  if (request.unit === event.unit) return false;
  return isThread(event.unit) || event.stampConnection !== request.connection.id;
}

/** Of several in one message, the one answered last may still be at work while the next one waits. */
function openOrLast(requests: readonly RequestState[]): readonly RequestState[] {
  const waiting = requests.findIndex((request) => !request.isDone);
  return waiting < 0 ? requests.slice(-1) : requests.slice(Math.max(0, waiting - 1));
}

/** The stamp names a request that the thread works on. */
function isStamped({ stampOrigin }: EventHeader): boolean {
  return stampOrigin === 'read' || stampOrigin === 'linked' || stampOrigin === 'work';
}

function connectionOf(event: AcceptEvent): Connection {
  return {
    id: event.connection,
    family: event.family,
    client: { address: addressText(event.family, event.remoteAddress), port: event.remotePort },
    server: { address: addressText(event.family, event.localAddress), port: event.localPort },
  };
}
