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
  readonly #alternatives: number;
  /** Of the alternatives the first that is true so far. */
  #first = Infinity;
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

  /**
   * @param entries in the order of their rules
   * @param alternatives of the rules with an index below it the first alone matches
   */
  constructor(
    entries: readonly Entry[],
    alternatives: number,
    sampling: Sampling,
    onBroken: (index: number, error: unknown) => void,
  ) {
    this.#alternatives = alternatives;
    this.#sampling = sampling;
    this.#onBroken = onBroken;
    this.#index = new RuleIndex(entries.map((entry) => ({ ...entry, foundIn: 0 })));
  }

  /** Indexes of the rules that match, in order. Valid until the next call. */
  matches(event: RuleEvent): readonly number[] {
    const matches = this.#matches;
    if (matches.length > 0) matches.length = 0;
    this.#first = Infinity;
    this.#run(this.#index.always, event);
    this.#run(this.#candidatesFor(event), event);
    if (this.#first !== Infinity) matches.push(this.#first);
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

  #run(entries: readonly Candidate[], event: RuleEvent): void {
    const alternatives = this.#alternatives;
    for (let at = 0; at < entries.length; at++) {
      const entry = entries[at] as Candidate;
      const { index } = entry;
      if (index >= alternatives) {
        if (this.#isTrue(entry, event)) this.#matches.push(index);
      } else if (index < this.#first && this.#isTrue(entry, event)) this.#first = index;
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
