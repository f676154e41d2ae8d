import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { ABI_HASH, ACTION_PLAN, COUNTER } from '../abi/abi.gen.ts';
import { contractLayout, elfVariables, layoutHash, readBtf } from '../abi/btf.ts';
import { ThroughlineError } from '../base/errors.ts';
import { actionPlans, EFFECT_ACTIONS, type ActionInterest } from './action-plans.ts';
import { takeLostEvents, type LostEvents } from './budgets.ts';
import { UnreadLog } from './unread-log.ts';
import { openExitEvent } from './exit-event.ts';
import { chooseExitHook, type ExitHook } from './exit-hooks.ts';
import type { FeatureName, Features } from './features.ts';
import { Integrity } from './integrity.ts';
import { ATTACH_UPROBE_MULTI, type Native, type Pointer } from './libbpf.ts';
import { MARKS } from './marks.ts';
import { requireKernelRelease } from './oldest-kernel.ts';
import { DISPATCHER, planSensors, programsOf, whyNot, type Plan, type PlannedSensor } from './plan.ts';
import { KERNEL_BTF, probeFeatures } from './probe.ts';
import { Ring } from './ring.ts';
import type { Purpose } from './uprobes/libraries.ts';
import { kernelProbes } from './uprobes/kernel-probes.ts';
import type { ProbeHost } from './uprobes/library-probes.ts';
import { COMPAT_SYSCALLS } from '../model/compat-syscalls.ts';
import { CGROUP_CONTROLLERS, UNIFIED, type CgroupHierarchy } from '../model/cgroup-hierarchy.ts';
import { SYSCALLS, type Architecture, type SyscallName } from '../model/syscalls.ts';

const LOAD_ATTEMPTS = 8;
const COMPAT_NUMBERS: Readonly<Partial<Record<SyscallName, number>>> = COMPAT_SYSCALLS;
const EAGAIN = 11;
/** SPARE_SCRATCHES in bpf/lib/state.h */
const SPARE_SCRATCHES = 8;
/** Rows of the counters in bpf/abi.h; processors beyond share them. */
const COUNTER_CPUS = 256;
const COUNTER_ROW_BYTES = 16 * 8;

/** Counters of the kernel side, by the names of enum counter in bpf/abi.h. */
export type KernelCounters = Record<keyof typeof COUNTER, number>;

/** What the kernel side tells beyond what attribution needs. */
export interface KernelInterest {
  readonly actions: ActionInterest;
  /** Files that are opened to be read are told whoever does it. */
  readonly readsOfEverybody: boolean;
  /** Types of events that only who asks for them gets, of everybody: those of sensors on demand, and datagram. */
  readonly onDemand: ReadonlySet<string> | 'all';
  /** Variables of the environment that are told of each program that is started. */
  readonly environment: ReadonlySet<string>;
}

/** What can be an effect of a request, and no more. */
export const EFFECTS: KernelInterest = {
  actions: EFFECT_ACTIONS,
  readsOfEverybody: false,
  onDemand: new Set(),
  environment: new Set(),
};

function asksFor({ onDemand }: KernelInterest, type: string): boolean {
  return onDemand === 'all' || onDemand.has(type);
}

export interface LoadOptions {
  readonly objectPath: string;
  readonly kernelRelease: string;
  readonly architecture: string;
  readonly processors: number;
  /** The agent's own process, which is not observed. */
  readonly agentPid: number;
  /** Sensors that are switched off, and how. */
  readonly disabled?: Readonly<Record<string, string>>;
  /** Default: what can be an effect of a request. */
  readonly interest?: KernelInterest;
  /** The plan that has to be used; default: the first that the kernel has. */
  readonly askedPlan?: Plan | null;
  /** The hierarchy whose ids events carry; default: the unified one. */
  readonly cgroups?: CgroupHierarchy;
  /** Features that are not used, though the kernel has them: what older kernels run is to be tested on newer ones. */
  readonly without?: readonly FeatureName[];
}

/** The attached sensors. Disposing detaches everything; so does the end of the process, however it comes. */
export interface LoadedSensors extends Disposable {
  readonly features: Features;
  readonly plan: readonly PlannedSensor[];
  readonly cgroups: CgroupHierarchy;
  /** Those that the kernel runs by themselves, others being jumped to, and their descriptors. */
  readonly programs: readonly { readonly program: string; readonly fd: number }[];
  readonly security: Ring;
  readonly payload: Ring;
  /** Sleeps until a ring has filled up to its mark, somebody begins to listen, or the time is over. */
  wait(timeoutMs: number): void;
  /** For probes in TLS libraries; null where this kernel has none, or they are switched off. */
  readonly probes: ProbeHost | null;
  counters(): KernelCounters;
  /** What these counters add up to, modulo 2^32 each: tells at little cost that one has changed. */
  sumOf(counters: readonly (keyof KernelCounters)[]): number;
  /**
   * How often the kernel has left out a run of a program: where tasks are interrupted inside of programs, it does not run one while
   * another task is in the middle of it on the same processor. A call for each program: not for hot paths.
   */
  runsLeftOut(): number;
  /** Puts right what somebody else has changed of what the programs are told to do. @returns what that was, for people */
  repair(): string[];
  /** Whose bytes were lost. */
  readonly unread: UnreadLog;
  /** Security events that were lost since the last call. */
  takeLostEvents(): LostEvents[];
  /**
   * Tells the kernel that nobody reads this connection's protocol; with isPlaintext, the one inside its TLS. They are
   * told apart since plaintext may begin while the verdict about the ciphertext is on its way.
   */
  ignoreConnection(id: number, isPlaintext: boolean): void;
  /** Tells something else from now on: events that both ask for come without a gap. */
  setInterest(interest: KernelInterest): void;
  /** Tells the kernel of a TCP port that somebody listened on before the agent came. */
  addListeningPort(port: number): void;
}

/**
 * Loads and attaches what this kernel can run.
 * @throws ThroughlineError TL1001 to TL1009
 */
export function loadSensors(native: Native, options: LoadOptions): LoadedSensors {
  const architecture = supportedArchitecture(options.architecture);
  requireKernelRelease(options.kernelRelease, architecture);
  if (!existsSync(KERNEL_BTF)) throw new ThroughlineError('TL1002', `${KERNEL_BTF} is missing`);
  const object = readObject(options.objectPath);
  const features = probeFeatures(native, options.askedPlan === 'trampolines', options.without);
  if (features.privilege.answer !== 'supported')
    throw new ThroughlineError('TL1001', features.privilege.detail);
  const best = planSensors(features, options.askedPlan);
  const impossible = whyNot(options.askedPlan ?? null, best);
  if (impossible !== null) throw new ThroughlineError('TL1008', impossible);
  const plan = best.map((planned) => {
    const notAsked =
      planned.sensor.isOnDemand === true && !asksFor(options.interest ?? EFFECTS, planned.sensor.name)
        ? 'nobody asks for it'
        : undefined;
    const reason = options.disabled?.[planned.sensor.name] ?? notAsked;
    return reason === undefined ? planned : { ...planned, chosen: null, reason };
  });
  if (plan.every((sensor) => sensor.chosen === null))
    throw new ThroughlineError('TL1008', plan[0]?.reason ?? 'no sensor can run');

  for (let attempt = 1; ; attempt++) {
    const loaded = tryLoad(native, options, architecture, object, features, plan);
    if (loaded !== null) return loaded;
    if (attempt === LOAD_ATTEMPTS)
      throw new ThroughlineError(
        'TL1007',
        'interrupted by signals again and again while programs were verified',
      );
  }
}

/** Loads and attaches; null when the verifier gave up because a signal came in between (EAGAIN): worth another try. */
function tryLoad(
  native: Native,
  options: LoadOptions,
  architecture: Architecture,
  object: Uint8Array,
  features: Features,
  plan: readonly PlannedSensor[],
): LoadedSensors | null {
  const handle = native.openObject(options.objectPath);
  if (handle === null) throw new ThroughlineError('TL1007', lastLines(native));
  const links: (Pointer | number)[] = [];
  const close = (): void => {
    for (const link of links.splice(0))
      if (typeof link === 'number') native.close(link);
      else native.destroyLink(link);
    native.closeObject(handle);
  };
  try {
    const { hook } = chooseExitHook(features);
    prepare(native, handle, plan, features, options.processors);
    const cgroups = options.cgroups ?? UNIFIED;
    setConstants(native, handle, object, {
      cgroup_controller: cgroups.controller === null ? 0 : CGROUP_CONTROLLERS.indexOf(cgroups.controller) + 1,
      cgroup_hierarchy: cgroups.number,
      exits_by_event: hook === 'perf event' ? 1 : 0,
    });
    if (isSyscallPlan(plan)) prepareExits(native, handle, plan, hook);
    const result = native.loadObject(handle);
    if (result === -EAGAIN) {
      close();
      native.takeLog();
      return null;
    }
    if (result !== 0) throw new ThroughlineError('TL1007', lastLines(native));
    const globals = new Globals(native, handle, object);
    globals.set('agent_pid', options.agentPid);
    for (const { chosen } of plan) for (const name of chosen?.switches ?? []) globals.set(name, 1);
    fillDispatcher(native, handle, plan, architecture, globals);
    const hasCompat = fillCompat(native, handle, plan, architecture, globals);
    const interest = new Interest(native, handle, plan, architecture, globals, hasCompat);
    interest.set(options.interest ?? EFFECTS);
    for (const name of ownHooks(plan))
      links.push(name === DISPATCHER ? attachDispatcher(native, handle, hook) : attach(native, handle, name));
    // Only now: a thread that is born from here on is told of by its own start, and none falls between.
    for (const thread of readdirSync('/proc/self/task'))
      native.updateElement(
        native.mapFd(mapOf(native, handle, 'agent_threads')),
        u32(Number(thread)),
        ONE,
        0n,
      );
    return sensors(native, handle, features, plan, cgroups, globals, interest, options.processors, close);
  } catch (error) {
    close();
    throw error;
  }
}

function supportedArchitecture(name: string): Architecture {
  if (name === 'x64' || name === 'arm64') return name;
  throw new ThroughlineError('TL1009', name);
}

function readObject(path: string): Uint8Array {
  if (!existsSync(path)) throw new ThroughlineError('TL1005', path);
  const object = readFileSync(path);
  const hash = hashOf(object);
  if (hash !== ABI_HASH) throw new ThroughlineError('TL1006', `layout ${hash}, expected ${ABI_HASH}`);
  return object;
}

function hashOf(object: Uint8Array): string {
  try {
    return layoutHash(contractLayout(readBtf(object)));
  } catch (error) {
    throw new ThroughlineError('TL1006', error instanceof Error ? error.message : String(error), {
      cause: error,
    });
  }
}

function lastLines(native: Native): string {
  return native.takeLog().slice(-12).join('\n');
}

function programOf(native: Native, object: Pointer, name: string): Pointer {
  const program = native.findProgram(object, name);
  if (program === null) throw new ThroughlineError('TL1006', `the object has no program ${name}`);
  return program;
}

function mapOf(native: Native, object: Pointer, name: string): Pointer {
  const map = native.findMap(object, name);
  if (map === null) throw new ThroughlineError('TL1006', `the object has no map ${name}`);
  return map;
}

function isSyscallPlan(plan: readonly PlannedSensor[]): boolean {
  return plan.some((sensor) => sensor.chosen !== null && Object.keys(sensor.chosen.syscallExits).length > 0);
}

/** Programs with a hook of their own; the dispatcher comes last, when everything that it jumps to is in place. */
function ownHooks(plan: readonly PlannedSensor[]): string[] {
  const names = plan.flatMap((sensor) => sensor.chosen?.programs ?? []);
  return isSyscallPlan(plan) ? [...names, DISPATCHER] : names;
}

function prepare(
  native: Native,
  object: Pointer,
  plan: readonly PlannedSensor[],
  features: Features,
  processors: number,
): void {
  const probes = plan.flatMap((sensor) => sensor.chosen?.libraryProbes ?? []);
  const chosen = new Set([
    ...ownHooks(plan),
    ...plan.flatMap((sensor) => Object.keys(sensor.chosen?.syscallExits ?? {})),
    ...probes,
  ]);
  if (isMulti(features))
    for (const name of probes) native.setAttachType(programOf(native, object, name), ATTACH_UPROBE_MULTI);
  for (const { sensor } of plan)
    for (const alternative of sensor.alternatives)
      for (const name of programsOf(alternative))
        if (!chosen.has(name)) native.setAutoload(programOf(native, object, name), false);
  native.setMaxEntries(mapOf(native, object, 'scratches'), SPARE_SCRATCHES + processors);
}

// enum bpf_prog_type and enum bpf_attach_type
const PROGRAM_TYPE_TRACEPOINT = 5;
const PROGRAM_TYPE_TRACING = 26;
const ATTACH_RAW_TRACEPOINT = 23;

/** The dispatcher and all that it jumps to, as programs for what it hangs on: bpf/lib/syscall-exit.h. */
function prepareExits(native: Native, object: Pointer, plan: readonly PlannedSensor[], hook: ExitHook): void {
  const exits = plan.flatMap(({ chosen }) => Object.keys(chosen?.syscallExits ?? {}));
  for (const name of [DISPATCHER, ...exits]) {
    const program = programOf(native, object, name);
    native.setType(program, hook === 'perf event' ? PROGRAM_TYPE_TRACEPOINT : PROGRAM_TYPE_TRACING);
    if (hook === 'perf event') continue;
    native.setAttachType(program, ATTACH_RAW_TRACEPOINT);
    if (native.setTarget(program, 'sys_exit') !== 0) throw new ThroughlineError('TL1007', lastLines(native));
  }
}

/** What the programs know before they are loaded: the verifier leaves out what it makes unreachable. */
function setConstants(
  native: Native,
  object: Pointer,
  objectBytes: Uint8Array,
  values: Readonly<Record<string, number>>,
): void {
  const view = native.initialVariables(mapOf(native, object, '.rodata'));
  const offsets = elfVariables(objectBytes, '.rodata');
  for (const [name, value] of Object.entries(values)) {
    const offset = offsets.get(name);
    if (view === null || offset === undefined)
      throw new ThroughlineError('TL1006', `the object has no constant ${name}`);
    view.setUint32(offset, value, true);
  }
}

function isMulti(features: Features): boolean {
  return features['uprobe-multi'].answer === 'supported';
}

const NO_PLAN = new Uint8Array(ACTION_PLAN.SIZE);
/** The program that serves all actions: bpf/sensors/action.bpf.c. */
const ACTION_PROGRAM = 'exit_action';

/** What is told, as the maps and variables of the kernel side have it: can change while the programs run. */
class Interest {
  readonly #plans: number;
  readonly #architecture: Architecture;
  readonly #globals: Globals;
  readonly #isAttached: boolean;
  readonly #hasCompat: boolean;

  constructor(
    native: Native,
    object: Pointer,
    plan: readonly PlannedSensor[],
    architecture: Architecture,
    globals: Globals,
    hasCompat: boolean,
  ) {
    this.#hasCompat = hasCompat;
    this.#plans = native.mapFd(mapOf(native, object, 'action_plans'));
    this.#architecture = architecture;
    this.#globals = globals;
    this.#isAttached = plan.some(({ chosen }) => chosen !== null && ACTION_PROGRAM in chosen.syscallExits);
  }

  set(interest: KernelInterest): void {
    const { actions, readsOfEverybody, environment } = interest;
    this.#globals.set('wants_environment', environment.size > 0 ? 1 : 0);
    this.#globals.set('wants_all_remotes', asksFor(interest, 'datagram') ? 1 : 0);
    this.#globals.set('reads_of_everybody', readsOfEverybody ? 1 : 0);
    if (!this.#isAttached) return;
    for (const { syscall, number, plan } of actionPlans(this.#architecture, actions)) {
      if (plan === null) this.#globals.setWanted(number, false);
      const result = this.#globals.integrity.setElement(
        `what is told of ${syscall}`,
        this.#plans,
        u32(number),
        plan ?? NO_PLAN,
      );
      if (result !== 0) throw new ThroughlineError('TL1008', `plan of ${syscall}: errno ${-result}`);
      if (plan !== null) this.#globals.setWanted(number, true);
      const compat = this.#hasCompat ? COMPAT_NUMBERS[syscall] : undefined;
      if (compat !== undefined) this.#globals.setCompatWanted(compat, plan !== null);
    }
  }
}

/** Every program that a sensor has for the end of a system call; those of actions are called once they are wanted. */
function fillDispatcher(
  native: Native,
  object: Pointer,
  plan: readonly PlannedSensor[],
  architecture: Architecture,
  globals: Globals,
): void {
  const table = native.mapFd(mapOf(native, object, 'syscall_exits'));
  for (const { chosen } of plan) {
    for (const [name, syscalls] of Object.entries(chosen?.syscallExits ?? {})) {
      const fd = native.programFd(programOf(native, object, name));
      for (const syscall of syscalls) {
        const number = SYSCALLS[syscall][architecture];
        if (number === null) continue;
        const result = globals.integrity.setElement(`the program of ${syscall}`, table, u32(number), u32(fd));
        if (result !== 0) throw new ThroughlineError('TL1008', `${name} for ${syscall}: errno ${-result}`);
        if (name !== ACTION_PROGRAM) globals.setWanted(number, true);
      }
    }
  }
}

/** COMPAT_SLOT of bpf/lib/state.h. */
const COMPAT_SLOT = 511;

/**
 * What is wanted of 32-bit programs: the calls that are wanted of the others and mean the same. Those of actions are called
 * once they are wanted.
 * @returns whether they are told at all
 */
function fillCompat(
  native: Native,
  object: Pointer,
  plan: readonly PlannedSensor[],
  architecture: Architecture,
  globals: Globals,
): boolean {
  const isPlanned = plan.some(({ sensor, chosen }) => sensor.name === 'compat' && chosen !== null);
  if (!isPlanned || architecture !== 'x64') return false;
  const exits = plan.flatMap(({ chosen }) => Object.entries(chosen?.syscallExits ?? {}));
  const calls = native.mapFd(mapOf(native, object, 'compat_calls'));
  const put = (table: number, key: number, value: number): void => {
    const result = globals.integrity.setElement(`32-bit call ${key}`, table, u32(key), u32(value));
    if (result !== 0) throw new ThroughlineError('TL1008', `32-bit call ${key}: errno ${-result}`);
  };
  for (const [program, syscalls] of exits)
    for (const syscall of syscalls) {
      const number = SYSCALLS[syscall].x64;
      const compat = COMPAT_NUMBERS[syscall];
      if (number === null || compat === undefined) continue;
      put(calls, compat, number);
      if (program !== ACTION_PROGRAM) globals.setCompatWanted(compat, true);
    }
  put(
    native.mapFd(mapOf(native, object, 'syscall_exits')),
    COMPAT_SLOT,
    native.programFd(programOf(native, object, 'exit_compat')),
  );
  return true;
}

const ONE = Uint8Array.of(1);

function u32(value: number): Uint8Array {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function attach(native: Native, object: Pointer, name: string): Pointer {
  const link = native.attach(programOf(native, object, name));
  if (link === null) throw new ThroughlineError('TL1008', `${name}: ${lastLines(native)}`);
  return link;
}

/** @returns a link, or the descriptor of one */
function attachDispatcher(native: Native, object: Pointer, hook: ExitHook): Pointer | number {
  const program = programOf(native, object, DISPATCHER);
  if (hook === 'raw tracepoint') {
    const fd = native.openRawTracepoint(native.programFd(program));
    if (fd < 0) throw new ThroughlineError('TL1008', `${DISPATCHER}: errno ${-fd}`);
    return fd;
  }
  const event = openExitEvent(native);
  if (typeof event === 'string') throw new ThroughlineError('TL1008', `${DISPATCHER}: ${event}`);
  const link = native.attachToEvent(program, event);
  if (link === null) {
    native.close(event);
    throw new ThroughlineError('TL1008', `${DISPATCHER}: ${lastLines(native)}`);
  }
  return link;
}

/** The global variables of the programs, memory-mapped. */
class Globals {
  readonly bss: DataView;
  readonly integrity: Integrity;
  readonly #offsets: Map<string, number>;

  constructor(native: Native, object: Pointer, objectBytes: Uint8Array) {
    const map = mapOf(native, object, '.bss');
    this.bss = new DataView(native.mapVariables(native.mapFd(map), native.mapValueSize(map)));
    this.#offsets = elfVariables(objectBytes, '.bss');
    this.integrity = new Integrity(native, this.bss);
  }

  /** A variable of 32 bits that nobody else is to write. */
  set(name: string, value: number): void {
    this.integrity.setWord(`the variable ${name}`, this.offsetOf(name), value);
  }

  /** Whether the dispatcher looks at a system call at all. */
  setWanted(syscall: number, isWanted: boolean): void {
    this.#setBit('wanted_syscalls', syscall, isWanted);
  }

  /** Likewise at one of a 32-bit program, by its own number. */
  setCompatWanted(syscall: number, isWanted: boolean): void {
    this.#setBit('wanted_compat', syscall, isWanted);
  }

  #setBit(variable: string, index: number, isSet: boolean): void {
    this.integrity.setBit('which system calls are wanted', this.offsetOf(variable), index, isSet);
  }

  offsetOf(name: string): number {
    const offset = this.#offsets.get(name);
    if (offset === undefined) throw new ThroughlineError('TL1006', `the object has no variable ${name}`);
    return offset;
  }
}

function sensors(
  native: Native,
  object: Pointer,
  features: Features,
  plan: readonly PlannedSensor[],
  cgroups: CgroupHierarchy,
  globals: Globals,
  interest: Interest,
  processors: number,
  close: () => void,
): LoadedSensors {
  const fdOf = (name: string): number => native.mapFd(mapOf(native, object, name));
  const openRing = (name: string): Ring => {
    const map = mapOf(native, object, name);
    const dataBytes = native.mapMaxEntries(map);
    const { consumer, producer } = native.mapRing(native.mapFd(map), dataBytes);
    return new Ring(consumer, producer, dataBytes);
  };
  const waiter = native.openWaiter([fdOf('security_ring'), fdOf('payload_ring')]);
  if (waiter < 0) throw new ThroughlineError('TL1008', `epoll of the rings: errno ${native.errno()}`);
  const ignored = fdOf('ignored_connections');
  const ports = fdOf('listening_ports');
  const listening = globals.offsetOf('maybe_listening');
  /** PLAINTEXT_IGNORED in bpf/sensors/tls.bpf.c. */
  const plaintextIgnored = Uint8Array.of(2);
  const key = Buffer.alloc(8);
  const counterOffset = globals.offsetOf('counters');
  // Those that are jumped to are run, or left out, with the dispatcher.
  const programs = [...ownHooks(plan), ...plan.flatMap(({ chosen }) => chosen?.libraryProbes ?? [])];
  const programFds = programs.map((name) => native.programFd(programOf(native, object, name)));
  const toldLate = globals.offsetOf('execs_told_late');
  const budgetOffset = globals.offsetOf('budgets');
  return {
    features,
    plan,
    cgroups,
    programs: programs.map((program, index) => ({ program, fd: programFds[index] ?? -1 })),
    security: openRing('security_ring'),
    payload: openRing('payload_ring'),
    probes: plan.some(({ chosen }) => chosen?.libraryProbes !== undefined)
      ? kernelProbes({
          native,
          processors: Math.min(processors, COUNTER_CPUS),
          variables: globals.bss,
          offsetOf: (variable) => globals.offsetOf(variable),
          programOf: (name) => programOf(native, object, name),
          isMulti: isMulti(features),
          runtimesFd: fdOf('runtimes'),
          purposes: new Set(
            plan.flatMap(({ sensor, chosen }) => (chosen?.libraryProbes ? [sensor.name as Purpose] : [])),
          ),
        })
      : null,
    wait: (timeoutMs) => native.wait(waiter, timeoutMs),
    counters: () => readCounters(globals.bss, counterOffset, Math.min(processors, COUNTER_CPUS)),
    sumOf: (names) => sumCounters(globals.bss, counterOffset, Math.min(processors, COUNTER_CPUS), names),
    runsLeftOut() {
      const leftOut = programFds.reduce((sum, fd) => sum + native.runsLeftOut(fd), 0);
      return Math.max(0, leftOut - globals.bss.getUint32(toldLate, true));
    },
    repair: () => globals.integrity.repair(),
    unread: new UnreadLog(globals.bss, globals.offsetOf('unread_log'), globals.offsetOf('unread_count')),
    takeLostEvents: () => takeLostEvents(globals.bss, budgetOffset),
    ignoreConnection(id, isPlaintext) {
      key.writeUInt32LE(id % 4294967296, 0);
      key.writeUInt32LE(Math.floor(id / 4294967296), 4);
      native.updateElement(ignored, key, isPlaintext ? plaintextIgnored : ONE, 0n);
    },
    setInterest: (wanted) => interest.set(wanted),
    addListeningPort(port) {
      native.updateElement(ports, Uint8Array.of(port & 0xff, port >>> 8), ONE, 0n);
      globals.bss.setUint8(listening + (port % MARKS), 1);
    },
    [Symbol.dispose]() {
      native.close(waiter);
      close();
    },
  };
}

function readCounters(bss: DataView, start: number, rows: number): KernelCounters {
  const sums = Object.fromEntries(Object.keys(COUNTER).map((name) => [name, 0])) as KernelCounters;
  for (let cpu = 0; cpu < rows; cpu++) {
    const row = start + cpu * COUNTER_ROW_BYTES;
    for (const name of COUNTER_NAMES)
      sums[name] +=
        bss.getUint32(row + COUNTER[name] * 8, true) +
        bss.getUint32(row + COUNTER[name] * 8 + 4, true) * 4294967296;
  }
  return sums;
}

function sumCounters(
  bss: DataView,
  start: number,
  rows: number,
  names: readonly (keyof KernelCounters)[],
): number {
  let sum = 0;
  for (const name of names) {
    const first = start + COUNTER[name] * 8;
    for (let cpu = 0; cpu < rows; cpu++) sum += bss.getUint32(first + cpu * COUNTER_ROW_BYTES, true);
  }
  return sum;
}

const COUNTER_NAMES = (Object.keys(COUNTER) as (keyof typeof COUNTER)[]).filter((name) => name !== 'MAX');
