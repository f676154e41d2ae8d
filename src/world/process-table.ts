import type { ExecutableFile } from '../model/executable.ts';
import type { EventHeader, ExecEvent, ExitEvent, Fact, ForkEvent } from '../model/event.ts';
import type { Process } from '../model/process.ts';
import { linkParent, MAX_ANCESTORS } from './ancestry.ts';
import { Accounts } from './accounts.ts';
import { Cgroups, type Cgroup } from './cgroups.ts';
import { ExecutableFiles } from './executable-files.ts';
import { MutableProcess } from './mutable-process.ts';
import { RetiredProcesses } from './retired-processes.ts';

type ProcessFact = Extract<Fact, { kind: 'process' }>;
export type WorldFact = Extract<Fact, { kind: 'process' | 'cgroup' | 'container' | 'user' | 'group' }>;

export interface ProcessTableLimits {
  /** More processes than that at once, and the oldest stubs are set aside, then the oldest of all. */
  living: number;
  /** Exited processes that late events still find. */
  retired: number;
  /** Arguments of these together. */
  retiredArgvBytes: number;
  /** So long after its exit a process is still found, in nanoseconds. */
  retiredNs: number;
  cgroups: number;
  /** And as many groups. */
  users: number;
}

const DEFAULT_LIMITS: ProcessTableLimits = {
  living: 65_536,
  retired: 4096,
  retiredArgvBytes: 16 * 1024 * 1024,
  retiredNs: 60e9,
  cgroups: 16_384,
  users: 65_536,
};

/** Part of a full table that is left after an eviction. With few entries allowed that is one less. */
const EVICT_DOWN_TO = 63 / 64;

/** What went missing or was given up. Each number only grows. */
export interface ProcessTableCounters {
  /** Processes first met by an event of their own: their fork was lost, or /proc was read too early. */
  unseen: number;
  /** Stubs that an exec, a fork event or a fact completed. */
  stubsCompleted: number;
  /** Pids that a new process took while the old one's exit had not been seen. */
  exitsLost: number;
  /** Exits of processes of which nothing else had been seen (yet). */
  exitsOfUnseen: number;
  /** Set aside because the table was full. */
  stubsEvicted: number;
  processesEvicted: number;
  /** Parent and child that cannot be: the parent started later, or is its own descendant. */
  linksRefused: number;
  /** Users and groups beyond the limit. */
  usersIgnored: number;
}

/**
 * Every process of the host, by pid and start time. Kept by events, of which any may be lost, late by some
 * microseconds or about a pid that has been taken over since; seeded by facts. Nothing throws, memory is bounded.
 *
 * A thread that execs takes over the pid and the start time of its group leader, so identity outlives it.
 */
export class ProcessTable {
  readonly counters: ProcessTableCounters = {
    unseen: 0,
    stubsCompleted: 0,
    exitsLost: 0,
    exitsOfUnseen: 0,
    stubsEvicted: 0,
    processesEvicted: 0,
    linksRefused: 0,
    usersIgnored: 0,
  };
  readonly executables = new ExecutableFiles();
  readonly #limits: ProcessTableLimits;
  /** Newest holder of each pid, in the order in which they were met. */
  readonly #living = new Map<number, MutableProcess>();
  /** Those of them that are stubs, oldest first. */
  readonly #stubs = new Set<MutableProcess>();
  readonly #retired: RetiredProcesses;
  readonly #cgroups: Cgroups;
  readonly #accounts: Accounts;
  /** Time of the newest fork, exec or exit: facts carry none. */
  #latestNs = 0;

  constructor(limits: Partial<ProcessTableLimits> = {}) {
    this.#limits = { ...DEFAULT_LIMITS, ...limits };
    const { retired, retiredArgvBytes, retiredNs, cgroups } = this.#limits;
    this.#retired = new RetiredProcesses({
      entries: retired,
      argvBytes: retiredArgvBytes,
      keptNs: retiredNs,
    });
    this.#accounts = new Accounts(this.#limits.users);
    this.#cgroups = new Cgroups(cgroups, () => this.#living.values());
  }

  get livingCount(): number {
    return this.#living.size;
  }

  get retiredCount(): number {
    return this.#retired.size;
  }

  /**
   * The process that an event is about. One that was never seen gets a stub, completed by what comes later.
   * Called for every event: the known process in its known cgroup costs one look-up and two compares.
   */
  processOf(header: EventHeader): Process {
    const process = this.#living.get(header.pid);
    if (
      process !== undefined &&
      process.startTicks === header.startTicks &&
      process.cgroupId === header.cgroupId
    ) {
      return process;
    }
    return this.#processOf(header);
  }

  /** The process that has this number as far as is known; null where none is known. */
  living(pid: number): Process | null {
    return this.#living.get(pid) ?? null;
  }

  /** What is known of a cgroup; null where its id was never seen. */
  cgroupOf(id: number): Cgroup | null {
    return this.#cgroups.find(id);
  }

  /** A process that lives or exited a short while ago. */
  lookup(pid: number, startTicks: number): Process | null {
    return this.#find(pid, startTicks);
  }

  /** Id of the container that a cgroup belongs to; null on the host, and where nothing is known of it. */
  containerOf(cgroupId: number): string | null {
    return cgroupId === 0 ? null : this.#cgroups.get(cgroupId).containerId;
  }

  /** The file that a process runs: of one that was there before the agent, known by the process alone; null for none. */
  fileOf(process: Process): ExecutableFile | null {
    if (process.file !== null && process.file !== undefined) return process.file;
    if (process.executable === '' || !(process instanceof MutableProcess)) return null;
    process.file = this.executables.ofProcess(process);
    return process.file;
  }

  /** Parent, grandparent and so on: at most 32. */
  ancestors(process: Process): Process[] {
    const ancestors: Process[] = [];
    let node: Process | null = this.#parentOf(process);
    while (node !== null && ancestors.length < MAX_ANCESTORS) {
      ancestors.push(node);
      node = this.#parentOf(node);
    }
    return ancestors;
  }

  applyFact(fact: WorldFact): void {
    switch (fact.kind) {
      case 'process':
        this.#applyProcessFact(fact);
        return;
      case 'cgroup':
        this.#cgroups.learn(fact.cgroupId, fact.paths);
        return;
      case 'container':
        this.#cgroups.learnContainer(fact);
        return;
      case 'user':
      case 'group':
        if (!this.#accounts.learn(fact)) this.counters.usersIgnored++;
    }
  }

  /** A new process. Of a child that is known already (its own events came first) only what is missing is filled in. */
  applyFork(event: ForkEvent): Process {
    this.#advance(event.timeNs);
    const parent = this.#processOf(event);
    const known = this.#find(event.childPid, event.childStartTicks);
    const child = known ?? this.#insert(event.childPid, event.childStartTicks, parent.cgroup);
    if (child.reportedParentPid === 0) child.reportedParentPid = parent.pid;
    if (child.isStub && child !== parent) {
      child.copyProgram(parent);
      this.#programLearned(child, known !== null);
    }
    this.#link(child, parent);
    return child;
  }

  /** The process runs another program now. */
  applyExec(event: ExecEvent): Process {
    this.#advance(event.timeNs);
    const process = this.#processOf(event);
    process.comm = event.comm;
    process.executable = event.executable;
    process.inode = event.inode;
    process.argv = event.argv;
    process.argvTruncated = event.isTruncated;
    process.workingDirectory = event.workingDirectory;
    process.uid = event.uid;
    process.gid = event.gid;
    process.groups = event.groups;
    process.effectiveUid = event.effectiveUid;
    process.executedNs = event.timeNs;
    process.stdio = event.stdio;
    process.details = event.details ?? null;
    process.file = this.executables.executedBy(event);
    process.environment = event.environment ?? null;
    process.reportedParentPid = event.parentPid;
    this.#completed(process);
    this.#parentOf(process);
    return process;
  }

  /** @returns the process that ended, or null where nothing had been seen of it */
  applyExit(event: ExitEvent): Process | null {
    this.#advance(event.timeNs);
    const known = this.#find(event.pid, event.startTicks);
    // Its fork may still come: remembered, so that it will not count as living for ever.
    const process = known ?? this.#insert(event.pid, event.startTicks, this.#cgroups.get(event.cgroupId));
    if (known === null) this.counters.exitsOfUnseen++;
    if (process.exitCode === null) {
      process.exitedNs = event.timeNs;
      process.exitCode = event.code;
    }
    if (this.#living.get(process.pid) === process) this.#retire(process);
    return known;
  }

  #processOf(header: EventHeader): MutableProcess {
    let process = this.#find(header.pid, header.startTicks);
    if (process === null) {
      this.counters.unseen++;
      process = this.#insert(header.pid, header.startTicks, this.#cgroups.get(header.cgroupId));
    } else if (process.exitedNs === null && !this.#living.has(process.pid)) {
      // It was set aside when the table was full, and shows that it lives.
      this.#retired.remove(process);
      this.#addLiving(process);
    }
    if (process.cgroupId !== header.cgroupId && header.cgroupId !== 0) {
      process.moveTo(this.#cgroups.get(header.cgroupId));
    }
    return process;
  }

  #applyProcessFact(fact: ProcessFact): void {
    const known = this.#find(fact.pid, fact.startTicks);
    const process = known ?? this.#insert(fact.pid, fact.startTicks, this.#cgroups.get(fact.cgroupId));
    // Of a program that an exec event described, /proc knows less: it decides only where that exec was lost.
    const isOtherProgram = fact.executable !== '' && fact.executable !== process.executable;
    if (process.isStub || isOtherProgram) {
      process.forgetProgram();
      process.executable = fact.executable;
      process.argv = fact.argv;
      if (fact.environment !== undefined) process.environment = { variables: fact.environment, isCut: false };
    }
    process.comm = fact.comm;
    process.workingDirectory = fact.workingDirectory;
    process.uid = fact.uid;
    process.gid = fact.gid;
    process.reportedParentPid = fact.parentPid;
    if (fact.cgroupId !== 0 && fact.cgroupId !== process.cgroupId) {
      process.moveTo(this.#cgroups.get(fact.cgroupId));
    }
    if (known === null) {
      process.isStub = false;
      this.#stubs.delete(process);
    } else {
      this.#completed(process);
    }
    this.#parentOf(process);
  }

  #find(pid: number, startTicks: number): MutableProcess | null {
    const process = this.#living.get(pid);
    if (process !== undefined && process.startTicks === startTicks) return process;
    return this.#retired.find(pid, startTicks);
  }

  /** A stub. Where a newer process has the pid already, it goes straight to the retired. */
  #insert(pid: number, startTicks: number, cgroup: Cgroup): MutableProcess {
    const process = new MutableProcess(pid, startTicks, cgroup, this.#accounts);
    const holder = this.#living.get(pid);
    if (holder !== undefined && holder.startTicks > startTicks) {
      process.exitedNs = this.#latestNs;
      this.#retired.add(process, this.#latestNs);
      return process;
    }
    if (holder !== undefined) {
      this.counters.exitsLost++;
      // The latest that it can have been; its code stays unknown.
      holder.exitedNs = this.#latestNs;
      this.#retire(holder);
    }
    this.#addLiving(process);
    return process;
  }

  #addLiving(process: MutableProcess): void {
    if (this.#living.size >= this.#limits.living) this.#evict();
    this.#living.set(process.pid, process);
    if (process.isStub) this.#stubs.add(process);
  }

  /**
   * Makes room for some. Who is evicted wrongly comes back with its next event, if that is not too long in coming.
   * Several at once: the first of a map is found slowly where many before it were deleted.
   */
  #evict(): void {
    const left = Math.floor(this.#limits.living * EVICT_DOWN_TO);
    for (const candidates of [this.#stubs, this.#living.values()]) {
      for (const victim of candidates) {
        if (this.#living.size <= left) return;
        if (victim.isStub) this.counters.stubsEvicted++;
        else this.counters.processesEvicted++;
        this.#retire(victim);
      }
      // Stubs alone were enough: nobody else has to go.
      if (this.#living.size < this.#limits.living) return;
    }
  }

  #retire(process: MutableProcess): void {
    this.#living.delete(process.pid);
    this.#stubs.delete(process);
    this.#retired.add(process, this.#latestNs);
  }

  #completed(process: MutableProcess): void {
    if (!process.isStub) return;
    process.isStub = false;
    this.#programLearned(process, true);
  }

  #programLearned(process: MutableProcess, wasKnown: boolean): void {
    if (process.isStub) return;
    this.#stubs.delete(process);
    if (wasKnown) this.counters.stubsCompleted++;
  }

  /**
   * The parent of a process; looked up by pid where no fork event told it. Whoever has the parent's pid and started
   * before the child is the one who had it then.
   */
  #parentOf(process: Process): Process | null {
    if (process.parent !== null || !(process instanceof MutableProcess)) return process.parent;
    const holder = this.#living.get(process.reportedParentPid);
    if (holder !== undefined && holder !== process && holder.startTicks <= process.startTicks) {
      this.#link(process, holder);
    }
    return process.parent;
  }

  #link(child: MutableProcess, parent: MutableProcess): void {
    if (!linkParent(child, parent)) this.counters.linksRefused++;
  }

  #advance(timeNs: number): void {
    if (timeNs > this.#latestNs) this.#latestNs = timeNs;
  }
}
