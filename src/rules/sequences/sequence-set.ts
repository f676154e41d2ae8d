import type { RuleEvent } from '../event.ts';
import { eventTypesOf } from '../event-type-set.ts';
import type { Rule } from '../rule.ts';
import type { RuleCounters } from '../rule-set.ts';
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

/** One step of a rule. */
interface StepPlace {
  readonly followed: Followed;
  readonly index: number;
}

/** The rules over several events. Their steps are rules of their own, which are found and run with all others. */
export class SequenceSet {
  readonly steps: readonly Rule[];
  readonly #followed = new Map<Rule, Followed>();
  /** In the order of the steps. */
  readonly #places: StepPlace[] = [];
  readonly #options: SequenceSetOptions;

  /** @param rules in the order of the files; those of one event are left out */
  constructor(rules: readonly Rule[], options: SequenceSetOptions) {
    this.#options = options;
    for (const rule of rules) this.#follow(rule);
    this.steps = [...this.#followed.values()].flatMap(({ steps }) => steps);
  }

  /**
   * What is known of a rule; null: it is none of this set.
   * @param ofStep what is known of a step
   */
  countersOf(rule: Rule, ofStep: (step: Rule) => RuleCounters): RuleCounters | null {
    const followed = this.#followed.get(rule);
    if (followed === undefined) return null;
    const steps = followed.steps.map(ofStep);
    return {
      evaluated: steps.reduce((sum, { evaluated }) => sum + evaluated, 0),
      matched: followed.matched,
      isBroken: followed.isBroken,
      timeMs: steps.reduce((sum, { timeMs }) => sum + (timeMs ?? 0), 0),
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
      this.#places.push({ followed, index });
    }
  }

  /**
   * The step with this index is true of an event: calls `onMatch` where the rule is complete with it. Never throws, unless
   * `onMatch` does.
   */
  advance(step: number, event: RuleEvent, onMatch: (rule: Rule, match: SequenceMatch) => void): void {
    const place = this.#places[step];
    if (place === undefined || place.followed.isBroken) return;
    const { followed, index } = place;
    let match: SequenceMatch | null;
    try {
      match = followed.tracker.advance(index, event);
    } catch (error) {
      this.#broken(followed, error);
      return;
    }
    if (followed.tracker.evicted > 0 && !followed.isForgetting) {
      followed.isForgetting = true;
      this.#options.onForgetting?.(followed.rule);
    }
    if (match === null) return;
    followed.matched++;
    onMatch(followed.rule, match);
  }

  /** A step threw: without it its rule is of no use. @returns whether it is a step */
  brokenStep(step: Rule, error: unknown): boolean {
    const at = this.steps.indexOf(step);
    const place = this.#places[at];
    if (place === undefined) return false;
    this.#broken(place.followed, error);
    return true;
  }

  #broken(followed: Followed, error: unknown): void {
    if (followed.isBroken) return;
    followed.isBroken = true;
    this.#options.onBroken(followed.rule, error);
  }
}
