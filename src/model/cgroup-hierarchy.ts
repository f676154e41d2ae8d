/** Controllers whose hierarchy of version 1 can tell whose events are: engines put each container into all of them. */
export const CGROUP_CONTROLLERS = ['pids', 'memory', 'devices'] as const;
export type CgroupController = (typeof CGROUP_CONTROLLERS)[number];

/** The hierarchy of cgroups whose ids events carry. */
export interface CgroupHierarchy {
  /** Of version 1; null: the unified hierarchy (version 2). */
  readonly controller: CgroupController | null;
  /** As in /proc/cgroups; 0 for the unified one. */
  readonly number: number;
  /** Why this one, for people. */
  readonly reason: string;
}

export const UNIFIED: CgroupHierarchy = { controller: null, number: 0, reason: '' };

/** As people know it. */
export function hierarchyName({ controller }: CgroupHierarchy): string {
  return controller === null ? 'unified (v2)' : `${controller} (v1)`;
}
