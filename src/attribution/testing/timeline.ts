/** An Attributor on a simulated kernel, driven as src/app/pipeline.ts does, with a toy protocol instead of HTTP. */

import { bytesOf, byteString, type ByteString } from '../../base/bytes.ts';
import type { Attribution } from '../../model/effect.ts';
import type { EventHeader, KernelEvent, PayloadEvent } from '../../model/event.ts';
import type { Process } from '../../model/process.ts';
import type { RequestInput, RequestMessage } from '../../model/request.ts';
import { Attributor } from '../attribution.ts';
import type { OpenQuestion } from '../open-question.ts';
import type { RequestState } from '../request-state.ts';
import { SimulatedKernel, type SimulatedThread } from './simulated-kernel.ts';

type Draft<T> = { -readonly [Key in keyof T]: T[Key] };

export function makeProcess(pid: number, startTicks: number, parent: Process | null = null): Draft<Process> {
  return {
    pid,
    startTicks,
    parentPid: parent?.pid ?? 1,
    parent,
    comm: 'server',
    executable: '/usr/bin/server',
    inode: 7,
    argv: ['server'],
    argvTruncated: false,
    workingDirectory: '/srv/app',
    uid: 33,
    gid: 33,
    groups: [],
    userName: null,
    stdio: ['device', 'pipe', 'pipe'],
    cgroupId: 1,
    containerId: null,
    container: null,
    podUid: null,
    serviceUnit: null,
    exitedNs: null,
    exitCode: null,
  };
}

/** A message whose only input has the value. */
export function makeMessage(value: ByteString, location: RequestInput['location'] = 'query'): RequestMessage {
  return {
    protocol: 'toy',
    head: '',
    method: 'GET',
    target: `/?q=${value}`,
    headers: [],
    body: bytesOf(''),
    isTruncated: false,
    anomalies: [],
    inputs: [{ location, name: 'q', value, forms: [value] }],
  };
}

export interface PlacedEffect {
  readonly event: KernelEvent;
  /** What was said at once, or what a reply has told since. */
  attribution: Attribution;
}

/**
 * Toy protocol, a line for each step. To the server: `> VALUE` a whole request, `>> VALUE` the head of one whose body
 * follows, `.` the end of that body. To the client: `<` a reply begins, `/` it ends; other lines say nothing.
 */
export class Timeline {
  readonly attributor = new Attributor();
  readonly kernel = new SimulatedKernel((event) => {
    this.#apply(event);
    this.#settle();
  });
  readonly effects: PlacedEffect[] = [];
  readonly requests: RequestState[] = [];
  readonly ended: RequestState[] = [];
  readonly #processes = new Map<string, Draft<Process>>();
  readonly #clients = new Set<number>();
  readonly #provisional = new Map<OpenQuestion, PlacedEffect[]>();
  readonly #unanswered = new Map<number, string[]>();

  /** How many effects wait for a reply to tell whose they are. */
  get provisionalCount(): number {
    return [...this.#provisional.values()].flat().length;
  }

  /** How the newest effect was placed: "exact alpha", "ambiguous alpha bravo" (by name), "none". */
  get latest(): string {
    const placed = this.effects.at(-1);
    return placed === undefined ? 'no effect' : textOf(placed.attribution);
  }

  get latestReason(): string {
    return this.effects.at(-1)?.attribution.reason ?? '';
  }

  /** What an open of a path that no request names gets. */
  open(thread: SimulatedThread, path = '/srv/x'): string {
    this.kernel.open(thread, path);
    return this.latest;
  }

  exec(thread: SimulatedThread, ...argv: ByteString[]): string {
    this.kernel.exec(thread, argv.length > 0 ? argv : ['id']);
    return this.latest;
  }

  /** A child that is forked and starts a program; the exec's attribution is the latest. */
  spawn(parent: SimulatedThread, ...argv: ByteString[]): SimulatedThread {
    const child = this.kernel.fork(parent);
    this.exec(child, ...argv);
    return child;
  }

  processOf(thread: SimulatedThread): Process {
    return this.#find(thread.process.pid, thread.process.startTicks);
  }

  #find(pid: number, startTicks: number, parent: Process | null = null): Draft<Process> {
    const key = `${pid} ${startTicks}`;
    let process = this.#processes.get(key);
    if (process === undefined) {
      process = makeProcess(pid, startTicks, parent);
      this.#processes.set(key, process);
    }
    return process;
  }

  #processOfEvent(event: EventHeader): Draft<Process> {
    return this.#find(event.pid, event.startTicks);
  }

  #apply(event: KernelEvent): void {
    const { attributor } = this;
    switch (event.kind) {
      case 'accept':
        if (event.isClient === true) {
          this.#clients.add(event.connection);
          attributor.clientOpened(event, this.#processOfEvent(event));
        } else attributor.accept(event);
        break;
      case 'close':
        this.ended.push(...attributor.close(event.connection, event.timeNs));
        break;
      case 'payload':
        this.#applyPayload(event);
        break;
      case 'work':
        attributor.work(event, this.#processOfEvent(event));
        break;
      case 'fork': {
        const parent = this.#processOfEvent(event);
        attributor.forked(event, parent, this.#find(event.childPid, event.childStartTicks, parent));
        break;
      }
      case 'exec':
        this.#note(
          event,
          attributor.executed(event, this.#processOfEvent(event), [event.path, ...event.argv]),
        );
        break;
      case 'open':
        this.#note(event, attributor.attribute(event, this.#processOfEvent(event), [event.path]));
        break;
      case 'action':
      case 'connect':
      case 'datagram':
        this.#note(event, attributor.attribute(event, this.#processOfEvent(event), []));
        break;
      case 'tcp':
        break;
      case 'exit': {
        const process = this.#processOfEvent(event);
        if (attributor.isServing(process)) this.#note(event, attributor.attribute(event, process, []));
        process.exitedNs = event.timeNs;
        this.ended.push(...attributor.exited(process, event.timeNs));
        break;
      }
    }
  }

  #applyPayload(event: PayloadEvent): void {
    const { attributor } = this;
    const process = this.#processOfEvent(event);
    if (this.#clients.has(event.connection)) {
      // A '?' is a question, a '!' the whole answer to one.
      const stamp = `${event.stampConnection}.${event.stampSequence}`;
      const unanswered = this.#unanswered.get(event.connection) ?? [];
      this.#unanswered.set(event.connection, unanswered);
      const isShared = unanswered.some((owner) => owner !== stamp);
      attributor.clientPayload(event, process, event.direction === 'out' && isShared);
      const text = byteString(event.bytes);
      if (event.direction === 'in') unanswered.splice(0, text.split('!').length - 1);
      else {
        unanswered.push(stamp);
        this.#note(event, attributor.attribute(event, process, []));
      }
      return;
    }
    attributor.payload(event, process);
    this.#read(event, process);
    attributor.payloadRead(event, process);
  }

  #read(event: PayloadEvent, process: Process): void {
    const { attributor } = this;
    for (const line of byteString(event.bytes).split('\n')) {
      const [step = '', value = ''] = line.split(' ');
      if (step === '>' || step === '>>') {
        const request = attributor.requestStarted(event, makeMessage(value), process);
        if (request !== null) this.requests.push(request);
      }
      if (step === '>' || step === '.') attributor.requestEnded(event.connection);
      if (step === '<') attributor.responseStarted(event.connection, 200);
      if (step === '/') {
        const request = attributor.responseEnded(event.connection, event.timeNs);
        if (request !== null) this.ended.push(request);
      }
    }
  }

  #note(event: KernelEvent, attribution: Attribution): void {
    const placed = { event, attribution };
    this.effects.push(placed);
    const question = this.attributor.questionOf(attribution);
    if (question === null) return;
    const others = this.#provisional.get(question);
    if (others === undefined) this.#provisional.set(question, [placed]);
    else others.push(placed);
  }

  #settle(): void {
    for (const question of this.attributor.closedQuestions()) {
      for (const placed of this.#provisional.get(question) ?? [])
        placed.attribution = question.answer ?? placed.attribution;
      this.#provisional.delete(question);
    }
  }
}

export function textOf({ grade, request, candidates }: Attribution): string {
  const values = request === null ? candidates.map(valueOf).toSorted() : [valueOf(request)];
  return [grade, ...values].join(' ');
}

export function valueOf(request: { readonly message: RequestMessage }): string {
  return request.message.inputs[0]?.value ?? '';
}
