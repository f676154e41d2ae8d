import type { MutableProcess } from './mutable-process.ts';

/** So many ancestors are shown, and so many exited ones are kept for a living process. */
export const MAX_ANCESTORS = 32;

/** Of a chain that is too long, the nearest and the farthest stay: who did it, and where it came from. */
const NEAREST_KEPT = MAX_ANCESTORS / 2;

/** At most so many are dropped per fork: more than one, so that a chain that grew while it lived shrinks again. */
const DROPPED_AT_ONCE = 4;

/** Processes of one clock tick that are checked for a cycle; a longer line of forks within 10 ms gets no link. */
const MAX_SAME_TICK = 1024;

/**
 * Sets the parent of a process. A parent never starts after its child, which rules out cycles, whatever the input;
 * within one clock tick the chain is walked.
 * @returns false where the two cannot be parent and child
 */
export function linkParent(child: MutableProcess, parent: MutableProcess): boolean {
  if (child.parent === parent) return true;
  if (!canBeParent(child, parent)) return false;
  child.parent = parent;
  shorten(child);
  return true;
}

function canBeParent(child: MutableProcess, parent: MutableProcess): boolean {
  if (!(parent.startTicks <= child.startTicks)) return false;
  let node: MutableProcess | null = parent;
  for (let steps = 0; node !== null && node.startTicks === child.startTicks; steps++) {
    if (node === child || steps === MAX_SAME_TICK) return false;
    node = node.parent;
  }
  return true;
}

/**
 * Bounds the exited ancestors that a process keeps in memory: a daemon that forks itself for ever would hold every
 * generation. Dropped from the middle, because cutting the far end would let an attacker shake off the server that
 * it came from by forking often enough. Living ancestors are never dropped: their number is bounded elsewhere.
 */
function shorten(process: MutableProcess): void {
  let below: MutableProcess = process;
  let node: MutableProcess | null = process.parent;
  let depth = 0;
  while (node !== null && depth <= MAX_ANCESTORS) {
    depth++;
    if (depth === NEAREST_KEPT) below = node;
    node = node.parent;
  }
  if (depth <= MAX_ANCESTORS) return;
  let dropped = 0;
  for (let at = NEAREST_KEPT; at <= MAX_ANCESTORS && dropped < DROPPED_AT_ONCE; at++) {
    const middle: MutableProcess | null = below.parent;
    if (middle === null) return;
    if (middle.exitedNs === null || middle.parent === null) {
      below = middle;
      continue;
    }
    if (below.reportedParentPid === middle.pid) below.reportedParentPid = 1;
    below.parent = middle.parent;
    dropped++;
  }
}
