import { existsSync, readdirSync, readlinkSync } from 'node:fs';
import { arch, availableParallelism } from 'node:os';
import type { Pointer } from '../libbpf.ts';
import { UnitRuntimes, type UnitHost } from '../runtimes/unit-runtimes.ts';
import type { UnitKind } from '../runtimes/unit-layout.ts';
import { probeOffset } from './elf-file.ts';
import { findFunctions } from './find-functions.ts';
import { librariesOf, UVLOOP, type Library, type Purpose } from './libraries.ts';
import { OpenFile, readMappings, type MappedFile } from './mapped-files.ts';

/** What the kernel side offers for probes; links are its own. */
export interface ProbeHost extends UnitHost {
  /** What probes are wanted for: sensors that are switched on. */
  readonly purposes: ReadonlySet<Purpose>;
  /** Files that can be probed at once. */
  readonly slots: number;
  /** @returns null when the kernel refuses */
  attach(program: string, isReturn: boolean, path: string, offset: number, slot: number): Pointer | null;
  detach(link: Pointer): void;
  /** Whether any TLS library is probed: without one, the other programs leave out what is for TLS only. */
  setActive(isActive: boolean): void;
  /** Hits of a slot so far, modulo 2^32. */
  hits(slot: number): number;
  /** Processes that began to listen since the last call, as far as they are remembered. */
  takeListeners(): number[];
}

export interface LibraryProbesLimits {
  /** Hits of one file in a second, three seconds in a row: it is taken off. */
  hitsPerSecond: number;
  /** Processes looked at in one step. */
  processesPerStep: number;
}

/**
 * For each processor some 4,000 small requests a second over TLS. At 1.5 microseconds a hit that is 4 % of the machine; where
 * traps are dear (nested virtualization: 15 microseconds), over a third.
 */
const HITS_PER_PROCESSOR = 25_000;
const DEFAULT_LIMITS: LibraryProbesLimits = {
  hitsPerSecond: HITS_PER_PROCESSOR * availableParallelism(),
  processesPerStep: 16,
};
/** Goroutines are found on this architecture only: see bpf/lib/unit.h. */
const CAN_PROBE_GO = arch() === 'x64';
const BUSY_SECONDS = 3;
const BUDGET_CHECK_MS = 1000;
const USERS_CHECK_MS = 30_000;
/** A process that serves is looked at again, since it may load a library later: at these distances, doubling. */
const FIRST_LOOK_AGAIN_MS = 1000;
const LAST_LOOK_AGAIN_MS = 300_000;
const MAX_QUEUE = 1024;
const MAX_REMEMBERED = 4096;
/** It is enough to know some that live. */
const MAX_USERS = 64;

/** How often the functions of a library in one file were hit, by whatever process. */
export interface ProbeUse {
  readonly library: string;
  readonly path: string;
  readonly hits: number;
}

interface ProbedFile {
  readonly key: string;
  readonly path: string;
  readonly library: Library;
  readonly slot: number;
  readonly links: Pointer[];
  /** Processes that were seen to have it. */
  readonly users: Set<number>;
  /** The slot's counter when it was read last. */
  counter: number;
  /** Hits up to then. */
  hits: number;
  busySeconds: number;
}

interface Look {
  nextMs: number;
  pauseMs: number;
}

/** Why plaintext or hand-overs may be missing; told as losses. */
export type ProbeLoss =
  | 'library-too-busy'
  | 'library-not-probed'
  | 'library-table-full'
  | 'process-not-looked-at';

/**
 * Finds the libraries of processes that serve, and keeps their functions probed. A probe belongs to a file, so one
 * is enough for all processes that have the file, in whatever container, and for those that are started later.
 */
export class LibraryProbes implements Disposable {
  readonly #host: ProbeHost;
  readonly #limits: LibraryProbesLimits;
  readonly #files = new Map<string, ProbedFile>();
  readonly #freeSlots: number[];
  /** Files without such functions, that cannot be probed, or that fired too often. */
  readonly #refused = new Set<string>();
  readonly #looks = new Map<number, Look>();
  readonly #queue = new Set<number>();
  /** Of files that are no longer probed, by library and path. */
  readonly #usedBefore = new Map<string, ProbeUse>();
  readonly #runtimes: UnitRuntimes;
  #losses = new Map<ProbeLoss, number>();
  #budgetMs = -Infinity;
  #usersMs = -Infinity;

  constructor(host: ProbeHost, limits: Partial<LibraryProbesLimits> = {}) {
    this.#host = host;
    this.#runtimes = new UnitRuntimes(host);
    this.#limits = { ...DEFAULT_LIMITS, ...limits };
    this.#freeSlots = Array.from({ length: host.slots }, (_, index) => host.slots - 1 - index);
  }

  /** Looks at every process that there is. */
  begin(): void {
    for (const pid of processIds()) this.#lookAt(pid);
    this.#host.takeListeners();
  }

  /** What is probed, for people. */
  describe(): string[] {
    return [...this.#files.values()].map(({ library, path }) => `${library.name} in ${path}`);
  }

  /** Hits since the start, of what is probed and what was. What a trap costs is everywhere else, their number is not. */
  use(): ProbeUse[] {
    const sums = new Map(this.#usedBefore);
    for (const file of this.#files.values()) {
      this.#countHits(file);
      addUse(sums, file);
    }
    return [...sums.values()];
  }

  /** The process accepts connections: it will be looked at, unless it was a short while ago. */
  serves(pid: number, nowMs: number): void {
    const look = this.#looks.get(pid);
    if (look !== undefined && nowMs < look.nextMs) return;
    if (this.#queue.size >= MAX_QUEUE) this.#lose('process-not-looked-at');
    else this.#queue.add(pid);
  }

  /** The process is another program now, or none. */
  forget(pid: number): void {
    this.#looks.delete(pid);
    this.#runtimes.forget(pid);
  }

  /** Does what is due. To be called often; mostly there is nothing. */
  step(nowMs: number): void {
    for (const pid of this.#host.takeListeners()) {
      this.#looks.delete(pid);
      this.serves(pid, nowMs);
    }
    let left = this.#limits.processesPerStep;
    for (const pid of this.#queue) {
      if (left-- === 0) break;
      this.#queue.delete(pid);
      this.#noteLook(pid, nowMs);
      this.#lookAt(pid);
    }
    if (nowMs - this.#budgetMs >= BUDGET_CHECK_MS) this.#checkBudgets(nowMs);
    if (nowMs - this.#usersMs >= USERS_CHECK_MS) this.#checkUsers(nowMs);
  }

  /** Losses since the last call, by reason; null for none. */
  takeLosses(): Record<string, number> | null {
    if (this.#losses.size === 0) return null;
    const losses = Object.fromEntries(this.#losses);
    this.#losses = new Map();
    return losses;
  }

  [Symbol.dispose](): void {
    for (const file of this.#files.values()) this.#detach(file);
  }

  #lose(reason: ProbeLoss): void {
    this.#losses.set(reason, (this.#losses.get(reason) ?? 0) + 1);
  }

  #noteLook(pid: number, nowMs: number): void {
    const pauseMs = Math.min(
      (this.#looks.get(pid)?.pauseMs ?? 0) * 2 || FIRST_LOOK_AGAIN_MS,
      LAST_LOOK_AGAIN_MS,
    );
    if (this.#looks.size >= MAX_REMEMBERED) this.#looks.clear();
    this.#looks.set(pid, { nextMs: nowMs + pauseMs, pauseMs });
  }

  #lookAt(pid: number): void {
    const files = readMappings(pid);
    if (files.length === 0) return;
    const program = programOf(pid);
    for (const file of files) {
      const isProgram = file.path === program;
      for (const library of librariesOf(file.path, isProgram)) {
        if (!this.#host.purposes.has(library.purpose)) continue;
        if (library.isGo === true && !(CAN_PROBE_GO && this.#host.purposes.has('runtime'))) continue;
        const { beside, units } = library;
        if (beside !== undefined && !files.some(({ path }) => beside.test(path))) continue;
        if (units === undefined) this.#use(file, library, pid);
        else this.#useUnits(file, library, units, pid, files);
      }
      if (isProgram && this.#host.purposes.has('runtime')) this.#runtimes.lookAtProgram(pid, file);
    }
  }

  #use(file: MappedFile, library: Library, pid: number): void {
    const probed = this.#files.get(keyOf(file, library));
    if (probed === undefined) this.#probe(file, library, pid);
    else if (probed.users.size < MAX_USERS) probed.users.add(pid);
  }

  /** First the probes, then the process: a unit that was not seen being made must not be mistaken for an older one. */
  #useUnits(
    file: MappedFile,
    library: Library,
    kind: UnitKind,
    pid: number,
    files: readonly MappedFile[],
  ): void {
    if (this.#runtimes.isTold(pid)) return;
    const layout = this.#runtimes.uses(pid, file, kind);
    if (layout === null) return;
    this.#use(file, library, pid);
    if (this.#files.has(keyOf(file, library))) {
      const readsOutside = files.some(({ path }) => UVLOOP.test(path));
      this.#runtimes.begin(pid, { ...layout, readsOutside });
    }
  }

  #probe(mapped: MappedFile, library: Library, pid: number): void {
    // An inode's number is given to another file one day, so the size is part of what is remembered.
    try {
      using file = new OpenFile(mapped.handle);
      const identity = `${keyOf(mapped, library)}:${file.sizeBytes}`;
      if (this.#refused.has(identity)) return;
      const wasProbed = this.#probeFile(mapped, library, pid, file);
      if (!wasProbed) this.#refuse(identity);
    } catch {
      // The process is gone, or has unmapped it: whoever has it as well will be looked at.
    }
  }

  #refuse(identity: string): void {
    if (this.#refused.size >= MAX_REMEMBERED) this.#refused.clear();
    this.#refused.add(identity);
  }

  #probeFile(mapped: MappedFile, library: Library, pid: number, file: OpenFile): boolean {
    const functions = findFunctions(file, library.functions, library.isGo);
    if (!library.needs.every((names) => names.some((name) => functions.has(name)))) return false;
    const slot = this.#freeSlots.pop();
    if (slot === undefined) {
      this.#lose('library-table-full');
      return false;
    }
    const links: Pointer[] = [];
    let isWhole = true;
    for (const { symbol, enter, exit, unless } of library.functions) {
      const at = functions.get(symbol);
      if (at === undefined || (unless !== undefined && functions.has(unless))) continue;
      const offset = probeOffset(file, at);
      for (const [name, isReturn] of [[enter, false] as const, [exit, true] as const]) {
        if (name === undefined) continue;
        const link = this.#host.attach(name, isReturn, file.path, offset, slot);
        if (link === null) isWhole = false;
        else links.push(link);
      }
    }
    const probed: ProbedFile = {
      key: keyOf(mapped, library),
      path: mapped.path,
      library,
      slot,
      links,
      users: new Set([pid]),
      counter: this.#host.hits(slot),
      hits: 0,
      busySeconds: 0,
    };
    if (!isWhole) {
      // Half of a conversation misleads.
      this.#lose('library-not-probed');
      this.#detach(probed);
      return false;
    }
    this.#files.set(probed.key, probed);
    this.#tellActive();
    return true;
  }

  /** @returns hits since the last call */
  #countHits(file: ProbedFile): number {
    const counter = this.#host.hits(file.slot);
    const fresh = (counter - file.counter) >>> 0;
    file.counter = counter;
    file.hits += fresh;
    return fresh;
  }

  #detach(file: ProbedFile): void {
    this.#countHits(file);
    if (this.#usedBefore.size < MAX_REMEMBERED || this.#usedBefore.has(useKey(file)))
      addUse(this.#usedBefore, file);
    for (const link of file.links.splice(0)) this.#host.detach(link);
    this.#freeSlots.push(file.slot);
    this.#files.delete(file.key);
    this.#tellActive();
  }

  #tellActive(): void {
    this.#host.setActive([...this.#files.values()].some(({ library }) => library.purpose === 'tls'));
  }

  #checkBudgets(nowMs: number): void {
    const seconds = (nowMs - this.#budgetMs) / 1000;
    this.#budgetMs = nowMs;
    for (const file of this.#files.values()) {
      const rate = this.#countHits(file) / seconds;
      file.busySeconds = rate > this.#limits.hitsPerSecond ? file.busySeconds + 1 : 0;
      if (file.busySeconds < BUSY_SECONDS) continue;
      this.#lose('library-too-busy');
      if (file.library.units !== undefined) this.#runtimes.giveUp(file.library.units);
      this.#detach(file);
      this.#refuseProbed(file);
    }
  }

  /** It stays off: coming and going would cost more, and surprise. */
  #refuseProbed(file: ProbedFile): void {
    for (const pid of file.users)
      for (const mapped of readMappings(pid)) {
        if (keyOf(mapped, file.library) !== file.key) continue;
        try {
          using open = new OpenFile(mapped.handle);
          this.#refuse(`${file.key}:${open.sizeBytes}`);
          return;
        } catch {
          // Ask the next one.
        }
      }
  }

  /** Takes off what nobody has any more. Of those who have it only some are known, so then everybody is asked. */
  #checkUsers(nowMs: number): void {
    this.#usersMs = nowMs;
    let isAsked = false;
    for (const file of this.#files.values()) {
      for (const pid of file.users) if (!existsSync(`/proc/${pid}`)) file.users.delete(pid);
      if (file.users.size > 0) continue;
      if (!isAsked) {
        isAsked = true;
        for (const pid of processIds()) this.#lookAt(pid);
      }
      if (file.users.size === 0) this.#detach(file);
    }
  }
}

/** A file may hold several libraries. */
function keyOf(file: MappedFile, library: Library): string {
  return `${file.key}:${library.name}`;
}

function useKey({ library, path }: ProbedFile): string {
  return `${library.name} ${path}`;
}

function addUse(sums: Map<string, ProbeUse>, file: ProbedFile): void {
  const { library, path, hits } = file;
  if (hits === 0) return;
  const before = sums.get(useKey(file))?.hits ?? 0;
  sums.set(useKey(file), { library: library.name, path, hits: before + hits });
}

function processIds(): number[] {
  try {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number);
  } catch {
    return [];
  }
}

function programOf(pid: number): string {
  try {
    return readlinkSync(`/proc/${pid}/exe`);
  } catch {
    return '';
  }
}
