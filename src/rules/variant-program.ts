import type { ByteString } from '../base/bytes.ts';
import { discriminatorsOf, type Discriminator } from './compile/discriminators.ts';
import type { Predicate } from './compile/test.ts';
import type { RuleEvent } from './event.ts';
import type { EventVariant } from './fields/field.ts';
import type { RuleCounters } from './rule-set.ts';
import type { Expression } from './syntax.ts';

interface Entry {
  /** Of the rule in its set. */
  readonly index: number;
  readonly condition: Expression;
  readonly test: Predicate;
  readonly counters: RuleCounters;
}

interface Lookup {
  readonly get: (event: RuleEvent) => ByteString | null;
  readonly entries: ReadonlyMap<ByteString, readonly Entry[]>;
}

const NONE: readonly never[] = [];

/** The rules for events of one variant: most are found by the value of a field, the others are run on each event. */
export class VariantProgram {
  readonly #lookups: readonly Lookup[];
  readonly #always: readonly Entry[];
  readonly #onBroken: (index: number, error: unknown) => void;
  readonly #matches: number[] = [];

  /** @param entries in the order of their rules */
  constructor(
    entries: readonly Entry[],
    variant: EventVariant,
    onBroken: (index: number, error: unknown) => void,
  ) {
    this.#onBroken = onBroken;
    const { lookups, always } = arrange(entries, variant);
    this.#lookups = lookups;
    this.#always = always;
  }

  /** Index of the first rule that is true, -1 for none. */
  first(event: RuleEvent): number {
    let best = this.#firstOf(this.#always, event, Infinity);
    for (const { get, entries } of this.#lookups) {
      const value = get(event);
      const found = value === null ? undefined : entries.get(value);
      if (found !== undefined) best = this.#firstOf(found, event, best);
    }
    return best === Infinity ? -1 : best;
  }

  /** Indexes of all rules that are true, in order. Valid until the next call. */
  all(event: RuleEvent): readonly number[] {
    const matches = this.#matches;
    if (matches.length > 0) matches.length = 0;
    this.#allOf(this.#always, event, matches);
    for (const { get, entries } of this.#lookups) {
      const value = get(event);
      const found = value === null ? undefined : entries.get(value);
      if (found !== undefined) this.#allOf(found, event, matches);
    }
    if (matches.length === 0) return NONE;
    return matches.length === 1 ? matches : matches.sort((a, b) => a - b);
  }

  /** @param limit rules from this one on cannot be the first */
  #firstOf(entries: readonly Entry[], event: RuleEvent, limit: number): number {
    for (let at = 0; at < entries.length; at++) {
      const entry = entries[at];
      if (entry === undefined || entry.index >= limit) return limit;
      if (this.#isTrue(entry, event)) return entry.index;
    }
    return limit;
  }

  #allOf(entries: readonly Entry[], event: RuleEvent, matches: number[]): void {
    for (let at = 0; at < entries.length; at++) {
      const entry = entries[at];
      if (entry !== undefined && this.#isTrue(entry, event)) matches.push(entry.index);
    }
  }

  #isTrue(entry: Entry, event: RuleEvent): boolean {
    const { counters } = entry;
    if (counters.isBroken) return false;
    counters.evaluated++;
    try {
      return entry.test(event);
    } catch (error) {
      this.#onBroken(entry.index, error);
      return false;
    }
  }
}

/** Fields by which fewer rules are found are not worth their look-up. */
const MIN_RULES = 2;

function arrange(
  entries: readonly Entry[],
  variant: EventVariant,
): { lookups: readonly Lookup[]; always: readonly Entry[] } {
  const context = { variant, warn: () => {} };
  const candidates = new Map(entries.map((entry) => [entry, discriminatorsOf(entry.condition, context)]));
  const counts = new Map<string, number>();
  for (const found of candidates.values())
    for (const key of found.keys()) counts.set(key, (counts.get(key) ?? 0) + 1);
  const byField = new Map<string, { get: Discriminator['get']; entries: Map<ByteString, Entry[]> }>();
  const always: Entry[] = [];
  for (const [entry, found] of candidates) {
    const best = [...found.values()]
      .filter(({ key }) => (counts.get(key) ?? 0) >= MIN_RULES)
      .reduce<Discriminator | null>((a, b) => (a !== null && isBetter(a, b, counts) ? a : b), null);
    if (best === null) {
      always.push(entry);
      continue;
    }
    const lookup = byField.get(best.key) ?? { get: best.get, entries: new Map<ByteString, Entry[]>() };
    byField.set(best.key, lookup);
    for (const value of best.values) {
      const others = lookup.entries.get(value);
      if (others === undefined) lookup.entries.set(value, [entry]);
      else others.push(entry);
    }
  }
  return { lookups: [...byField.values()], always };
}

/** The field that serves most rules, so that there are few look-ups; then that with the fewest values. */
function isBetter(a: Discriminator, b: Discriminator, counts: ReadonlyMap<string, number>): boolean {
  const difference = (counts.get(a.key) ?? 0) - (counts.get(b.key) ?? 0);
  return difference !== 0 ? difference > 0 : a.values.size <= b.values.size;
}
