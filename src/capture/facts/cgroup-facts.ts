import { dropOldest } from '../../base/oldest.ts';
import type { ByteString } from '../../base/bytes.ts';
import type { Fact } from '../../model/event.ts';

type CgroupFact = Extract<Fact, { kind: 'cgroup' }>;

/** Cgroups whose path has been told; should there ever be more, all are told again. */
const KNOWN = 16_384;
/** A cgroup whose path was not found is left alone so long: for one, all are walked through at most once a second. */
const UNRESOLVED_FOR_MS = 1000;
const MAX_UNRESOLVED = 4096;

/**
 * Tells the path of each cgroup once: as the kernel says it when the cgroup is made, or as it is found for one that was
 * there before, or whose making was lost.
 */
export class CgroupFacts {
  readonly #resolve: (cgroupId: number, pid: number) => CgroupFact | null;
  readonly #nowMs: () => number;
  readonly #known = new Set<number>();
  /** Cgroups whose path was not found, and when it is looked for again. */
  readonly #unresolved = new Map<number, number>();

  /**
   * @param resolve looks for the path of a cgroup that a process was in
   * @param nowMs a steady clock in milliseconds
   */
  constructor(
    resolve: (cgroupId: number, pid: number) => CgroupFact | null,
    nowMs: () => number = () => performance.now(),
  ) {
    this.#resolve = resolve;
    this.#nowMs = nowMs;
  }

  /** A cgroup was made: a short container's is gone before it could be looked for. */
  made(cgroupId: number, path: ByteString): CgroupFact {
    return this.#told({ kind: 'cgroup', cgroupId, paths: [path] });
  }

  /** An event, or a process, is of this cgroup. null where it was told before, or is not found (yet). */
  seen(cgroupId: number, pid: number): CgroupFact | null {
    if (cgroupId === 0 || this.#known.has(cgroupId)) return null;
    const nowMs = this.#nowMs();
    if ((this.#unresolved.get(cgroupId) ?? -Infinity) > nowMs) return null;
    const fact = this.#resolve(cgroupId, pid);
    if (fact !== null) return this.#told(fact);
    this.#unresolved.delete(cgroupId);
    if (this.#unresolved.size >= MAX_UNRESOLVED) dropOldest(this.#unresolved);
    this.#unresolved.set(cgroupId, nowMs + UNRESOLVED_FOR_MS);
    return null;
  }

  #told(fact: CgroupFact): CgroupFact {
    if (this.#known.size >= KNOWN) this.#known.clear();
    this.#known.add(fact.cgroupId);
    this.#unresolved.delete(fact.cgroupId);
    return fact;
  }
}
