import type { RuleEvent } from './event.ts';
import type { Rule } from './rule.ts';
import { RuleSet, type RuleCounters, type RuleSetOptions } from './rule-set.ts';
import type { SequenceMatch } from './sequences/plan.ts';
import { SequenceSet, type SequenceSetOptions } from './sequences/sequence-set.ts';

/** @param match how it came about, of rules over several events */
export type OnMatch = (rule: Rule, match: SequenceMatch | null) => void;

/**
 * All rules that are in force: those of one event, of which with `first` the first alone matches, and those over several,
 * which are no alternative to them and always see every event. A set never changes, new rules are a new set.
 */
export class RulesInForce {
  readonly rules: readonly Rule[];
  readonly sequences: SequenceSet;
  readonly #single: RuleSet;
  #onMatch: OnMatch = () => {};
  readonly #onSingle = (rule: Rule): void => this.#onMatch(rule, null);

  /** @param rules those that are enabled, in the order of the files */
  constructor(rules: readonly Rule[], options: RuleSetOptions & SequenceSetOptions) {
    this.rules = rules;
    this.#single = new RuleSet(
      rules.filter(({ sequence }) => sequence === null),
      options,
    );
    this.sequences = new SequenceSet(rules, options);
  }

  /** Calls `onMatch` for the rules that are true of an event, in order, those over several events last. */
  evaluate(event: RuleEvent, onMatch: OnMatch): void {
    this.#onMatch = onMatch;
    this.#single.evaluate(event, this.#onSingle);
    if (this.sequences.size > 0) this.sequences.evaluate(event, onMatch);
  }

  countersOf(rule: Rule): RuleCounters {
    return this.sequences.countersOf(rule) ?? this.#single.countersOf(rule);
  }
}
