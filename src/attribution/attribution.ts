import { addressText } from '../base/addresses.ts';
import type { ByteString } from '../base/bytes.ts';
import { dropOldest } from '../base/oldest.ts';
import type { Attribution } from '../model/effect.ts';
import type { AcceptEvent, EventHeader, PayloadEvent, WorkEvent } from '../model/event.ts';
import type { Process } from '../model/process.ts';
import type { ConnectionDescription } from '../model/query.ts';
import type { Connection, Request, RequestMessage } from '../model/request.ts';
import { Answering, type AnsweringCounters } from './answering.ts';
import type { Sinks } from './content.ts';
import { ContentEvidence, type ContentCounters } from './content-evidence.ts';
import { makerOf } from './maker.ts';
import type { OpenQuestion } from './open-question.ts';
import { RequestState } from './request-state.ts';
import { isStampedUnit, Placing, type PlacingCounters } from './placing.ts';
import { ServingTables } from './serving-tables.ts';
import { isThread } from './unit.ts';
import { ServedConnection, ServingProcess, ServingThread } from './serving.ts';

/** Unix connections have no close event: beyond this many, the oldest make room. */
const MAX_CONNECTIONS = 65_536;
const MAX_THREADS = 65_536;
/** Connections that are gone while a thread may still carry their stamp. */
const MAX_CLOSED = 512;
/** Requests of one connection that wait for a reply. HTTP/2 has a hundred streams as a rule. */
const MAX_UNANSWERED = 1024;
/** Connections of one process whose protocol nobody reads: more tell nothing more. */
const MAX_UNREADABLE = 64;
/** Work of one process on its way. */
const MAX_WORK = 16_384;

/** Requests of a process after which its threads are known for what they are. */
const SETTLED_REQUESTS = 64;

export interface AttributionCounters extends AnsweringCounters, ContentCounters, PlacingCounters {
  requests: number;
  exact: number;
  linked: number;
  matched: number;
  ambiguous: number;
  none: number;
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
  readonly #tables = new ServingTables();
  readonly #placing = new Placing(this.#tables, this.counters);
  readonly #content = new ContentEvidence(this.#tables.processes, this.counters);
  /** What is provisional, by the attribution that was given for the time being. */
  readonly #questions = new WeakMap<Attribution, OpenQuestion>();
  #closedQuestions: OpenQuestion[] = [];
  /** Requests whose replies stand in the payload event that is being read. */
  readonly #replies: RequestState[] = [];
  #session = 'request';

  /** Threads, goroutines and tasks that are known to read requests. */
  get unitCount(): number {
    return this.#tables.threads.size;
  }

  /** Prefix of request ids, so that they are unique over restarts. */
  setSession(session: string): void {
    this.#session = session;
  }

  /**
   * The sensors were attached at this time: of servers that ran before, requests may be in flight that were not seen.
   */
  attached(nowNs: number): void {
    this.#tables.attachedNs = nowNs;
  }

  /**
   * Who waits for what is not known any more: an answer may have been among what was lost.
   * @param readers the processes whose bytes they were; null: anybody's
   */
  payloadLost(nowNs: number, readers: readonly Process[] | null = null): void {
    const { clients, processes } = this.#tables;
    const affected = readers === null ? null : new Set(readers);
    for (const reader of affected ?? [null]) this.#tables.doubtFrom(nowNs, reader);
    clients.forgetWaiting(affected);
    for (const { process, work, answering } of processes.values()) {
      if (affected?.has(process) === false) continue;
      answering?.lost(nowNs);
      for (const request of work.values()) request.waitingCount = 0;
      work.clear();
    }
  }

  accept(event: AcceptEvent): void {
    if (this.#tables.connections.size >= MAX_CONNECTIONS)
      for (const oldest of this.#tables.connections.keys()) {
        this.close(oldest, event.timeNs);
        break;
      }
    this.#tables.connections.set(event.connection, new ServedConnection(connectionOf(event)));
  }

  /** A connection that a process accepted, open or lately closed; null: it is none that is known. */
  servedConnection(connection: number): Connection | null {
    // Those of a process that ends are over before the kernel closes them.
    const { connections, closed } = this.#tables;
    return (connections.get(connection) ?? closed.get(connection))?.connection ?? null;
  }

  /**
   * Ends what is in flight on the connection. A client that goes away at once does not stop the server from working, so
   * its requests stay possible causes for a while.
   */
  close(connection: number, timeNs: number): readonly RequestState[] {
    const served = this.#tables.connections.get(connection);
    if (served === undefined) return [];
    this.#tables.connections.delete(connection);
    this.#tables.closed.set(connection, served);
    if (this.#tables.closed.size > MAX_CLOSED) dropOldest(this.#tables.closed);
    const serving = this.#tables.processes.get(served.pid);
    serving?.connections.delete(connection);
    // What is still at work for it may go over to another request unseen.
    if (serving?.unreadable.delete(connection) === true) serving.answering?.lost(null);
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
    this.#replies.length = 0;
    const thread = this.#tables.threads.get(event.unit);
    if (thread !== undefined) this.#tables.noteLoop(event, thread);
    const served = this.#tables.connections.get(event.connection);
    if (served === undefined) {
      // Its beginning was lost: as long as it is in use, its reader has requests that are not known.
      if (event.direction === 'in') this.#tables.doubtFrom(event.timeNs, process);
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
    const serving = this.#tables.processes.get(process.pid);
    if (serving === undefined || serving.process !== process) return;
    noteUnits(event, serving);
    const [request] = this.#replies;
    const isLoop = this.#tables.isLoop(event);
    if (request === undefined || this.#replies.length > 1 || isLoop || request.stream !== undefined) {
      for (const one of this.#replies) one.endsUnseen = true;
      if (isLoop) serving.answering?.isLoop(event.unit);
      serving.answering?.interrupted(event.unit, event.timeNs);
      // It answers for somebody who has worked on the request and goes on with another.
      if (isLoop && request !== undefined && event.stampConnection !== request.connection.id)
        serving.answering?.handedBack(event.timeNs);
      return;
    }
    // An interim reply: its writer need not be who does the work.
    if (!request.isAnswered) return;
    if (serving.answering === null && !isHandedOver(request, event)) return;
    const answering = this.#answeringOf(serving, event.timeNs);
    if (serving.unreadable.size > 0) answering?.interrupted(event.unit, event.timeNs);
    else answering?.replied(event.unit, request, event.timeNs, event.hasMadeRunning);
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

  /** The client of a connection has said of itself what there is to say before a request. */
  described(connection: number, description: ConnectionDescription): void {
    const served = this.#tables.connections.get(connection);
    if (served !== undefined) served.connection.tls = description;
  }

  /** Nobody reads the protocol of this connection, so who answers on it is not seen. */
  unreadable(connection: number, process: Process): void {
    const served = this.#tables.connections.get(connection);
    const unreadable = this.#tables.processes.get(process.pid)?.unreadable;
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
    const thread = this.#tables.threads.get(event.unit);
    if (thread !== undefined) this.#tables.noteLoop(event, thread);
    if (event.direction === 'in') {
      if (thread !== undefined) {
        thread.answered = null;
        thread.resumedBy = connection;
      }
      this.#tables.clients.answered(connection);
      return;
    }
    const asking = this.#handsOver(event, process);
    if (asking !== null) {
      const serving = this.#tables.processes.get(process.pid);
      const isAlone = serving === undefined || serving.inFlight.size < 2;
      // Whoever queues for a place in a pool gets the connection that was just given back.
      const isHandedOn =
        thread?.resumedBy === connection && !isAlone && !this.#tables.clients.hasIdleBeside(connection);
      if (isShared || isHandedOn) asking.isDoubtful = true;
      this.#tables.clients.wait(connection, asking);
    }
    this.#tables.clients.asked(connection, thread?.resumedBy === connection);
  }

  /** A UDP socket, on which each question is waited for by itself. */
  datagramsOpened(event: AcceptEvent): void {
    this.#tables.clients.opened(event.connection, `datagrams ${event.connection}`);
  }

  /** A question or an answer that is one datagram, before its reader gets it. */
  clientDatagram(event: PayloadEvent): void {
    const thread = this.#tables.threads.get(event.tid);
    if (thread === undefined) return;
    this.#tables.noteLoop(event, thread);
    if (event.direction === 'out') return;
    thread.answered = null;
    thread.resumedBy = 0;
  }

  /** The datagram asks something. @returns which request waits for the answer by itself: see datagramAnswered() */
  datagramAsked(event: PayloadEvent, process: Process): Request | null {
    const asking = this.#handsOver(event, process);
    // Any other thread waits in the call.
    if (asking === null || this.#tables.threads.get(event.tid)?.isLoop !== true) return null;
    this.#tables.clients.waitForDatagram(event.connection, asking, event.timeNs);
    return asking;
  }

  datagramAnswered(connection: number, waiter: Request): void {
    this.#tables.clients.datagramAnswered(connection, waiter as RequestState);
  }

  /** A connection to another service is begun: whoever does that waits until it is there, or for its end. */
  clientOpened(event: AcceptEvent, process: Process): void {
    const pool = `${process.pid} ${event.remotePort} ${event.remoteAddress}`;
    this.#tables.clients.opened(event.connection, pool);
    const asking = this.#handsOver(event, process);
    if (asking !== null) this.#tables.clients.wait(event.connection, asking);
  }

  clientClosed(connection: number): void {
    this.#tables.clients.closed(connection);
  }

  /** Work is handed to a pool, or a program is started whose end is awaited; or it has come back. */
  work(event: WorkEvent, process: Process): void {
    const serving = this.#tables.processes.get(process.pid);
    if (serving === undefined || serving.process !== process) return;
    const before = serving.work.get(event.object);
    if (before !== undefined) {
      serving.work.delete(event.object);
      before.waitingCount--;
    }
    const thread = this.#tables.threads.get(event.unit);
    if (thread !== undefined) this.#tables.noteLoop(event, thread);
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
    const { request } = this.#placing.place(event, process);
    if (request !== null) return request as RequestState;
    const stamped = this.#placing.stamped(event);
    if (stamped !== null) stamped.isDoubtful = true;
    return stamped;
  }

  /**
   * What is over when another request begins on the connection: messages that get no reply (WebSocket), and what was
   * begun so often without a reply that none is to be expected.
   */
  overtaken(connection: number, message: RequestMessage, timeNs: number): readonly RequestState[] {
    const served = this.#tables.connections.get(connection);
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
    const served = this.#tables.connections.get(event.connection);
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
    if (served.pid !== process.pid)
      this.#tables.processes.get(served.pid)?.connections.delete(event.connection);
    served.pid = process.pid;
    served.unit = event.unit;
    const serving = this.#servingProcess(process);
    noteUnits(event, serving);
    serving.requestCount++;
    serving.inFlight.add(request);
    serving.connections.add(event.connection);
    const thread = this.#servingThread(event, serving);
    thread.read(request);
    this.#tables.noteLoop(event, thread);
    return request;
  }

  /**
   * Whether exchanges that this thread has by itself may be left out, as long as nothing else happens in its process:
   * they would teach nothing new about it. Only of event loops: other threads carry the stamp of their last request
   * for as long as they wait.
   * @returns whether the loop is known to juggle; null where each exchange has to be told
   */
  settledLoop(pid: number, tid: number): { readonly hasJuggled: boolean } | null {
    const serving = this.#tables.processes.get(pid);
    const thread = this.#tables.threads.get(tid);
    if (serving === undefined || thread === undefined || thread.pid !== pid || !thread.isLoop) return null;
    return serving.isMigrating || serving.requestCount < SETTLED_REQUESTS ? null : thread;
  }

  /** So many exchanges were left out for good. */
  passedOver(count: number): void {
    this.counters.requests += count;
  }

  /** The process whose requests in flight decide about this one: itself, or the server that it was born in. */
  serverOf(process: Process): number {
    const birth = this.#tables.births.get(process);
    return birth?.server?.process.pid ?? process.pid;
  }

  /** Bytes of the connection were passed over in which requests may stand. */
  unreadInbound(event: PayloadEvent): void {
    this.#tables.connections.get(event.connection)?.markUnread(event.sequence);
  }

  requestEnded(connection: number, stream?: number): RequestState | null {
    const served = this.#tables.connections.get(connection);
    const request = (stream === undefined ? served?.newest : served?.waitingFor(stream)) ?? null;
    if (request !== null) request.isComplete = true;
    return request;
  }

  /** @param status null where the protocol has none */
  responseStarted(connection: number, status: number | null, stream?: number): RequestState | null {
    const request = this.#tables.connections.get(connection)?.waitingFor(stream) ?? null;
    if (request === null) return null;
    request.status = status;
    request.isAnswered = true;
    if (!this.#replies.includes(request)) this.#replies.push(request);
    return request;
  }

  responseEnded(connection: number, timeNs: number, stream?: number): RequestState | null {
    const served = this.#tables.connections.get(connection);
    const request = served?.waitingFor(stream) ?? null;
    if (request !== null) served?.answered(request);
    if (request !== null) this.#end(request, timeNs);
    return request;
  }

  /** The child belongs to whatever its parent was doing. */
  forked(event: EventHeader, parent: Process, child: Process): void {
    const attribution = this.#placing.place(event, parent);
    const question = this.#ask(event, parent, attribution);
    if (attribution.grade === 'none') return;
    const inherited = this.#tables.births.get(parent);
    this.#tables.births.set(child, {
      attribution,
      question,
      hasProgram: inherited?.hasProgram ?? false,
      server: this.#tables.processes.get(parent.pid) ?? inherited?.server ?? null,
    });
  }

  /**
   * A program was started: its arguments can tell which request it was, and from here on the process is no copy of
   * the server.
   */
  executed(event: EventHeader, process: Process, sinks: readonly ByteString[]): Attribution {
    const birth = this.#tables.births.get(process);
    // A pool worker starts its programs in children: who replaces itself was made for this program.
    if (birth !== undefined) birth.hasProgram = true;
    const refined = this.#content.refine(this.#placing.place(event, process), sinks, event.timeNs);
    const attribution = this.#content.crossCheck(refined, process, sinks, event.timeNs);
    const question = this.#ask(event, process, attribution);
    if (birth !== undefined) birth.attribution = attribution;
    return this.#count(attribution, question);
  }

  /** Any other effect of a process. */
  attribute(event: EventHeader, process: Process, sinks: Sinks): Attribution {
    const attribution = this.#content.refine(this.#placing.place(event, process), sinks, event.timeNs);
    return this.#count(attribution, this.#ask(event, process, attribution));
  }

  /** The process ended: what it was serving ends with it, unless another process holds the connection. */
  exited(process: Process, timeNs: number): readonly RequestState[] {
    const serving = this.#tables.processes.get(process.pid);
    // A late exit of whoever had the pid before ends nothing.
    if (serving === undefined || serving.process.startTicks > process.startTicks) return [];
    this.#tables.processes.delete(process.pid);
    serving.answering?.end();
    for (const tid of serving.threads) this.#tables.threads.delete(tid);
    const ended: RequestState[] = [];
    for (const connection of serving.connections) ended.push(...this.close(connection, timeNs));
    return ended;
  }

  /** Whether the process, or the one that it was born in, serves requests. */
  isServing(process: Process): boolean {
    return this.#tables.processes.has(process.pid) || this.#tables.births.has(process);
  }

  #end(request: RequestState, timeNs: number): void {
    if (request.endedNs !== null) return;
    request.endedNs = timeNs;
    request.isComplete = true;
    request.isDone = true;
    const serving = this.#tables.processes.get(request.process.pid);
    serving?.inFlight.delete(request);
    serving?.answered(request);
    this.#tables.threads.get(request.unit)?.release();
  }

  #noteWriter(served: ServedConnection, event: PayloadEvent, process: Process): void {
    const request = served.unanswered[0];
    if (request === undefined) return;
    this.#replies.push(request);
    const thread = this.#tables.threads.get(event.unit);
    if (thread !== undefined) {
      thread.answered = request;
      thread.answeredConnection = event.stampConnection;
      thread.answeredSequence = event.stampSequence;
    }
    if (!request.isAnswered) request.writer = event.unit;
    // A message of a WebSocket is no question: whoever has news writes to all of them.
    const isForeign = isStampedUnit(event) && event.stampConnection !== event.connection;
    const serving = this.#tables.processes.get(process.pid);
    if (isForeign && !request.isAnswered && request.message.protocol !== 'websocket' && serving !== undefined)
      serving.areUnitsMixed = true;
    if (request.isAnswered || request.unit === event.unit) return;
    // Tasks are made to be the ones who answer: threads prove here what they prove elsewhere.
    if (request.process.pid === process.pid && isThread(event.unit))
      this.#servingProcess(process).isMigrating = true;
  }

  /**
   * Something was done: by whom is noted, for the reply that tells for whom it was.
   * @returns the question that decides about it; null where it is decided, or where nothing will tell
   */
  #ask(event: EventHeader, process: Process, attribution: Attribution): OpenQuestion | null {
    const serving = this.#tables.processes.get(process.pid);
    if (serving !== undefined && serving.process === process) {
      noteUnits(event, serving);
      const maker = makerOf(event);
      // Who reads requests has others that work on them: their maker's reply tells for whom.
      const answering = maker === null ? serving.answering : this.#answeringOf(serving, event.timeNs);
      if (answering === null || event.stampOrigin === 'work') return null;
      if (!this.#tables.isLoop(event)) return answering.acted(event.unit, event.timeNs, attribution, maker);
      answering.isLoop(event.unit);
      return null;
    }
    const birth = this.#tables.births.get(process);
    // A copy of the server may be a worker of a pool.
    if (birth === undefined || !birth.hasProgram || birth.question?.isOpen !== true) return null;
    if (attribution.grade === 'matched') birth.question.matched ??= attribution.request as RequestState;
    return attribution.grade === 'ambiguous' ? birth.question : null;
  }

  /** Of a server that was there before the agent, what it does for requests that were not seen would contradict. */
  #answeringOf(serving: ServingProcess, nowNs: number): Answering | null {
    if (serving.answering === null && nowNs < this.#tables.newcomerUntilNs(serving.process)) return null;
    return (serving.answering ??= new Answering(this.counters, (question) => this.#close(question)));
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
    let serving = this.#tables.processes.get(process.pid);
    if (serving === undefined || serving.process !== process) {
      serving?.answering?.end();
      serving = new ServingProcess(process);
      this.#tables.processes.set(process.pid, serving);
    }
    return serving;
  }

  #servingThread(event: EventHeader, serving: ServingProcess): ServingThread {
    let thread = this.#tables.threads.get(event.unit);
    if (thread === undefined || thread.pid !== event.pid) {
      if (this.#tables.threads.size >= MAX_THREADS) this.#dropOldestThread();
      thread = new ServingThread(event.pid);
      this.#tables.threads.set(event.unit, thread);
      serving.threads.add(event.unit);
    }
    return thread;
  }

  /** Of goroutines, of which each connection has its own, nothing else tells the end. */
  #forgetUnit(unit: number, serving: ServingProcess | undefined): void {
    if ((this.#tables.threads.get(unit)?.open().length ?? 0) > 0) return;
    this.#tables.threads.delete(unit);
    serving?.threads.delete(unit);
  }

  #dropOldestThread(): void {
    for (const [tid, thread] of this.#tables.threads) {
      this.#tables.threads.delete(tid);
      this.#tables.processes.get(thread.pid)?.threads.delete(tid);
      return;
    }
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

/**
 * From the first goroutine or task on it is known that its threads had been none of those who work: what they seemed to do, and
 * what is in flight on them, tells nothing.
 */
function noteUnits({ unit, timeNs }: EventHeader, serving: ServingProcess): void {
  if (serving.hasUnits || isThread(unit)) return;
  serving.hasUnits = true;
  for (const request of serving.inFlight) request.endsUnseen = true;
  serving.answering?.beginAnew(timeNs);
}

/** The reply is written by something else than what had read the request, and is no task that was made for it. */
function isHandedOver(request: RequestState, event: EventHeader): boolean {
  if (request.unit === event.unit) return false;
  return isThread(event.unit) || event.stampConnection !== request.connection.id;
}

function connectionOf(event: AcceptEvent): Connection {
  return {
    id: event.connection,
    family: event.family,
    client: { address: addressText(event.family, event.remoteAddress), port: event.remotePort },
    server: { address: addressText(event.family, event.localAddress), port: event.localPort },
  };
}
