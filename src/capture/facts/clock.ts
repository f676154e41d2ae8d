import type { Fact } from '../../model/event.ts';
import { readProcFile } from './proc-files.ts';

type ClockFact = Extract<Fact, { kind: 'clock' }>;

const EDGES = 3;
/** Two clocks that differ by less were never apart: the machine has not slept. */
const NEVER_SLEPT_NS = 2_000_000;
/** A clock that stands still that long does not tick. */
const PATIENCE_NS = 50_000_000;

/**
 * One moment in both times: nanoseconds since boot (CLOCK_BOOTTIME, the time of kernel events) and Unix milliseconds.
 *
 * Node has CLOCK_MONOTONIC only, which stands still while the machine sleeps, and /proc/uptime shows CLOCK_BOOTTIME
 * in steps of 10 ms. So the moments of its steps are caught: that takes 30 ms and gives the difference of the two
 * clocks to some 10 us, or exactly 0 on a machine that never slept. Wall time is caught at a step of its millisecond
 * likewise. Together: good to a tenth of a millisecond. Where /proc/uptime is missing, sleep is not accounted for.
 */
export function readClock(procRoot = '/proc'): ClockFact {
  const offsetNs = bootOffsetNs(procRoot);
  const wall = firstStep(() => Date.now());
  return { kind: 'clock', bootNs: Math.round(wall.monotonicNs + offsetNs), wallMs: wall.value };
}

/** CLOCK_BOOTTIME minus CLOCK_MONOTONIC. */
function bootOffsetNs(procRoot: string): number {
  let offsetNs = 0;
  let bestErrorNs = Infinity;
  for (let edge = 0; edge < EDGES; edge++) {
    const step = firstStep(() => Number.parseFloat(readProcFile(`${procRoot}/uptime`, 64) ?? ''));
    if (!step.isCaught) return 0;
    // Preempted in the middle, a step is caught late: the narrowest counts.
    if (step.errorNs >= bestErrorNs) continue;
    bestErrorNs = step.errorNs;
    offsetNs = step.value * 1e9 - step.monotonicNs;
  }
  return Math.abs(offsetNs) < NEVER_SLEPT_NS ? 0 : offsetNs;
}

interface Step {
  value: number;
  /** false: the clock is missing or does not move. */
  isCaught: boolean;
  /** CLOCK_MONOTONIC when the value had just come up. */
  monotonicNs: number;
  /** The step happened at most so long before. */
  errorNs: number;
}

/** Waits for a coarse clock to step. */
function firstStep(read: () => number): Step {
  const startNs = monotonicNs();
  const first = read();
  let beforeNs = startNs;
  for (;;) {
    const sinceNs = beforeNs;
    beforeNs = monotonicNs();
    const value = read();
    const afterNs = monotonicNs();
    const isCaught = value !== first && !Number.isNaN(value);
    if (isCaught || Number.isNaN(value) || afterNs - startNs > PATIENCE_NS) {
      return { value, isCaught, monotonicNs: (beforeNs + afterNs) / 2, errorNs: afterNs - sinceNs };
    }
  }
}

/** Exact to below a microsecond for a century: the number has 53 bits. */
function monotonicNs(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1e9 + nanoseconds;
}
