import type { RuleEvent } from '../event.ts';
import { eventTypesOf } from '../event-type-set.ts';
import type { Rule } from '../rule.ts';
import { RuleSet, type RuleCounters } from '../rule-set.ts';
import type { SequenceMatch } from './plan.ts';
import { Tracker } from './tracker.ts';

export interface SequenceSetOptions {
  /** A rule threw: a bug. It is not run again. */
  readonly onBroken: (rule: Rule, error: unknown) => void;
  /** A rule follows so much that it forgets some of it before its time: told once. */
  readonly onForgetting?: (rule: Rule) => void;
}

/** A rule with what is known of its sequences. */
interface Followed {
  readonly rule: Rule;
  readonly tracker: Tracker;
  readonly steps: Rule[];
  matched: number;
  isBroken: boolean;
  isForgetting: boolean;
}

/** One step of a rule, as a rule of its own: found and run like all others. */
interface StepPlace {
  readonly followed: Followed;
  readonly index: number;
}

/** The rules over several events. */
export class SequenceSet {
  readonly #followed = new Map<Rule, Followed>();
  readonly #places = new Map<Rule, StepPlace>();
  readonly #steps: RuleSet;
  readonly #options: SequenceSetOptions;
  #event: RuleEvent | null = null;
  #onMatch: (rule: Rule, match: SequenceMatch) => void = () => {};
  readonly #onStep = (step: Rule): void => this.#advance(step);

  /** @param rules in the order of the files; those of one event are left out */
  constructor(rules: readonly Rule[], options: SequenceSetOptions) {
    this.#options = options;
    for (const rule of rules) this.#follow(rule);
    this.#steps = new RuleSet([...this.#places.keys()], {
      matching: 'all',
      onBroken: (step, error) => this.#broken(step, error),
    });
  }

  get size(): number {
    return this.#followed.size;
  }

  /** Calls `onMatch` for the rules that are complete with an event, in order. Never throws, unless `onMatch` does. */
  evaluate(event: RuleEvent, onMatch: (rule: Rule, match: SequenceMatch) => void): void {
    this.#event = event;
    this.#onMatch = onMatch;
    this.#steps.evaluate(event, this.#onStep);
    this.#event = null;
  }

  /** null: it is no rule of this set. */
  countersOf(rule: Rule): RuleCounters | null {
    const followed = this.#followed.get(rule);
    if (followed === undefined) return null;
    const ofSteps = followed.steps.map((step) => this.#steps.countersOf(step));
    return {
      evaluated: ofSteps.reduce((sum, { evaluated }) => sum + evaluated, 0),
      matched: followed.matched,
      isBroken: followed.isBroken,
    };
  }

  /** By rule: keys whose sequences or counts were forgotten before their time. Rules that forgot nothing are left out. */
  evictions(): ReadonlyMap<string, number> {
    const found = new Map<string, number>();
    for (const { rule, tracker } of this.#followed.values())
      if (tracker.evicted > 0) found.set(rule.name, tracker.evicted);
    return found;
  }

  /** Nothing has happened yet. */
  forget(): void {
    for (const { tracker } of this.#followed.values()) tracker.forget();
  }

  #follow(rule: Rule): void {
    const { sequence } = rule;
    if (sequence === null) return;
    const tracker = new Tracker(sequence, rule.output.kept);
    const followed: Followed = { rule, tracker, steps: [], matched: 0, isBroken: false, isForgetting: false };
    this.#followed.set(rule, followed);
    // The last step first: an event does not do two steps of one sequence.
    for (let index = sequence.steps.length - 1; index >= 0; index--) {
      const condition = sequence.steps[index]?.condition ?? rule.condition;
      const step: Rule = { ...rule, condition, types: eventTypesOf(condition) };
      followed.steps.push(step);
      this.#places.set(step, { followed, index });
    }
  }

  #advance(step: Rule): void {
    const place = this.#places.get(step);
    if (place === undefined || this.#event === null || place.followed.isBroken) return;
    const { followed, index } = place;
    let match: SequenceMatch | null;
    try {
      match = followed.tracker.advance(index, this.#event);
    } catch (error) {
      this.#broken(step, error);
      return;
    }
    if (followed.tracker.evicted > 0 && !followed.isForgetting) {
      followed.isForgetting = true;
      this.#options.onForgetting?.(followed.rule);
    }
    if (match === null) return;
    followed.matched++;
    this.#onMatch(followed.rule, match);
  }

  /** Without one of its steps a rule is of no use. */
  #broken(step: Rule, error: unknown): void {
    const { followed } = this.#places.get(step) ?? {};
    if (followed === undefined || followed.isBroken) return;
    followed.isBroken = true;
    this.#options.onBroken(followed.rule, error);
  }
}
