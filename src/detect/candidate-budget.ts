import { WorkBudget } from '../base/work-budget.ts';
import type { RequestMessage } from '../model/request.ts';

/** Needles searched in a tenth of a second for effects with many possible requests: some ten milliseconds of work. */
const BUDGET = 100_000;
/** A request whose needles were never listed costs this many. */
const DECODING_COST = 500;

/**
 * How many possible requests of ambiguous effects are looked at: clients choose how many are in flight, and how many values
 * they have. A request that is known to be the cause is always looked at.
 */
export class CandidateBudget {
  readonly #work = new WorkBudget(BUDGET);
  readonly #costs = new WeakMap<RequestMessage, number>();

  admits(message: RequestMessage, nowNs: number): boolean {
    return this.#work.spend(this.#costs.get(message) ?? DECODING_COST, nowNs);
  }

  /** The message has turned out to have so many needles. */
  learn(message: RequestMessage, needleCount: number): void {
    this.#costs.set(message, needleCount + 1);
  }
}
