import type { ByteString } from '../base/bytes.ts';
import type { Clock } from '../base/clock.ts';
import { socketAddressOf } from '../base/socket-address.ts';
import type { ConnectionEnd } from '../model/connection-end.ts';
import type {
  ActionEffect,
  Attribution,
  ConnectEffect,
  Effect,
  ExecEffect,
  ExitEffect,
  OpenEffect,
  QueryEffect,
} from '../model/effect.ts';
import type { Detection, Verdict } from '../model/finding.ts';
import { originOf } from '../model/hop.ts';
import type { Process } from '../model/process.ts';
import type { QueryMessage, QueryOutcome } from '../model/query.ts';
import type { Connection, Request } from '../model/request.ts';
import { openFlagNames } from '../output/linux-names.ts';
import { RULE_CALLS, type RuleCall } from '../rules/calls.ts';
import { eventTypeOf } from '../rules/event-types.ts';
import { UNTOLD_NUMBER, type RuleDescriptor, type RuleEvent } from '../rules/event.ts';
import type { Pipeline } from './pipeline.ts';
import { argumentNumber, argumentText, pathIn } from './rule-action.ts';
import { FilledDescriptor } from './rule-descriptor.ts';
import { stillProcess } from './still-process.ts';

/** Where events come from, as far as their rules may ask for it. */
export interface RuleEventSource {
  readonly clock: Clock;
  readonly hostname: string | null;
  /** As Node or the kernel names it: flags have other numbers on other processors. */
  readonly architecture: string;
}

/** Of a pipeline, which may come to be later. */
export function ruleEventSource(
  pipeline: () => Pick<Pipeline, 'architecture' | 'clock' | 'hostname'>,
): RuleEventSource {
  return {
    get clock() {
      return pipeline().clock;
    },
    get hostname() {
      return pipeline().hostname;
    },
    get architecture() {
      return pipeline().architecture;
    },
  };
}

/**
 * Turns what the brain sees into events for rules. There is one event, which is filled anew each time: it is valid until
 * the next call, and nothing is allocated for it. Texts that few rules ask for are made when one does.
 */
export class RuleEvents {
  readonly #event: FilledEvent;
  readonly #verdicts = new Verdicts();

  constructor(source: RuleEventSource) {
    this.#event = new FilledEvent(source, this.#verdicts);
  }

  /** What a detector has said is known of all that follows. */
  detected(detection: Detection): void {
    this.#verdicts.add(detection);
  }

  /** The event that was filled last, as one that stays as it is, of a process that stays as it is. */
  keep(): RuleEvent {
    return this.#event.copy();
  }

  /** null where it is no event of rules: a question to a service that is neither a data service nor DNS. */
  ofEffect(effect: Effect): RuleEvent | null {
    const event = this.#event;
    event.begin(effect.timeNs, effect.tid, effect.process, effect.attribution.request, effect.attribution);
    switch (effect.type) {
      case 'exec':
        return event.fillExec(effect);
      case 'exit':
        return event.fillExit(effect);
      case 'open':
        return event.fillOpen(effect);
      case 'connect':
        return event.fillConnect(effect);
      case 'query':
        return event.fillQuery(effect, false);
      case 'action':
        return event.fillAction(effect);
    }
  }

  /** The answer to a question; null where that is no event of rules. */
  ofAnswer(effect: QueryEffect, timeNs: number): RuleEvent | null {
    const event = this.#event;
    event.begin(timeNs, effect.tid, effect.process, effect.attribution.request, effect.attribution);
    return event.fillQuery(effect, true);
  }

  /** A connection that a process accepted, as a descriptor, where that is known. */
  ofAccept(
    connection: Connection,
    process: Process,
    tid: number,
    timeNs: number,
    descriptor?: number,
  ): RuleEvent {
    const event = this.#event;
    event.begin(timeNs, tid, process, null, null);
    return event.fillAccept(connection, descriptor);
  }

  /** The end of a connection. */
  ofEnd(end: ConnectionEnd): RuleEvent {
    const event = this.#event;
    event.begin(end.timeNs, end.process.pid, end.process, null, null);
    return event.fillEnd(end);
  }

  /** The request itself, when it is known, and when its reply is. */
  ofRequest(request: Request, type: 'http_request' | 'http_response', timeNs: number): RuleEvent {
    const event = this.#event;
    event.begin(timeNs, request.tid, request.process, request, null);
    return event.fillRequest(request, type === 'http_request' ? TYPES.http_request : TYPES.http_response);
  }
}

const TYPES = {
  execve: typeNamed('execve'),
  procexit: typeNamed('procexit'),
  openat: typeNamed('openat'),
  connect: typeNamed('connect'),
  accept4: typeNamed('accept4'),
  http_request: typeNamed('http_request'),
  http_response: typeNamed('http_response'),
  db_query: typeNamed('db_query'),
  db_response: typeNamed('db_response'),
  dns_query: typeNamed('dns_query'),
  dns_response: typeNamed('dns_response'),
  connection_end: typeNamed('connection_end'),
};

/** With the index of its type, by name of the call. */
const ACTION_CALLS = new Map(
  [...RULE_CALLS].map(([syscall, call]) => [syscall, { call, type: typeNamed(call.type) }]),
);

function typeNamed(name: string): number {
  const type = eventTypeOf(name);
  if (type === null) throw new Error(`there is no event type ${name}`);
  return type;
}

const DATA_SERVICES = new Set(['postgresql', 'mysql', 'redis', 'mongodb', 'ldap']);
/** asm-generic/errno.h */
const EINPROGRESS = 115;
/** O_DIRECTORY: asm-generic/fcntl.h, and arch/arm64/include/uapi/asm/fcntl.h. */
const O_DIRECTORY = 0o200000;
const O_DIRECTORY_ARM64 = 0o40000;

const EXEC_ARGUMENTS = [
  'res',
  'exe',
  'args',
  'tid',
  'pid',
  'ptid',
  'cwd',
  'comm',
  'uid',
  'filename',
  'trusted_exepath',
];
const EXIT_ARGUMENTS = ['status'];
const OPEN_ARGUMENTS = ['name', 'flags'];
const CONNECTION_ARGUMENTS = ['res', 'tuple'];
const NO_ARGUMENTS: readonly string[] = [];

const RANK: Readonly<Record<Verdict, number>> = { PROBED: 0, SUSPICIOUS: 1, EXPLOITED: 2, BLOCKED: 3 };

/** What detectors have said of requests: of a proxy and of what is behind it, the same. */
class Verdicts {
  readonly #worst = new WeakMap<Request, Verdict>();

  add({ request, verdict }: Detection): void {
    if (request === null) return;
    const known = this.of(request);
    if (known === null || RANK[verdict] > RANK[known]) this.#worst.set(originOf(request), verdict);
  }

  of(request: Request): Verdict | null {
    return this.#worst.get(originOf(request)) ?? null;
  }
}

class FilledEvent implements RuleEvent {
  type = 0;
  number = 0;
  timeNs = 0;
  previousNs: number | null = null;
  readonly cpu = null;
  tid = 0;
  process: Process | null = null;
  result: number | null = null;
  openFlags: number | null = null;
  descriptor: RuleDescriptor | null = null;
  path: ByteString | null = null;
  pathRaw: ByteString | null = null;
  sourcePath: ByteString | null = null;
  readonly sourcePathRaw = null;
  targetPath: ByteString | null = null;
  readonly targetPathRaw = null;
  argumentNames = NO_ARGUMENTS;
  request: Request | null = null;
  attribution: Attribution | null = null;
  query: QueryMessage | null = null;
  outcome: QueryOutcome | null = null;
  readonly #source: RuleEventSource;
  readonly #verdicts: Verdicts;
  readonly #descriptor = new FilledDescriptor();
  #exec: ExecEffect | null = null;
  #exitCode = 0;
  #action: ActionEffect | null = null;
  #call: RuleCall | null = null;

  constructor(source: RuleEventSource, verdicts: Verdicts) {
    this.#source = source;
    this.#verdicts = verdicts;
  }

  copy(): RuleEvent {
    const copy = Object.assign(new FilledEvent(this.#source, this.#verdicts), this);
    copy.process = this.process === null ? null : stillProcess(this.process);
    copy.descriptor = this.descriptor === null ? null : this.#descriptor.copy();
    copy.#exec = this.#exec;
    copy.#exitCode = this.#exitCode;
    copy.#action = this.#action;
    copy.#call = this.#call;
    return copy;
  }

  get verdict(): Verdict | null {
    return this.request === null ? null : this.#verdicts.of(this.request);
  }

  get wallMs(): number {
    return this.#source.clock.wallMs(this.timeNs);
  }

  get hostname(): string | null {
    return this.#source.hostname;
  }

  begin(
    timeNs: number,
    tid: number,
    process: Process,
    request: Request | null,
    attribution: Attribution | null,
  ): void {
    this.previousNs = this.number === 0 ? null : this.timeNs;
    this.number++;
    this.timeNs = timeNs;
    this.tid = tid;
    this.process = process;
    this.request = request;
    this.attribution = attribution;
    this.result = null;
    this.openFlags = null;
    this.descriptor = null;
    this.path = null;
    this.pathRaw = null;
    this.sourcePath = null;
    this.targetPath = null;
    this.#action = null;
    this.#call = null;
    this.argumentNames = NO_ARGUMENTS;
    this.query = null;
    this.outcome = null;
  }

  fillExec(effect: ExecEffect): RuleEvent {
    this.type = TYPES.execve;
    this.result = 0;
    this.argumentNames = EXEC_ARGUMENTS;
    this.#exec = effect;
    return this;
  }

  fillExit({ code }: ExitEffect): RuleEvent {
    this.type = TYPES.procexit;
    this.argumentNames = EXIT_ARGUMENTS;
    this.#exitCode = code;
    return this;
  }

  fillOpen({ path, resolvedPath, flags, error, descriptor }: OpenEffect): RuleEvent {
    this.type = TYPES.openat;
    this.argumentNames = OPEN_ARGUMENTS;
    const number = error === 0 ? (descriptor ?? UNTOLD_NUMBER) : -1;
    this.result = error === 0 ? number : -error;
    this.openFlags = flags;
    this.path = resolvedPath;
    this.pathRaw = path;
    const isDirectory = error === 0 && (flags & this.#directoryFlag) !== 0;
    this.descriptor = this.#descriptor.fillFile(
      isDirectory ? 'directory' : 'file',
      resolvedPath,
      path,
      number,
    );
    return this;
  }

  fillConnect({
    family,
    transport,
    local,
    remote,
    error,
    isInProgress,
    descriptor,
  }: ConnectEffect): RuleEvent {
    this.type = TYPES.connect;
    this.argumentNames = CONNECTION_ARGUMENTS;
    this.result = isInProgress ? -EINPROGRESS : error === 0 ? 0 : -error;
    const protocol = transport === 'stream' ? 'tcp' : transport === 'datagram' ? 'udp' : null;
    this.descriptor = this.#descriptor.fillConnection(
      family,
      protocol,
      local ?? null,
      remote,
      false,
      descriptor,
    );
    return this;
  }

  fillAccept({ family, client, server }: Connection, number = UNTOLD_NUMBER): RuleEvent {
    this.type = TYPES.accept4;
    this.argumentNames = CONNECTION_ARGUMENTS;
    this.result = number;
    this.descriptor = this.#descriptor.fillConnection(family, 'tcp', client, server, true, number);
    return this;
  }

  fillEnd({ connection, isServer, isDatagram, bytesIn, bytesOut }: ConnectionEnd): RuleEvent {
    this.type = TYPES.connection_end;
    const { family, client, server } = connection;
    const descriptor = this.#descriptor.fillConnection(
      family,
      isDatagram ? 'udp' : 'tcp',
      client.address === '' ? null : client,
      server,
      isServer,
    );
    descriptor.bytesIn = bytesIn;
    descriptor.bytesOut = bytesOut;
    this.descriptor = descriptor;
    return this;
  }

  fillQuery({ query, outcome, remote }: QueryEffect, isAnswer: boolean): RuleEvent | null {
    const isDns = query.protocol === 'dns';
    if (!isDns && !DATA_SERVICES.has(query.protocol)) return null;
    if (isAnswer) this.type = isDns ? TYPES.dns_response : TYPES.db_response;
    else this.type = isDns ? TYPES.dns_query : TYPES.db_query;
    this.query = query;
    this.outcome = outcome;
    const family = remote.port === 0 ? 'unix' : remote.address.includes(':') ? 'ipv6' : 'ipv4';
    this.descriptor = this.#descriptor.fillConnection(family, null, null, remote, false);
    return this;
  }

  fillRequest({ connection: { family, client, server } }: Request, type: number): RuleEvent {
    this.type = type;
    this.descriptor = this.#descriptor.fillConnection(family, 'tcp', client, server, true);
    return this;
  }

  /** Paths are told where the call succeeded, as the reference engine has it. */
  fillAction(effect: ActionEffect): RuleEvent | null {
    const known = ACTION_CALLS.get(effect.syscall);
    if (known === undefined) return null;
    const { call, type } = known;
    this.type = type;
    this.result = effect.result;
    this.argumentNames = call.names;
    this.#action = effect;
    this.#call = call;
    const { name, source, target, file } = call.roles;
    if (effect.result >= 0) {
      this.path = pathIn(effect, name === -1 ? file : name);
      this.sourcePath = pathIn(effect, source);
      this.targetPath = pathIn(effect, target);
    }
    const behind = pathIn(effect, file);
    if (behind !== null) this.descriptor = this.#descriptor.fillFile('file', behind, null, UNTOLD_NUMBER);
    else if (effect.action === 'bind') this.#fillBound(effect);
    return this;
  }

  #fillBound({ arguments: [, raw] }: ActionEffect): void {
    const at = typeof raw === 'string' ? socketAddressOf(raw) : null;
    if (at !== null) this.descriptor = this.#descriptor.fillConnection(at.family, null, null, at, true);
  }

  rawArgument(name: string): number | null {
    return this.#action === null || this.#call === null
      ? null
      : argumentNumber(this.#action, this.#call, name);
  }

  argument(name: string): ByteString | null {
    if (this.#action !== null && this.#call !== null)
      return argumentText(this.#action, this.#call, name, this.#source.architecture);
    switch (this.type) {
      case TYPES.execve:
        return this.#exec === null
          ? null
          : execArgument(this.#exec, this.process ?? this.#exec.process, name);
      case TYPES.procexit:
        return name === 'status' ? String(this.#exitCode) : null;
      case TYPES.openat:
        if (name === 'name') return this.path;
        if (name !== 'flags' || this.openFlags === null) return null;
        return openFlagNames(this.openFlags, this.#source.architecture).join('|');
      case TYPES.connect:
      case TYPES.accept4:
        if (name === 'tuple' || name === 'addr') return this.descriptor?.name ?? null;
        return name === 'res' && this.result !== null && this.result <= 0 ? String(this.result) : null;
      default:
        return null;
    }
  }

  get #directoryFlag(): number {
    const { architecture } = this.#source;
    return architecture === 'arm64' || architecture === 'aarch64' ? O_DIRECTORY_ARM64 : O_DIRECTORY;
  }
}

function execArgument(effect: ExecEffect, process: Process, name: string): ByteString | null {
  switch (name) {
    case 'res':
      return '0';
    case 'exe':
      return effect.argv[0] ?? null;
    case 'args':
      return effect.argv.slice(1).join(' ');
    case 'tid':
      return String(effect.tid);
    case 'pid':
      return String(effect.pid);
    case 'ptid':
      return String(process.parentPid);
    case 'cwd':
      return effect.workingDirectory;
    case 'comm':
      return process.comm;
    case 'uid':
      return String(effect.uid);
    case 'filename':
      return effect.path;
    case 'trusted_exepath':
      return effect.executable;
    default:
      return null;
  }
}
