import { CGROUP_BUDGET } from '../abi/abi.gen.ts';
import { BLIND_CLASSES, type BlindClass } from '../model/event.ts';

/** BUDGET_SHARES, BUDGET_RING and BUDGET_SLOTS of bpf/abi.h. */
const SHARES = 1024;
const RING_SLOT = 1025;
const SLOTS = 1026;
export const BUDGET_TABLE_BYTES = SLOTS * CGROUP_BUDGET.SIZE;

/** Security events that were lost since the last look, and from when until when. */
export interface LostEvents {
  /** The ring had no room; or it had, but not for more of this cgroup. */
  readonly reason: 'security-ring-full' | 'cgroup-budget';
  /** 0: of no cgroup in particular. */
  readonly cgroupId: number;
  /** Absent where there is no cgroup. */
  readonly what?: BlindClass;
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
      ...(slot < SHARES ? ownerOf(read(CGROUP_BUDGET.key)) : { cgroupId: 0 }),
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

/** Of whom, and of what class: below 2^53, as the ids of cgroups have been counted up from nought since the host was started. */
function ownerOf(key: number): Pick<LostEvents, 'cgroupId' | 'what'> {
  const what = BLIND_CLASSES[key % BLIND_CLASSES.length];
  const cgroupId = Math.floor(key / BLIND_CLASSES.length);
  return what === undefined ? { cgroupId } : { cgroupId, what };
}
