import type { Predicate } from './compile/test.ts';
import type { RuleEvent } from './event.ts';
import { RuleIndex, type Indexed } from './rule-index.ts';
import type { RuleCounters } from './rule-set.ts';
import type { Sampling } from './sampling.ts';

export interface Entry extends Indexed {
  /** Of the rule in its set. */
  readonly index: number;
  readonly test: Predicate;
  readonly counters: RuleCounters;
}

interface Candidate extends Entry {
  /** Number of the evaluation in which it was found last: it may be found twice. */
  foundIn: number;
}

const NONE: readonly never[] = [];

/** The rules for events of one variant: most are found by words in a field, the others are run on each event. */
export class VariantProgram {
  readonly #index: RuleIndex<Candidate>;
  readonly #onBroken: (index: number, error: unknown) => void;
  readonly #sampling: Sampling;
  readonly #matches: number[] = [];
  readonly #candidates: Candidate[] = [];
  #evaluation = 0;
  readonly #found = (items: readonly Candidate[]): void => {
    for (let at = 0; at < items.length; at++) {
      const candidate = items[at] as Candidate;
      if (candidate.foundIn === this.#evaluation) continue;
      candidate.foundIn = this.#evaluation;
      this.#candidates.push(candidate);
    }
  };

  /** @param entries in the order of their rules */
  constructor(
    entries: readonly Entry[],
    sampling: Sampling,
    onBroken: (index: number, error: unknown) => void,
  ) {
    this.#sampling = sampling;
    this.#onBroken = onBroken;
    this.#index = new RuleIndex(entries.map((entry) => ({ ...entry, foundIn: 0 })));
  }

  /** Index of the first rule that is true, -1 for none. */
  first(event: RuleEvent): number {
    let best = Infinity;
    const { always } = this.#index;
    for (let at = 0; at < always.length; at++) {
      const entry = always[at] as Candidate;
      if (!this.#isTrue(entry, event)) continue;
      best = entry.index;
      break;
    }
    const candidates = this.#candidatesFor(event);
    for (let at = 0; at < candidates.length; at++) {
      const entry = candidates[at] as Candidate;
      if (entry.index < best && this.#isTrue(entry, event)) best = entry.index;
    }
    return best === Infinity ? -1 : best;
  }

  /** Indexes of all rules that are true, in order. Valid until the next call. */
  all(event: RuleEvent): readonly number[] {
    const matches = this.#matches;
    if (matches.length > 0) matches.length = 0;
    this.#allOf(this.#index.always, event);
    this.#allOf(this.#candidatesFor(event), event);
    if (matches.length === 0) return NONE;
    return matches.length === 1 ? matches : matches.sort((a, b) => a - b);
  }

  #candidatesFor(event: RuleEvent): readonly Candidate[] {
    const candidates = this.#candidates;
    if (candidates.length > 0) candidates.length = 0;
    this.#evaluation++;
    this.#index.find(event, this.#found);
    return candidates;
  }

  #allOf(entries: readonly Candidate[], event: RuleEvent): void {
    for (let at = 0; at < entries.length; at++) {
      const entry = entries[at] as Candidate;
      if (this.#isTrue(entry, event)) this.#matches.push(entry.index);
    }
  }

  #timed(test: Predicate, event: RuleEvent, counters: RuleCounters): boolean {
    return this.#sampling.timed(
      () => test(event),
      (ms) => (counters.timeMs = (counters.timeMs ?? 0) + ms),
    );
  }

  #isTrue({ counters, test, index }: Candidate, event: RuleEvent): boolean {
    if (counters.isBroken) return false;
    counters.evaluated++;
    try {
      return this.#sampling.isOn ? this.#timed(test, event, counters) : test(event);
    } catch (error) {
      this.#onBroken(index, error);
      return false;
    }
  }
}
