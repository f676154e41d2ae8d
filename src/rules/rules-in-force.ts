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
  readonly #set: RuleSet;
  /** Index in the set of the first step of a sequence. */
  readonly #firstStep: number;
  #event: RuleEvent | null = null;
  #onMatch: OnMatch = () => {};
  readonly #onTrue = (rule: Rule, index: number): void => this.#isTrue(rule, index);

  /** @param rules those that are enabled, in the order of the files */
  constructor(rules: readonly Rule[], options: RuleSetOptions & SequenceSetOptions) {
    this.rules = rules;
    this.sequences = new SequenceSet(rules, options);
    const ofOneEvent = rules.filter(({ sequence }) => sequence === null);
    this.#firstStep = ofOneEvent.length;
    const onBroken = (rule: Rule, error: unknown): void => {
      if (!this.sequences.brokenStep(rule, error)) options.onBroken(rule, error);
    };
    this.#set = new RuleSet(ofOneEvent, { ...options, onBroken }, this.sequences.steps);
  }

  /** Calls `onMatch` for the rules that are true of an event, in order, those over several events last. */
  evaluate(event: RuleEvent, onMatch: OnMatch): void {
    this.#event = event;
    this.#onMatch = onMatch;
    this.#set.evaluate(event, this.#onTrue);
    this.#event = null;
  }

  countersOf(rule: Rule): RuleCounters {
    return (
      this.sequences.countersOf(rule, (step) => this.#set.countersOf(step)) ?? this.#set.countersOf(rule)
    );
  }

  #isTrue(rule: Rule, index: number): void {
    if (index < this.#firstStep) this.#onMatch(rule, null);
    else if (this.#event !== null)
      this.sequences.advance(index - this.#firstStep, this.#event, this.#onMatch);
  }
}
