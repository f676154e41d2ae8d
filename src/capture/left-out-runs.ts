import type { Fact } from '../model/event.ts';

type BlindFact = Extract<Fact, { kind: 'blind' }>;

/** A look takes a system call for each program. */
const PAUSE_NS = 1_000_000_000;
/** As losses are named for people. */
export const LEFT_OUT = 'program-runs-left-out';

/**
 * Runs of our programs that the kernel has left out. Where tasks may be interrupted inside of a program, it does not run the
 * program for another task on the same processor meanwhile: what that one did is not seen, and none of the counters tells.
 */
export class LeftOutRuns {
  readonly #count: () => number;
  #told = 0;
  #lookedNs: number;

  /** @param count all since the programs were loaded */
  constructor(count: () => number, nowNs: number) {
    this.#count = count;
    this.#lookedNs = nowNs;
  }

  /**
   * What was left out since the last look; null: nothing, or it is not time to look.
   * @param isLast it is looked in any case
   */
  take(nowNs: number, isLast: boolean): BlindFact | null {
    const fromNs = this.#lookedNs;
    if (!isLast && nowNs - fromNs < PAUSE_NS) return null;
    this.#lookedNs = nowNs;
    const count = this.#count();
    const events = count - this.#told;
    this.#told = count;
    if (events <= 0) return null;
    return { kind: 'blind', timeNs: nowNs, reason: LEFT_OUT, cgroupId: 0, events, fromNs, untilNs: nowNs };
  }
}
