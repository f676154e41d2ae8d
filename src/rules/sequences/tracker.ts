import { valuesOf, type Bound } from '../compile/bind.ts';
import type { RuleEvent } from '../event.ts';
import { eventWindow, type EventWindow } from './event-window.ts';
import { joinKeyOf, ownerOf, singleValueOf } from './join-key.ts';
import { PartialTable, type TableEntry } from './partial-table.ts';
import type { KeptValues, PassedStep, SequenceMatch, SequencePlan, StepCount } from './plan.ts';

/** Keys that are followed at once. Each takes up to a kilobyte with two values that are kept for the output. */
const MAX_KEYS = 4096;
/** Times that all counters of a rule hold together, and values, which are larger: with high limits there are fewer keys. */
const MAX_TIMES = 1 << 18;
const MAX_VALUES = 1 << 16;
const MIN_KEYS = 64;

/** Values that are kept for the output: characters of each, and how many of a list. */
const MAX_KEPT = 512;
const MAX_LIST = 16;

/** Some steps are done, and the next is waited for. */
interface Chain {
  /** Of its first event. */
  readonly startNs: number;
  readonly steps: readonly PassedStep[];
}

/** A step that counts has begun. */
interface Counting {
  /** What it goes on from; null for the first step. */
  readonly from: Chain | null;
  readonly window: EventWindow;
}

/** What is known of one key. */
interface Partial {
  /** By the number of the last step that is done: at most one each, the newest, which has most time left. */
  readonly chains: (Chain | null)[];
  readonly counting: (Counting | null)[];
  /** After an alert of a count: nothing is counted until then. */
  silentUntilNs: number;
}

/** Follows one rule over several events. Time is that of the events. */
export class Tracker {
  readonly #plan: SequencePlan;
  /** By step. */
  readonly #kept: readonly (readonly Bound[])[];
  readonly #table: PartialTable<Partial>;
  readonly #none: readonly null[];

  /** @param kept what the rule's output asks of each step */
  constructor(plan: SequencePlan, kept: readonly (readonly Bound[])[]) {
    this.#plan = plan;
    this.#kept = kept;
    this.#none = plan.steps.map(() => null);
    this.#table = new PartialTable(capacityOf(plan));
  }

  /** Keys whose sequences or counts were forgotten before their time, since there were too many. */
  get evicted(): number {
    return this.#table.evicted;
  }

  /** Keys that are followed now. */
  get size(): number {
    return this.#table.size;
  }

  forget(): void {
    this.#table.clear();
  }

  /**
   * An event of which the condition of a step is true. Of an event with which several steps could be done the last one has to
   * come first, so that it does not do two steps of one sequence.
   * @returns the match where this was the last step
   */
  advance(index: number, event: RuleEvent): SequenceMatch | null {
    const step = this.#plan.steps[index];
    // Mostly nothing has begun, and what only goes on costs nothing.
    if (step === undefined || (index > 0 && this.#table.size === 0)) return null;
    const key = joinKeyOf(step.by, event);
    const value = step.count?.distinct ? singleValueOf(step.count.distinct, event) : '';
    if (key === null || value === null) return null;
    const { timeNs } = event;
    this.#table.expire(timeNs - this.#plan.withinNs);
    let entry = this.#table.get(key);
    if (entry === undefined) {
      if (index > 0) return null;
      entry = this.#table.add(key, ownerOf(event), emptyPartial(this.#none), timeNs);
    } else {
      if (entry.state.silentUntilNs > timeNs) return null;
      if (index === 0) this.#table.renew(entry, timeNs);
    }
    const chain = this.#chainAfter(index, value, entry.state, event);
    if (chain === null) return null;
    if (index === this.#plan.steps.length - 1) return this.#completed(chain, entry, timeNs);
    entry.state.chains[index] = chain;
    this.#table.setProgress(entry, Math.max(entry.progress, index + 1));
    return null;
  }

  /**
   * The sequence once this step is done; null where it is not yet.
   * @param value by which events are told apart
   */
  #chainAfter(index: number, value: string, partial: Partial, event: RuleEvent): Chain | null {
    const { timeNs } = event;
    const count = this.#plan.steps[index]?.count ?? null;
    if (count === null) {
      if (index === 0) return { startNs: timeNs, steps: [this.#passed(0, event)] };
      const before = this.#take(partial, index - 1, timeNs);
      return before && { startNs: before.startNs, steps: [...before.steps, this.#passed(index, event)] };
    }
    const counting = this.#countingAt(index, count, partial, timeNs);
    if (counting === null || !counting.window.add(timeNs, value)) return null;
    partial.counting[index] = null;
    return {
      startNs: counting.from?.startNs ?? counting.window.oldestNs,
      steps: [...(counting.from?.steps ?? []), this.#passed(index, event)],
    };
  }

  /** Begins to count where that has not begun. What came before is kept while there is time for it, whatever begins anew. */
  #countingAt(index: number, count: StepCount, partial: Partial, timeNs: number): Counting | null {
    const known = partial.counting[index] ?? null;
    if (known !== null && (known.from === null || this.#isInTime(known.from, timeNs))) return known;
    const from = index === 0 ? null : this.#take(partial, index - 1, timeNs);
    const isPossible = index === 0 || from !== null;
    const window = isPossible
      ? eventWindow(count.moreThan, this.#plan.withinNs, count.distinct !== null)
      : null;
    const counting = window && { from, window };
    partial.counting[index] = counting;
    return counting;
  }

  #take(partial: Partial, index: number, timeNs: number): Chain | null {
    const chain = partial.chains[index] ?? null;
    partial.chains[index] = null;
    return chain !== null && this.#isInTime(chain, timeNs) ? chain : null;
  }

  #isInTime({ startNs }: Chain, timeNs: number): boolean {
    return timeNs - startNs <= this.#plan.withinNs;
  }

  #completed({ startNs, steps }: Chain, entry: TableEntry<Partial>, timeNs: number): SequenceMatch {
    const { chains, counting } = entry.state;
    if (this.#plan.kind === 'count') {
      entry.state.silentUntilNs = timeNs + this.#plan.withinNs;
      this.#table.renew(entry, timeNs);
    } else if (chains.every(isNull) && counting.every(isNull)) this.#table.delete(entry);
    return { plan: this.#plan, startNs, steps };
  }

  #passed(index: number, event: RuleEvent): PassedStep {
    const values = this.#kept[index]?.map(({ access }) => kept(valuesOf(access, event))) ?? [];
    return { timeNs: event.timeNs, values };
  }
}

function capacityOf({ steps }: SequencePlan): number {
  const counts = steps.flatMap(({ count }) => count ?? []);
  const ofTimes = counts.reduce((sum, one) => sum + (one.distinct === null ? one.moreThan + 1 : 0), 0);
  const ofValues = counts.reduce((sum, one) => sum + (one.distinct === null ? 0 : one.moreThan + 1), 0);
  const most = Math.min(MAX_KEYS, MAX_TIMES / Math.max(1, ofTimes), MAX_VALUES / Math.max(1, ofValues));
  return Math.max(MIN_KEYS, Math.floor(most));
}

/** @param none null for each step */
function emptyPartial(none: readonly null[]): Partial {
  return { chains: none.slice(), counting: none.slice(), silentUntilNs: -Infinity };
}

const isNull = (value: unknown): boolean => value === null;

/** Cut, and copied where it is text: a short piece of a long text would hold all of it. */
function kept(values: KeptValues): KeptValues {
  if (values === null) return null;
  return values.slice(0, MAX_LIST).map((value) => (typeof value === 'string' ? copied(value) : value));
}

function copied(text: string): string {
  return Buffer.from(text.slice(0, MAX_KEPT), 'latin1').toString('latin1');
}
