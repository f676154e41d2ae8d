import { EVENT_HEADER } from '../abi/abi.gen.ts';
import { EventDecoder, isPayload, type DecodeCounters } from '../abi/decode.ts';
import { readNumber } from '../abi/sections.ts';
import { Attributor } from '../attribution/attribution.ts';
import { LocalHops } from '../attribution/local-hops.ts';
import type { RequestState } from '../attribution/request-state.ts';
import type { CaptureSink } from '../capture/contract.ts';
import type { Detector } from '../detect/contract.ts';
import { BlindSpots } from '../incident/blind-spots.ts';
import { killedDetection, tamperedDetection } from '../incident/tampered.ts';
import { CredentialJumps } from '../incident/credential-jumps.ts';
import { FindingDesk } from '../incident/finding-desk.ts';
import { FindingHold } from '../incident/finding-hold.ts';
import type { ConnectionEnd } from '../model/connection-end.ts';
import type { Effect, QueryEffect } from '../model/effect.ts';
import type { HashQuestion } from '../model/executable.ts';
import type { AcceptEvent, BlindClass, CloseEvent, Fact, KernelEvent, PayloadEvent } from '../model/event.ts';
import type { Detection, Finding } from '../model/finding.ts';
import type { QueryMessage, QueryOutcome } from '../model/query.ts';
import type { Process } from '../model/process.ts';
import type { Request, RequestMessage } from '../model/request.ts';
import type { Protocol } from '../protocols/contract.ts';
import { Datagrams } from '../protocols/datagrams.ts';
import { Streams, type StreamSink } from '../protocols/streams.ts';
import { ProcessTable } from '../world/process-table.ts';
import {
  effectOfAction,
  effectOfConnect,
  effectOfDatagram,
  effectOfExec,
  effectOfExit,
  effectOfOpen,
  sinksOfAction,
  sinksOfConnect,
  sinksOfExec,
  sinksOfOpen,
} from './effects.ts';
import {
  ClientQueries,
  outcomeOfStatus,
  queryOfRequest,
  requestOfQuery,
  sinksOfQuery,
} from './client-queries.ts';
import { HashQuestions } from './hash-questions.ts';
import { HostClock } from './host-clock.ts';
import { PlainExchanges } from './plain-exchanges.ts';
import { ProvisionalEffects } from './provisional-effects.ts';
import { RequestShelf } from './request-shelf.ts';

/** Where the brain's results go. Objects are the brain's own and change on: look at them during the call. */
export interface PipelineOutput {
  event(event: KernelEvent): void;
  /** What happened, whoever caused it, while the brain works on its event. */
  effect?(effect: Effect): void;
  /** A question has its answer. */
  answered?(effect: QueryEffect, timeNs: number): void;
  /** A process that serves accepted a connection. */
  accepted?(event: AcceptEvent, process: Process): void;
  /** A connection of a process that serves, or of what it started, is over. */
  ended?(end: ConnectionEnd): void;
  /** A request was read to its end. */
  requestRead?(request: Request, timeNs: number): void;
  /** The reply to a request is complete, or will never be. */
  replied?(request: Request, timeNs: number): void;
  /** A detector said something of a request, before it is a finding. */
  detected?(detection: Detection): void;
  finding(finding: Finding): void;
  /** A finished request and its effects. */
  request(request: Request): void;
  /** An effect that came after its request was shown. */
  lateEffect(request: Request, effect: Effect): void;
  /** An effect of a serving process that could not be placed; its candidates are in its attribution. */
  orphan(effect: Effect): void;
  loss(loss: Extract<Fact, { kind: 'loss' }>): void;
  /** A detector threw: a bug, which costs its answer and nothing else. */
  failed(error: unknown): void;
  /** Nobody reads this connection's protocol: the source need not capture it. */
  ignoreConnection(connection: number, isPlaintext: boolean): void;
  /** Somebody wants to know the hash of an executable. Absent: nobody could tell. */
  askHash?(question: HashQuestion): void;
  /** Time has come so far, and what is due is done. */
  tick?(nowNs: number): void;
}

export interface PipelineOptions {
  readonly protocols: readonly Protocol[];
  readonly detectors: readonly Detector[];
  readonly wants: { readonly findings: boolean; readonly requests: boolean; readonly events: boolean };
  /** Each program that is started is hashed. Absent: no. */
  readonly hashesPrograms?: boolean;
  readonly output: PipelineOutput;
}

/** Losses after which programs may have been started that were never seen. */
const LOSSES_OF_EXECS = ['security-ring-full', 'scratch-buffer-busy', 'program-runs-left-out'];
/** What of a cgroup's flood hides no program, and no change of who it runs as. */
const HARMLESS_FLOODS: ReadonlySet<BlindClass | undefined> = new Set(['file', 'network']);

/** Losses after which requests may be in flight that were never seen. */
const HIDING_LOSSES = [
  'payload-ring-full',
  'security-ring-full',
  'connection-table-full',
  'scratch-buffer-busy',
  'tls-plaintext-unplaced',
  'library-too-busy',
  'program-runs-left-out',
];

/** Of those, the ones that tell whose bytes were lost. */
const LOSSES_OF_READERS: ReadonlySet<string> = new Set(['payload-ring-full', 'tls-plaintext-unplaced']);

/**
 * The whole brain, in the order in which an event goes through it: decoded, applied to the world, its bytes read by the
 * protocols, attributed, looked at by the detectors. The same for live events and for recordings; no I/O, no clock.
 */
export class Pipeline implements CaptureSink {
  readonly clock = new HostClock();
  readonly world = new ProcessTable();
  readonly attributor = new Attributor();
  readonly desk: FindingDesk;
  readonly decoder = new EventDecoder();
  readonly hashes: HashQuestions;
  /** Events that were kept are read while another one waits to be: a decoder has one payload event for all. */
  readonly #keptDecoder = new EventDecoder();
  /** Architecture of the captured host. */
  architecture = '';
  /** Its name. */
  hostname: string | null = null;
  eventCount = 0;
  readonly losses: Record<string, number> = {};
  /** Security events that were lost, by what they would have told of. */
  readonly lostByKind: Record<string, number> = {};
  readonly #options: PipelineOptions;
  readonly #output: PipelineOutput;
  readonly #streams: Streams;
  readonly #datagrams: Datagrams;
  readonly #queries = new ClientQueries();
  readonly #hops = new LocalHops();
  readonly #blindSpots = new BlindSpots((detection, timeNs) => {
    if (this.#options.wants.findings) this.desk.announce(detection, timeNs);
  });
  readonly #jumps = new CredentialJumps((detection, timeNs) => this.#detected(detection, timeNs));
  readonly #findings: FindingHold;
  readonly #shelf: RequestShelf;
  readonly #provisional = new ProvisionalEffects((effect) => this.#placed(effect));
  /** null where everything is to be shown: then everything is read. */
  readonly #plain: PlainExchanges | null;
  /** The payload event that the protocol readers are working on. */
  #payload: PayloadEvent | null = null;
  #payloadProcess: Process | null = null;
  #readsAll = false;
  #nowNs = 0;

  constructor(options: PipelineOptions) {
    this.#options = options;
    this.#output = options.output;
    this.desk = new FindingDesk(
      (timeNs) => this.clock.wallMs(timeNs),
      (finding) => this.#findings.add(finding, this.hashes.askOf(finding), this.#nowNs),
    );
    this.hashes = new HashQuestions(this.world, (question) => options.output.askHash?.(question));
    this.#findings = new FindingHold(
      (file) => this.hashes.isPending(file),
      (finding) => options.output.finding(finding),
    );
    this.#shelf = new RequestShelf((request) => options.output.request(request));
    const sink: StreamSink = {
      requestStarted: (connection, message, stream) => {
        if (this.#payload === null || this.#payloadProcess === null) return;
        if (this.#queries.isClient(connection)) {
          this.#asked(queryOfRequest(message), stream, message);
          return;
        }
        for (const over of this.attributor.overtaken(connection, message, this.#payload.timeNs))
          this.#requestOver(over);
        const request = this.attributor.requestStarted(this.#payload, message, this.#payloadProcess, stream);
        if (request !== null) this.#hops.received(this.#payload, request, stream);
      },
      unreadInbound: () => {
        if (this.#payload !== null) this.attributor.unreadInbound(this.#payload);
      },
      requestEnded: (connection, stream) => {
        if (!this.#queries.isClient(connection))
          this.#requestComplete(this.attributor.requestEnded(connection, stream));
      },
      responseStarted: (connection, status, stream) => {
        if (this.#queries.isClient(connection)) this.#answered(connection, outcomeOfStatus(status), stream);
        else this.attributor.responseStarted(connection, status, stream);
      },
      responseEnded: (connection, stream) => {
        if (this.#queries.isClient(connection)) return;
        const endedNs = this.#payload?.timeNs ?? this.#nowNs;
        this.#requestOver(this.attributor.responseEnded(connection, endedNs, stream));
      },
      queryStarted: (connection, query, stream) => {
        if (this.#queries.isClient(connection)) this.#asked(query, stream);
        else if (this.#payload !== null && this.#payloadProcess !== null) {
          const message = requestOfQuery(query);
          this.attributor.requestStarted(this.#payload, message, this.#payloadProcess, stream);
          this.attributor.requestEnded(connection, stream);
        }
      },
      queryEnded: (connection, outcome, stream) => {
        if (this.#queries.isClient(connection)) this.#answered(connection, outcome, stream);
        else {
          this.attributor.responseStarted(connection, null, stream);
          this.#requestOver(this.attributor.responseEnded(connection, this.#nowNs, stream));
        }
      },
      described: (connection, description) => this.attributor.described(connection, description),
      unreadable: (connection, isPlaintext) => {
        if (this.#payloadProcess !== null && !this.#queries.isClient(connection))
          this.attributor.unreadable(connection, this.#payloadProcess);
        this.#output.ignoreConnection(connection, isPlaintext);
      },
    };
    this.#streams = new Streams(options.protocols, sink);
    this.#datagrams = new Datagrams(options.protocols, {
      ...sink,
      forgotten: (connection) => this.#clientClosed(connection),
    });
    const { requests, events } = options.wants;
    this.#plain =
      requests || events
        ? null
        : new PlainExchanges(this.#streams, this.attributor, (bytes, view, offset, size) => {
            const event = this.#keptDecoder.decode(bytes, view, offset, size);
            if (event?.kind === 'payload') this.#applyPayload(event);
          });
  }

  /** What could not be decoded, of events that came at once and of those that were kept for a while. */
  get decodeCounters(): DecodeCounters {
    const [first, second] = [this.decoder.counters, this.#keptDecoder.counters];
    return {
      unknownKind: first.unknownKind + second.unknownKind,
      unknownVersion: first.unknownVersion + second.unknownVersion,
      malformed: first.malformed + second.malformed,
    };
  }

  /** Exchanges that were never read, since they had no effect and looked like nothing. */
  get plainCount(): number {
    return this.#plain?.dropped ?? 0;
  }

  /**
   * Plain exchanges are read as well from now on, for somebody who wants to see each request. Not to be taken back: where an
   * exchange begins is no longer known then.
   */
  readAll(): void {
    this.#plain?.wakeAll();
    this.#readsAll = true;
  }

  fact(fact: Fact): void {
    switch (fact.kind) {
      case 'clock':
        this.clock.set(fact.bootNs, fact.wallMs);
        this.world.executables.setClock(fact.bootNs, fact.wallMs);
        this.attributor.attached(fact.bootNs);
        break;
      case 'host': {
        this.architecture = fact.architecture;
        this.hostname = fact.hostname;
        const session = fact.sessionId.slice(0, 8);
        this.attributor.setSession(session);
        this.desk.setSession(session);
        break;
      }
      case 'loss':
        this.#doubt(fact);
        if (LOSSES_OF_EXECS.some((reason) => reason in fact.reasons)) this.#jumps.lost(fact.timeNs);
        for (const [reason, count] of Object.entries(fact.reasons))
          this.losses[reason] = (this.losses[reason] ?? 0) + count;
        this.#output.loss(fact);
        break;
      case 'agent':
        for (const detector of this.#options.detectors) detector.onAgent?.(fact.parentPid);
        break;
      case 'killed':
        if (this.#options.wants.findings) this.desk.announce(killedDetection(fact), fact.timeNs);
        break;
      case 'tampered':
        if (this.#options.wants.findings) this.desk.announce(tamperedDetection(fact), fact.timeNs);
        // Until it was put right, anything may have happened unseen.
        this.attributor.payloadLost(fact.timeNs);
        this.#jumps.lost(fact.timeNs);
        break;
      case 'blind':
        if (fact.reason === 'cgroup-budget' && !HARMLESS_FLOODS.has(fact.what)) this.#jumps.lost(fact.timeNs);
        this.lostByKind[fact.what ?? 'any'] = (this.lostByKind[fact.what ?? 'any'] ?? 0) + fact.events;
        this.#blindSpots.lost(fact, this.world.containerOf(fact.cgroupId));
        break;
      case 'hashing':
      case 'hash':
        this.hashes.fact(fact);
        break;
      case 'process':
      case 'cgroup':
      case 'container':
      case 'user':
      case 'group':
        this.world.applyFact(fact);
        break;
    }
  }

  event(bytes: Uint8Array, view: DataView, offset: number, size: number): void {
    this.eventCount++;
    if (
      this.#plain !== null &&
      !this.#readsAll &&
      isPayload(view, offset, size) &&
      this.#plain.keep(bytes, view, offset, size)
    ) {
      this.#advance(readNumber(view, offset + EVENT_HEADER.time_ns));
      return;
    }
    const event = this.decoder.decode(bytes, view, offset, size);
    if (event === null) return;
    this.#advance(event.timeNs);
    if (this.#options.wants.events) this.#output.event(event);
    this.#wakePlain(event);
    this.#apply(event);
    for (const question of this.attributor.closedQuestions()) this.#provisional.closed(question);
  }

  /** Where it is known whose bytes were lost, nothing else is doubted: somebody always loses some on a busy host. */
  #doubt({ timeNs, reasons, readers }: Extract<Fact, { kind: 'loss' }>): void {
    const hiding = HIDING_LOSSES.filter((reason) => reason in reasons);
    if (hiding.length === 0) return;
    const isKnown = readers !== undefined && hiding.every((reason) => LOSSES_OF_READERS.has(reason));
    const processes = isKnown ? readers.map((pid) => this.world.living(pid)) : [null];
    const known = processes.filter((process) => process !== null);
    this.attributor.payloadLost(timeNs, known.length < processes.length ? null : known);
  }

  #apply(event: KernelEvent): void {
    switch (event.kind) {
      case 'payload':
        this.#applyPayload(event);
        break;
      case 'accept': {
        const process = this.world.processOf(event);
        this.#hops.opened(event);
        if (event.isClient === true) this.#queries.opened(event);
        if (event.isDatagram === true) {
          this.#datagrams.open(event);
          this.attributor.datagramsOpened(event);
          break;
        }
        if (event.isClient === true) this.attributor.clientOpened(event, process);
        else {
          this.attributor.accept(event);
          this.#output.accepted?.(event, process);
        }
        this.#streams.accept(event);
        break;
      }
      case 'close':
        this.#tellEnd(event);
        this.#streams.close(event.connection);
        this.#datagrams.close(event.connection);
        this.#clientClosed(event.connection);
        this.#hops.closed(event.connection);
        for (const request of this.attributor.close(event.connection, event.timeNs))
          this.#requestOver(request);
        break;
      case 'work':
        this.attributor.work(event, this.world.processOf(event));
        break;
      case 'fork':
        this.attributor.forked(event, this.world.processOf(event), this.world.applyFork(event));
        break;
      case 'exec': {
        const before = this.#jumps.before(event, this.world.processOf(event));
        const process = this.world.applyExec(event);
        if (this.#options.hashesPrograms === true) this.hashes.ask(process.file ?? null, process);
        const attribution = this.attributor.executed(event, process, sinksOfExec(event));
        const effect = effectOfExec(event, process, attribution);
        this.#place(effect);
        if (before !== null) {
          this.hashes.ask(process.file ?? null, process);
          this.#jumps.jumped(event, effect, before);
        }
        break;
      }
      case 'exit': {
        const process = this.world.processOf(event);
        if (this.attributor.isServing(process))
          this.#place(effectOfExit(event, process, this.attributor.attribute(event, process, [])));
        this.#plain?.exited(event.pid);
        this.world.applyExit(event);
        for (const request of this.attributor.exited(process, event.timeNs)) this.#requestOver(request);
        break;
      }
      case 'open': {
        const process = this.world.processOf(event);
        this.#place(
          effectOfOpen(event, process, this.attributor.attribute(event, process, sinksOfOpen(event))),
        );
        break;
      }
      case 'action': {
        const process = this.world.processOf(event);
        this.#place(
          effectOfAction(event, process, this.attributor.attribute(event, process, sinksOfAction(event))),
        );
        break;
      }
      case 'datagram': {
        if (event.direction === 'in') break;
        const process = this.world.processOf(event);
        this.#place(
          effectOfDatagram(event, process, this.attributor.attribute(event, process, sinksOfConnect(event))),
        );
        break;
      }
      case 'tcp':
        break;
      case 'connect': {
        const process = this.world.processOf(event);
        this.#place(
          effectOfConnect(event, process, this.attributor.attribute(event, process, sinksOfConnect(event))),
        );
        break;
      }
    }
  }

  tick(nowNs: number): void {
    this.#advance(nowNs);
  }

  /** Nothing follows: everything that is held back is said. */
  end(): void {
    this.#plain?.wakeAll();
    this.#provisional.flush();
    this.#shelf.flush();
    this.#blindSpots.tick(Infinity);
    this.#jumps.tick(Infinity);
    this.desk.tick(Infinity);
    this.#findings.tick(Infinity);
    this.#output.tick?.(Infinity);
  }

  /** Before anything happens in a process, or in what it has started, its plain exchanges are read. */
  #wakePlain(event: KernelEvent): void {
    if (this.#plain === null) return;
    switch (event.kind) {
      case 'payload':
        // A question is an effect, also of what the server has started.
        if (this.#queries.isClient(event.connection))
          this.#plain.wake(this.attributor.serverOf(this.world.processOf(event)));
        return;
      case 'accept':
        // Who makes a connection waits for it.
        if (event.isClient === true) this.#plain.wake(event.pid);
        return;
      case 'close':
        this.#plain.closing(event.connection);
        return;
      case 'tcp':
        return;
      default:
        this.#plain.wake(event.pid);
        this.#plain.wake(this.attributor.serverOf(this.world.processOf(event)));
    }
  }

  #applyPayload(event: PayloadEvent): void {
    const process = this.world.processOf(event);
    this.#payload = event;
    this.#payloadProcess = process;
    if (event.isDatagram === true) {
      this.attributor.clientDatagram(event);
      this.#datagrams.payload(event);
    } else {
      if (this.#queries.isClient(event.connection))
        this.attributor.clientPayload(event, process, this.#queries.isShared(event));
      else this.attributor.payload(event, process);
      this.#streams.payload(event);
      if (!this.#queries.isClient(event.connection)) this.attributor.payloadRead(event, process);
    }
    this.#payload = null;
    this.#payloadProcess = null;
  }

  /**
   * A watched process has asked another service.
   * @param message the question, where it is a request
   */
  #asked(query: QueryMessage, stream: number | undefined, message: RequestMessage | null = null): void {
    const event = this.#payload;
    const process = this.#payloadProcess;
    if (event === null || process === null || !this.#queries.isClient(event.connection)) return;
    const waiter = event.isDatagram === true ? this.attributor.datagramAsked(event, process) : null;
    const attribution = this.attributor.attribute(event, process, sinksOfQuery(query));
    const effect = this.#queries.asked(event, process, query, attribution, stream, waiter);
    if (effect === null) return;
    if (message !== null) this.#hops.sent(event, effect, message, stream);
    this.#place(effect);
  }

  #answered(connection: number, outcome: QueryOutcome, stream: number | undefined): void {
    const effect = this.#queries.answered(connection, outcome, this.#nowNs, stream);
    if (effect === null) return;
    if (effect.waiter !== null) this.attributor.datagramAnswered(connection, effect.waiter);
    this.#output.answered?.(effect, this.#nowNs);
  }

  #tellEnd(event: CloseEvent): void {
    if (this.#output.ended === undefined) return;
    const { connection: id, timeNs, bytesIn, bytesOut } = event;
    const client = this.#queries.clientOf(id);
    const connection = client === null ? this.attributor.servedConnection(id) : client.connection;
    if (connection === null) return;
    const process = this.world.processOf(event);
    const isDatagram = client?.isDatagram ?? false;
    this.#output.ended({
      timeNs,
      process,
      connection,
      isServer: client === null,
      isDatagram,
      bytesIn,
      bytesOut,
    });
  }

  #clientClosed(connection: number): void {
    this.#queries.closed(connection);
    this.attributor.clientClosed(connection);
  }

  #place(effect: Effect): void {
    this.#output.effect?.(effect);
    const { grade } = effect.attribution;
    if (grade === 'none') {
      if (effect.type === 'action') this.#ask((detector) => detector.onHostEffect?.(effect));
      return;
    }
    const question = grade === 'ambiguous' ? this.attributor.questionOf(effect.attribution) : null;
    if (question !== null) this.#provisional.hold(effect, question, this.#nowNs);
    else this.#placed(effect);
  }

  /** Nothing that is still to come changes the effect's attribution, or it was waited for long enough. */
  #placed(effect: Effect): void {
    const { request } = effect.attribution;
    if (request === null) {
      if (this.#options.wants.requests) this.#output.orphan(effect);
    } else {
      (request as RequestState).add(effect);
      if (this.#options.wants.requests && this.#shelf.wasShown(request))
        this.#output.lateEffect(request, effect);
    }
    this.#ask((detector) => detector.onEffect?.(effect));
  }

  #requestComplete(request: Request | null): void {
    if (request === null) return;
    this.#output.requestRead?.(request, this.#nowNs);
    this.#ask((detector) => detector.onRequest?.(request));
  }

  /** Asks each detector. One that throws is a bug, told once the others were asked. */
  #ask(question: (detector: Detector) => readonly Detection[] | undefined): void {
    if (!this.#options.wants.findings) return;
    let failure: { readonly error: unknown } | null = null;
    for (const detector of this.#options.detectors) {
      try {
        for (const detection of question(detector) ?? []) {
          this.#output.detected?.(detection);
          this.#detected(detection, this.#nowNs);
        }
      } catch (error) {
        failure ??= { error };
      }
    }
    if (failure !== null) this.#output.failed(failure.error);
  }

  #detected(detection: Detection, nowNs: number): void {
    if (!this.#options.wants.findings) return;
    // At once, since its processes may end any moment.
    this.hashes.askOf(detection);
    this.desk.detected(detection, nowNs);
  }

  #requestOver(request: Request | null): void {
    if (request !== null) this.#output.replied?.(request, this.#nowNs);
    if (request !== null && this.#options.wants.requests) this.#shelf.put(request);
  }

  /** Time is what the events say; timers run before an event that is younger than they are due. */
  #advance(timeNs: number): void {
    if (timeNs <= this.#nowNs) return;
    this.#nowNs = timeNs;
    this.#provisional.tick(timeNs);
    this.#shelf.tick(timeNs);
    this.#blindSpots.tick(timeNs);
    this.#jumps.tick(timeNs);
    this.desk.tick(timeNs);
    this.#findings.tick(timeNs);
    this.#output.tick?.(timeNs);
  }
}
