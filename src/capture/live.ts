import { CGROUP_EVENT, EVENT_HEADER, EVENT_KIND } from '../abi/abi.gen.ts';
import { readNumber } from '../abi/sections.ts';
import { EnvironmentFilter } from '../abi/environment-filter.ts';
import { byteString, type ByteString } from '../base/bytes.ts';
import type { KernelCounters, LoadedSensors } from '../kernel/loader.ts';
import type { Native } from '../kernel/libbpf.ts';
import { MergedRings, type Ring } from '../kernel/ring.ts';
import { LibraryProbes, type ProbeUse } from '../kernel/uprobes/library-probes.ts';
import type { Fact } from '../model/event.ts';
import type { CaptureSink, FactSource } from './contract.ts';
import { CgroupFacts } from './facts/cgroup-facts.ts';
import { CgroupReader } from './facts/cgroup-reader.ts';
import { readAgent, readGroups, readHost, readUsers } from './facts/host.ts';
import { listeningProcesses, readListeningSockets } from './facts/listening-sockets.ts';
import { readProcesses } from './facts/processes.ts';
import { LEFT_OUT, LeftOutRuns } from './left-out-runs.ts';
import { FRAME_LIMIT_BYTES } from './recording-format.ts';

/** Events that one step handles at most, so that who calls it can stop in between, however far behind it is. */
export const STEP_EVENTS = 5000;
/** Losses are told at once, and then no more often than this. */
const LOSS_PAUSE_NS = 250_000_000;
/** Whether somebody has changed what the programs are told to do takes some hundred system calls to find out. */
const REPAIR_PAUSE_NS = 1_000_000_000;

/** Counters that mean that something was not seen, and the name of the loss for people. */
const LOSSES: readonly (readonly [keyof KernelCounters, string])[] = [
  ['LOST_SECURITY', 'security-ring-full'],
  ['LOST_BUDGET', 'cgroup-budget'],
  ['LOST_PAYLOAD', 'payload-ring-full'],
  ['CONNECTIONS_FULL', 'connection-table-full'],
  ['THREADS_FULL', 'thread-table-full'],
  ['SERVING_FULL', 'process-table-full'],
  ['SCRATCH_BUSY', 'scratch-buffer-busy'],
  ['COMPAT_SKIPPED', 'compat-syscall-skipped'],
  ['TLS_UNPLACED', 'tls-plaintext-unplaced'],
  ['DATAGRAMS_SKIPPED', 'datagrams-skipped'],
];

/** Of those, the ones of which the kernel side notes the process. */
const UNREAD: readonly (keyof KernelCounters)[] = ['LOST_PAYLOAD', 'TLS_UNPLACED'];

const LOSS_COUNTERS = LOSSES.map(([counter]) => counter);

const NOBODY: readonly number[] = [];

/** Events of the running kernel. */
export class LiveCapture implements Disposable {
  readonly #native: Native;
  readonly #sensors: LoadedSensors;
  readonly #sink: CaptureSink;
  readonly #sources: readonly FactSource[];
  readonly #cgroups: CgroupFacts;
  /** How long the last step took from its waking up. */
  busyMs = 0;
  readonly #libraries: LibraryProbes | null;
  /** null: no environment was ever asked for. */
  #environment: EnvironmentFilter | null = null;
  #lossToldNs = 0;
  #repairedNs = 0;
  #lastCgroup = 0;
  /** Time of the last step: events until then were to be handed over. */
  #horizonNs = 0;
  #counters: KernelCounters;
  #lossSum: number;
  /** Whose bytes were lost since that was told; null: not known of all. And whose had been told last. */
  #readers: readonly number[] | null = NOBODY;
  #toldReaders: readonly number[] | null = NOBODY;
  readonly #leftOut: LeftOutRuns;
  readonly #rings: MergedRings;

  /** @param sources are shown the cgroups; their answers go to the sink */
  constructor(
    native: Native,
    sensors: LoadedSensors,
    sink: CaptureSink,
    sources: readonly FactSource[] = [],
  ) {
    this.#sources = sources;
    const reader = new CgroupReader('/proc', sensors.cgroups);
    this.#cgroups = new CgroupFacts((cgroupId, pid) => reader.resolve(cgroupId, pid));
    this.#native = native;
    this.#sensors = sensors;
    this.#sink = sink;
    this.#rings = new MergedRings(sensors.security, sensors.payload);
    this.#counters = sensors.counters();
    this.#lossSum = sensors.sumOf(LOSS_COUNTERS);
    this.#leftOut = new LeftOutRuns(() => sensors.runsLeftOut(), native.bootTimeNs());
    this.#libraries = sensors.probes === null ? null : new LibraryProbes(sensors.probes);
  }

  /**
   * Which variables of the environment are told of programs that are started; the kernel side is told that there are some
   * by its own interest.
   */
  askEnvironment(names: ReadonlySet<ByteString>): void {
    if (names.size > 0) this.#environment ??= new EnvironmentFilter(FRAME_LIMIT_BYTES);
    this.#environment?.ask(names);
  }

  /** The libraries that are probed, for people. */
  get libraries(): readonly string[] {
    return this.#libraries?.describe() ?? [];
  }

  /** How often they were hit. */
  get probeUse(): readonly ProbeUse[] {
    return this.#libraries?.use() ?? [];
  }

  /** The last step ended before an event that was not yet written: there may be more, to be asked for soon. */
  get isHeldBack(): boolean {
    return this.#rings.isHeldBack;
  }

  [Symbol.dispose](): void {
    this.#libraries?.[Symbol.dispose]();
  }

  /** Tells the sink what was on the host before the first event. The sensors are attached already: no gap. */
  begin(environment: ReadonlySet<ByteString> = new Set()): void {
    this.askEnvironment(environment);
    const bootNs = this.#native.bootTimeNs();
    // First: until they are known, nobody can tell connections that were accepted from those that were made.
    const listening = readListeningSockets();
    for (const { port } of listening) this.#sensors.addListeningPort(port);
    this.#sink.fact(readHost());
    this.#sink.fact(readAgent());
    this.#sink.fact({ kind: 'clock', bootNs, wallMs: Date.now() });
    for (const account of [...readUsers(), ...readGroups()]) this.#sink.fact(account);
    for (const process of readProcesses('/proc', environment, this.#sensors.cgroups)) {
      this.#tellCgroup(this.#cgroups.seen(process.cgroupId, process.pid));
      this.#sink.fact(process);
    }
    this.#libraries?.begin(listeningProcesses(listening));
  }

  /**
   * Waits until a ring fills up or the time is over, then hands over everything that is there.
   * @returns how many events there were
   */
  step(timeoutMs: number): number {
    if (timeoutMs > 0) this.#sensors.wait(timeoutMs);
    const wokenMs = performance.now();
    const horizonNs = this.#native.bootTimeNs();
    this.#horizonNs = horizonNs;
    // Before the events that came with it: what follows a loss is to be doubted.
    if (this.#hasNewReaders() || horizonNs - this.#lossToldNs >= LOSS_PAUSE_NS) this.#checkLosses(horizonNs);
    if (horizonNs - this.#repairedNs >= REPAIR_PAUSE_NS) this.#repair(horizonNs);
    for (const source of this.#sources)
      for (let fact = source.take(); fact !== null; fact = source.take()) this.#sink.fact(fact);
    const count = this.#rings.drain(horizonNs, this.#handle, STEP_EVENTS);
    this.#libraries?.step(horizonNs / 1e6);
    // With more waiting, time has not come as far as the horizon: the events themselves tell it.
    if (count < STEP_EVENTS && !this.isHeldBack) this.#sink.tick(horizonNs);
    this.busyMs = performance.now() - wokenMs;
    return count;
  }

  /**
   * Tells what was lost since it was told last.
   * @param isBehind more events are waiting than there is time for: they are passed over
   * @returns how many these were
   */
  end(isBehind: boolean): number {
    const left = isBehind ? this.#rings.drain(this.#horizonNs, () => undefined) : 0;
    this.#checkLosses(this.#native.bootTimeNs(), true);
    return left;
  }

  readonly #handle = (ring: Ring): void => {
    const view = ring.view;
    const cgroup =
      view.getUint32(ring.offset + EVENT_HEADER.cgroup_id, true) +
      view.getUint32(ring.offset + EVENT_HEADER.cgroup_id + 4, true) * 4294967296;
    // Most events are of the process that the last one was of.
    if (cgroup !== this.#lastCgroup) {
      this.#lastCgroup = cgroup;
      this.#tellCgroup(this.#cgroups.seen(cgroup, view.getUint32(ring.offset + EVENT_HEADER.pid, true)));
    }
    // An event that was written where it stands may have been given more room than it took.
    const size = Math.min(view.getUint32(ring.offset + EVENT_HEADER.size, true), ring.size);
    if (ring === this.#sensors.security) {
      const kind = view.getUint16(ring.offset + EVENT_HEADER.kind, true);
      if (kind === EVENT_KIND.CGROUP) {
        this.#cgroupMade(ring.bytes, view, ring.offset, size);
        return;
      }
      if (this.#libraries !== null) tellLibraries(this.#libraries, kind, view, ring);
      if (kind === EVENT_KIND.EXEC && this.#environment !== null) {
        const filtered = this.#environment.apply(ring.bytes, view, ring.offset, size);
        if (filtered >= 0) {
          this.#sink.event(this.#environment.bytes, this.#environment.view, 0, filtered);
          return;
        }
      }
    }
    this.#sink.event(ring.bytes, view, ring.offset, size);
  };

  #cgroupMade(bytes: Uint8Array, view: DataView, offset: number, size: number): void {
    const start = offset + CGROUP_EVENT.SIZE;
    // Without the NUL at its end.
    const end = Math.min(start + view.getUint32(offset + CGROUP_EVENT.path_size, true) - 1, offset + size);
    if (end <= start) return;
    const cgroupId = readNumber(view, offset + CGROUP_EVENT.cgroup);
    this.#tellCgroup(this.#cgroups.made(cgroupId, byteString(bytes, start, end)));
  }

  #tellCgroup(fact: Fact | null): void {
    if (fact === null) return;
    this.#sink.fact(fact);
    for (const source of this.#sources) source.saw(fact);
  }

  #repair(nowNs: number): void {
    this.#repairedNs = nowNs;
    const what = this.#sensors.repair();
    if (what.length > 0) this.#sink.fact({ kind: 'tampered', timeNs: nowNs, what });
  }

  /** Whether somebody has lost bytes who is not doubted for what was told last. */
  #hasNewReaders(): boolean {
    this.#noteReaders();
    const [readers, told] = [this.#readers, this.#toldReaders];
    return told !== null && (readers === null || readers.some((pid) => !told.includes(pid)));
  }

  #noteReaders(): void {
    const { unread } = this.#sensors;
    if (unread.isUnchanged) return;
    const news = unread.take();
    this.#readers =
      news === null || this.#readers === null ? null : [...new Set([...this.#readers, ...news])];
  }

  /** Process ids; undefined where it is not known of all bytes that were lost since it was told last. */
  #takeReaders(counters: KernelCounters): readonly number[] | undefined {
    this.#noteReaders();
    const readers = this.#readers;
    this.#toldReaders = readers;
    this.#readers = NOBODY;
    // What is counted was noted before.
    const counted = UNREAD.reduce((sum, counter) => sum + counters[counter], 0);
    const isNoted = (this.#sensors.unread.count - counted) << 0 >= 0;
    return readers === null || !isNoted ? undefined : readers;
  }

  #checkLosses(nowNs: number, isLast = false): void {
    // Looked at hundreds of times a second, and there is hardly ever one.
    const sum = this.#sensors.sumOf(LOSS_COUNTERS);
    const ofLibraries = this.#libraries?.takeLosses() ?? null;
    const leftOut = this.#leftOut.take(nowNs, isLast);
    if (sum === this.#lossSum && ofLibraries === null && leftOut === null) return;
    const counters = this.#sensors.counters();
    const reasons: Record<string, number> = {};
    for (const [counter, name] of LOSSES) {
      const lost = counters[counter] - this.#counters[counter];
      if (lost > 0) reasons[name] = lost;
    }
    Object.assign(reasons, ofLibraries);
    if (leftOut !== null) reasons[LEFT_OUT] = leftOut.events;
    this.#lossSum = sum;
    this.#counters = counters;
    if (Object.keys(reasons).length === 0) return;
    this.#lossToldNs = nowNs;
    const readers = this.#takeReaders(counters);
    this.#sink.fact({ kind: 'loss', timeNs: nowNs, reasons, ...(readers === undefined ? {} : { readers }) });
    for (const { pid, ...lost } of this.#sensors.takeLostEvents()) {
      if (lost.cgroupId !== 0) this.#tellCgroup(this.#cgroups.seen(lost.cgroupId, pid));
      this.#sink.fact({ kind: 'blind', timeNs: nowNs, ...lost });
    }
    if (leftOut !== null) this.#sink.fact(leftOut);
  }
}

/** Who accepts connections may have a TLS library. */
function tellLibraries(libraries: LibraryProbes, kind: number, view: DataView, ring: Ring): void {
  const pid = view.getUint32(ring.offset + EVENT_HEADER.pid, true);
  if (kind === EVENT_KIND.ACCEPT) libraries.serves(pid, ring.timeNs() / 1e6);
  else if (kind === EVENT_KIND.EXEC || kind === EVENT_KIND.EXIT) libraries.forget(pid);
}
