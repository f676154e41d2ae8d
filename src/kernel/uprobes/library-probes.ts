import { existsSync, readdirSync, readlinkSync } from 'node:fs';
import { arch, availableParallelism } from 'node:os';
import { UnitRuntimes, type UnitHost } from '../runtimes/unit-runtimes.ts';
import type { UnitLayout } from '../runtimes/unit-layout.ts';
import { findFunctions } from './find-functions.ts';
import { librariesOf, UVLOOP, type Library, type Purpose } from './libraries.ts';
import { probesOf, type FunctionProbe } from './library-functions.ts';
import { OpenFile, readMappings, type MappedFile } from './mapped-files.ts';

/** What the kernel side offers for probes. */
export interface ProbeHost extends UnitHost {
  /** What probes are wanted for: sensors that are switched on. */
  readonly purposes: ReadonlySet<Purpose>;
  /** Files that can be probed at once. */
  readonly slots: number;
  /**
   * Puts all these probes into a file.
   * @returns what takes them off; null, and none is attached, when the kernel refuses one
   */
  attach(path: string, slot: number, probes: readonly FunctionProbe[]): Disposable | null;
  /** Waits until all that is being taken off is off. */
  settle(): void;
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
  /** What looking at processes may take at the beginning. */
  beginMs: number;
}

/**
 * For each processor some 4,000 small requests a second over TLS. At 1.5 microseconds a hit that is 4 % of the machine; where
 * traps are dear (nested virtualization: 15 microseconds), over a third.
 */
const HITS_PER_PROCESSOR = 25_000;
const DEFAULT_LIMITS: LibraryProbesLimits = {
  hitsPerSecond: HITS_PER_PROCESSOR * availableParallelism(),
  processesPerStep: 16,
  beginMs: 500,
};
/**
 * Then it is for the rings to be read. A file that is new takes longer, some 40 ms for Node.js: three quarters of that to
 * find its functions. The ring of security events holds 27,000 of 150 bytes.
 */
const STEP_MS = 10;
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
  readonly probes: Disposable;
  /** Processes that were seen to have it. */
  readonly users: Set<number>;
  /** The slot's counter when it was read last. */
  counter: number;
  /** Hits up to then. */
  hits: number;
  busySeconds: number;
}

/** A process, and the files that it has code of. */
interface Looked {
  readonly pid: number;
  readonly files: readonly MappedFile[];
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
  /** Of those that were there at the beginning, the last one first. */
  #backlog: number[] = [];
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

  /**
   * Looks at every process that there is; those that do not fit into the time are left to the steps, since nobody reads
   * the rings meanwhile.
   * @param first those that matter most
   */
  begin(first: readonly number[]): void {
    this.#host.takeListeners();
    this.#backlog = [...new Set([...first, ...processIds()])].toReversed();
    this.#lookAtBacklog(performance.now() + this.#limits.beginMs);
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
    for (const pid of this.#runtimes.unfinished) this.serves(pid, nowMs);
    const deadline = performance.now() + STEP_MS;
    let left = this.#limits.processesPerStep;
    for (const pid of this.#queue) {
      if (left-- === 0 || performance.now() >= deadline) break;
      this.#queue.delete(pid);
      this.#noteLook(pid, nowMs);
      this.#lookAt(pid);
    }
    this.#lookAtBacklog(deadline);
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
    this.#host.settle();
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

  #lookAtBacklog(deadline: number): void {
    while (this.#backlog.length > 0 && performance.now() < deadline) this.#lookAt(this.#backlog.pop() ?? 0);
  }

  #lookAt(pid: number): void {
    const files = readMappings(pid);
    if (files.length === 0) return;
    const program = programOf(pid);
    const looked: Looked = { pid, files };
    for (const file of files) {
      const isProgram = file.path === program;
      const wanted = librariesOf(file.path, isProgram).filter(
        ({ purpose, beside, isGo }) =>
          this.#host.purposes.has(purpose) &&
          (isGo !== true || (CAN_PROBE_GO && this.#host.purposes.has('runtime'))) &&
          (beside === undefined || files.some(({ path }) => beside.test(path))),
      );
      const missing = wanted.filter((library) => !this.#files.has(keyOf(file, library)));
      if (missing.length > 0) this.#probe(file, missing, looked);
      for (const library of wanted) if (!missing.includes(library)) this.#use(file, library, looked);
      if (isProgram && this.#host.purposes.has('runtime')) this.#runtimes.lookAtProgram(pid, file);
    }
  }

  /**
   * The process has the library. First the probes, then the process: a unit that was not seen being made must not be
   * mistaken for an older one.
   * @param probe puts the probes in, where they are missing; false when that failed
   */
  #use(mapped: MappedFile, library: Library, { pid, files }: Looked, probe?: () => boolean): void {
    let layout: UnitLayout | null = null;
    if (library.units !== undefined) {
      if (this.#runtimes.isTold(pid)) return;
      layout = this.#runtimes.uses(pid, mapped, library.units);
      if (layout === null) return;
    }
    if (probe?.() === false) return;
    const users = this.#files.get(keyOf(mapped, library))?.users;
    if (users !== undefined && users.size < MAX_USERS) users.add(pid);
    if (layout === null) return;
    this.#runtimes.begin(pid, { ...layout, readsOutside: files.some(({ path }) => UVLOOP.test(path)) });
  }

  #probe(mapped: MappedFile, libraries: readonly Library[], looked: Looked): void {
    try {
      using file = new OpenFile(mapped.handle);
      // An inode's number is given to another file one day, so the size is part of what is remembered.
      const identityOf = (library: Library): string => `${keyOf(mapped, library)}:${file.sizeBytes}`;
      const candidates = libraries.filter((library) => !this.#refused.has(identityOf(library)));
      if (candidates.length === 0) return;
      const found = findFunctions(
        file,
        candidates.flatMap(({ functions }) => functions),
        candidates
          .filter(({ isGo }) => isGo === true)
          .flatMap((library) => library.functions.map(({ symbol }) => symbol)),
      );
      for (const library of candidates) {
        const probes = probesOf(library, found, file);
        if (probes === null) this.#refuse(identityOf(library));
        else
          this.#use(mapped, library, looked, () => {
            const isProbed = this.#attach(mapped, library, file, probes);
            if (!isProbed) this.#refuse(identityOf(library));
            return isProbed;
          });
      }
    } catch {
      // The process is gone, or has unmapped it: whoever has it as well will be looked at.
    }
  }

  #refuse(identity: string): void {
    if (this.#refused.size >= MAX_REMEMBERED) this.#refused.clear();
    this.#refused.add(identity);
  }

  #attach(
    mapped: MappedFile,
    library: Library,
    file: OpenFile,
    functions: readonly FunctionProbe[],
  ): boolean {
    const slot = this.#freeSlots.pop();
    if (slot === undefined) {
      this.#lose('library-table-full');
      return false;
    }
    const probes = this.#host.attach(file.path, slot, functions);
    if (probes === null) {
      this.#freeSlots.push(slot);
      this.#lose('library-not-probed');
      return false;
    }
    const key = keyOf(mapped, library);
    const counter = this.#host.hits(slot);
    const { path } = mapped;
    this.#files.set(key, {
      key,
      path,
      library,
      slot,
      probes,
      users: new Set(),
      counter,
      hits: 0,
      busySeconds: 0,
    });
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
    file.probes[Symbol.dispose]();
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
