import { readdirSync } from 'node:fs';
import { UNIFIED, type CgroupHierarchy } from '../../model/cgroup-hierarchy.ts';
import type { Fact } from '../../model/event.ts';
import { hierarchyMounts, inodeInMounts, pathInHierarchy } from './cgroup-mounts.ts';
import { inodeOf, readProcFile } from './proc-files.ts';

type CgroupFact = Extract<Fact, { kind: 'cgroup' }>;

/** Directories that one walk visits at most. A busy Kubernetes node has some thousand cgroups. */
const MAX_DIRECTORIES = 8192;
/** A walk holds up the events behind it: at most so long, whatever was found by then. */
const MAX_WALK_MS = 100;
const WALK_EVERY_MS = 1000;
/** An id that nothing knows is not searched for again that soon: its cgroup is gone as a rule. */
const UNKNOWN_FOR_MS = 5000;
const MAX_UNKNOWN = 4096;

/** Finds the paths of a cgroup by the id that events carry. */
export class CgroupReader {
  readonly #procRoot: string;
  readonly #hierarchy: CgroupHierarchy;
  readonly #nowMs: () => number;
  /** Path in the hierarchy of each id that the last walk met. */
  #paths = new Map<number, string>();
  #walkedMs = -Infinity;
  #knownMounts: string[] = [];
  #mountsReadMs = -Infinity;
  /** When each unknown id may be tried again, least recently asked first. */
  readonly #unknown = new Map<number, number>();

  /**
   * @param hierarchy whose ids they are
   * @param nowMs a steady clock in milliseconds
   */
  constructor(
    procRoot = '/proc',
    hierarchy: CgroupHierarchy = UNIFIED,
    nowMs: () => number = () => performance.now(),
  ) {
    this.#procRoot = procRoot;
    this.#hierarchy = hierarchy;
    this.#nowMs = nowMs;
  }

  /** Ids remembered as unknown. */
  get unknownCount(): number {
    return this.#unknown.size;
  }

  /**
   * @param pid a process that was in the cgroup when the id was seen; it may be gone, moved, or another by now
   * @returns all lines of /proc/PID/cgroup, or else the path in the hierarchy's mount; null where neither is to be had. Of one of
   *   version 1 its path alone: the other lines are not those of every process with this id.
   */
  resolve(cgroupId: number, pid: number): CgroupFact | null {
    const paths = this.#pathsByProcess(cgroupId, pid) ?? this.#pathsByWalk(cgroupId);
    if (paths === null) return null;
    this.#unknown.delete(cgroupId);
    return { kind: 'cgroup', cgroupId, paths };
  }

  #pathsByProcess(cgroupId: number, pid: number): string[] | null {
    const text = readProcFile(`${this.#procRoot}/${pid}/cgroup`);
    if (text === null) return null;
    const path = pathInHierarchy(text, this.#hierarchy);
    if (path === null) return null;
    const mounts = this.#mounts();
    // Without a mount there is nothing to check the id against, and the process is probably still the same.
    if (mounts.length > 0 && inodeInMounts(mounts, path) !== cgroupId) return null;
    if (this.#hierarchy.controller !== null) return [path];
    return text.split('\n').filter((line) => line !== '');
  }

  #pathsByWalk(cgroupId: number): string[] | null {
    const nowMs = this.#nowMs();
    const known = this.#paths.get(cgroupId);
    if (known !== undefined) return [known];
    if ((this.#unknown.get(cgroupId) ?? -Infinity) > nowMs) return null;
    if (nowMs - this.#walkedMs < WALK_EVERY_MS) return null;
    this.#walk();
    this.#walkedMs = this.#nowMs();
    const path = this.#paths.get(cgroupId);
    if (path !== undefined) return [path];
    this.#remember(cgroupId, nowMs + UNKNOWN_FOR_MS);
    return null;
  }

  /** A host with many containers has long lists of mounts, and this one hardly changes. */
  #mounts(): string[] {
    const nowMs = this.#nowMs();
    if (nowMs - this.#mountsReadMs >= WALK_EVERY_MS) {
      this.#knownMounts = hierarchyMounts(this.#procRoot, this.#hierarchy);
      this.#mountsReadMs = nowMs;
    }
    return this.#knownMounts;
  }

  #remember(cgroupId: number, untilMs: number): void {
    this.#unknown.delete(cgroupId);
    this.#unknown.set(cgroupId, untilMs);
    if (this.#unknown.size <= MAX_UNKNOWN) return;
    for (const oldest of this.#unknown.keys()) {
      this.#unknown.delete(oldest);
      return;
    }
  }

  /** Breadth first: services and containers lie near the root, what is below them is theirs. */
  #walk(): void {
    const paths = new Map<number, string>();
    const untilMs = this.#nowMs() + MAX_WALK_MS;
    for (const mount of this.#mounts()) {
      const waiting = ['/'];
      for (const path of waiting) {
        const folder = Buffer.from(path === '/' ? mount : mount + path, 'latin1');
        const inode = inodeOf(folder);
        if (inode === null) continue;
        if (!paths.has(inode)) paths.set(inode, path);
        if (paths.size >= MAX_DIRECTORIES || this.#nowMs() > untilMs) break;
        for (const name of directoriesIn(folder)) waiting.push(path === '/' ? `/${name}` : `${path}/${name}`);
      }
    }
    this.#paths = paths;
  }
}

/** Names as byte strings. A directory that vanished has none. */
function directoriesIn(folder: Buffer): string[] {
  const names: string[] = [];
  try {
    for (const entry of readdirSync(folder, { withFileTypes: true, encoding: 'latin1' })) {
      if (entry.isDirectory()) names.push(entry.name);
    }
  } catch {
    // Gone before it was read.
  }
  return names;
}
