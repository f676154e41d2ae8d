import { dropOldest } from '../base/oldest.ts';
import type { Container } from '../model/container.ts';
import { parseCgroupPaths, unifiedPaths } from './cgroup-path.ts';

/** What is known of one cgroup. Shared by its processes: a late fact fills all of them at once. */
export interface Cgroup {
  readonly id: number;
  containerId: string | null;
  serviceUnit: string | null;
  podUid: string | null;
  /** What its runtime told of the container; null: nothing yet. */
  container: Container | null;
}

/** Containers of which something was told. Cgroups that have theirs keep it, whatever is forgotten here. */
const MAX_CONTAINERS = 4096;

/** Cgroups by id. When there are too many, those without a living process are forgotten, oldest first. */
export class Cgroups {
  readonly #cgroups = new Map<number, Cgroup>();
  readonly #containers = new Map<string, Container>();
  readonly #limit: number;
  readonly #living: () => Iterable<{ readonly cgroup: Cgroup }>;

  /** @param living the living processes, asked for only when there are too many cgroups */
  constructor(limit: number, living: () => Iterable<{ readonly cgroup: Cgroup }>) {
    this.#limit = limit;
    this.#living = living;
  }

  /** The cgroup of an id, empty where nothing is known yet. */
  get(id: number): Cgroup {
    const known = this.#cgroups.get(id);
    if (known !== undefined) return known;
    if (this.#cgroups.size >= this.#limit) this.#makeRoom();
    const cgroup = { id, containerId: null, serviceUnit: null, podUid: null, container: null };
    this.#cgroups.set(id, cgroup);
    return cgroup;
  }

  /** @param paths as in the fact 'cgroup' */
  learn(id: number, paths: readonly string[]): void {
    const identity = parseCgroupPaths(unifiedPaths(paths));
    const cgroup = this.get(id);
    cgroup.containerId = identity.containerId;
    cgroup.serviceUnit = identity.serviceUnit;
    cgroup.podUid = identity.podUid ?? null;
    cgroup.container = this.#containers.get(identity.containerId ?? '') ?? null;
  }

  /** What was told counts for all cgroups of the container, those to come too. */
  learnContainer(container: Container): void {
    this.#containers.delete(container.id);
    if (this.#containers.size >= MAX_CONTAINERS) dropOldest(this.#containers);
    this.#containers.set(container.id, container);
    for (const cgroup of this.#cgroups.values())
      if (cgroup.containerId === container.id) cgroup.container = container;
  }

  /** null where the id was never seen. */
  find(id: number): Cgroup | null {
    return this.#cgroups.get(id) ?? null;
  }

  /** It takes a pass over all processes: enough goes at once that it is seldom done. */
  #makeRoom(): void {
    const used = new Set<Cgroup>();
    for (const { cgroup } of this.#living()) used.add(cgroup);
    this.#forget(this.#limit / 2, (cgroup) => !used.has(cgroup));
    // Nearly all in use: the oldest go even so. Their processes keep what they have.
    this.#forget((this.#limit * 7) / 8, () => true);
  }

  #forget(left: number, isForgotten: (cgroup: Cgroup) => boolean): void {
    for (const [id, cgroup] of this.#cgroups) {
      if (this.#cgroups.size <= left) return;
      if (isForgotten(cgroup)) this.#cgroups.delete(id);
    }
  }
}
