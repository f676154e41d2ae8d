import { CGROUP_BUDGET } from '../abi/abi.gen.ts';

/** BUDGET_CGROUPS, BUDGET_OTHERS, BUDGET_RING and BUDGET_SLOTS of bpf/abi.h. */
const RING_SLOT = 257;
const SLOTS = 258;
export const BUDGET_TABLE_BYTES = SLOTS * CGROUP_BUDGET.SIZE;

/** Security events that were lost since the last look, and from when until when. */
export interface LostEvents {
  /** The ring had no room; or it had, but not for more of this cgroup. */
  readonly reason: 'security-ring-full' | 'cgroup-budget';
  /** 0: of no cgroup in particular. */
  readonly cgroupId: number;
  readonly events: number;
  /** CLOCK_BOOTTIME. */
  readonly fromNs: number;
  readonly untilNs: number;
  /** Process whose event was lost last. */
  readonly pid: number;
}

/**
 * What the kernel side's table of budgets (bpf/lib/budget.h) says beyond what it said before. Told losses are marked in the
 * table, which lets the kernel use the place for another cgroup.
 * @param start where the table stands in the memory-mapped variables
 */
export function takeLostEvents(variables: DataView, start: number): LostEvents[] {
  const losses: LostEvents[] = [];
  for (let slot = 0; slot < SLOTS; slot++) {
    const at = start + slot * CGROUP_BUDGET.SIZE;
    const read = (field: number): number =>
      variables.getUint32(at + field, true) + variables.getUint32(at + field + 4, true) * 4294967296;
    const lost = read(CGROUP_BUDGET.lost_events);
    const events = lost - read(CGROUP_BUDGET.told_events);
    if (events <= 0) continue;
    const untilNs = read(CGROUP_BUDGET.last_lost_ns);
    losses.push({
      reason: slot === RING_SLOT ? 'security-ring-full' : 'cgroup-budget',
      cgroupId: read(CGROUP_BUDGET.cgroup_id),
      events,
      // Of processors that wrote at the same time, either may have been the last to write either.
      fromNs: Math.min(read(CGROUP_BUDGET.first_lost_ns), untilNs),
      untilNs,
      pid: variables.getUint32(at + CGROUP_BUDGET.last_pid, true),
    });
    variables.setUint32(at + CGROUP_BUDGET.told_events, lost % 4294967296, true);
    variables.setUint32(at + CGROUP_BUDGET.told_events + 4, Math.floor(lost / 4294967296), true);
  }
  return losses;
}
