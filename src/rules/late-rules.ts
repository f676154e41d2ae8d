import type { RuleEvent } from './event.ts';
import { eventTypesOf } from './event-type-set.ts';
import { fieldsOfCondition, fieldsOfRule } from './fields-of.ts';
import { HASH_FIELD } from './fields/process-fields.ts';
import { possibleCondition } from './possible-condition.ts';
import type { Rule } from './rule.ts';
import { RuleSet, type RuleMatching } from './rule-set.ts';
import type { Expression } from './syntax.ts';

/** It asks for a value that becomes known some time after the event: the hash of the program. */
export function isLate(rule: Rule): boolean {
  return fieldsOfRule(rule).has(HASH_FIELD);
}

/**
 * Tells which events rules have to wait for: those of which a late rule may turn out to be true, with no rule before it that is
 * true anyhow. All others are decided without what is not known yet.
 */
export class LateRules {
  /** Indexes of the event types on which a late rule is run. */
  readonly types: ReadonlySet<number>;
  /** Late rules as far as they can be decided, with those before them where the first match counts; null: there are none. */
  readonly #single: RuleSet | null;
  readonly #steps: RuleSet | null;
  readonly #late = new Set<Rule>();
  #isFound = false;
  readonly #onMatch = (rule: Rule): void => {
    this.#isFound = this.#late.has(rule);
  };

  /** @param rules those that are enabled, in the order of the files */
  constructor(rules: readonly Rule[], matching: RuleMatching) {
    const late = rules.filter(isLate);
    this.types = new Set(late.flatMap(({ types }) => [...types]));
    const isSingle = ({ sequence }: Rule): boolean => sequence === null;
    const last = rules.findLastIndex((rule) => isSingle(rule) && isLate(rule));
    const before = matching === 'first' ? rules.slice(0, last + 1).filter(isSingle) : late.filter(isSingle);
    this.#single = setOf(before.map((rule) => (isLate(rule) ? this.#possible(rule) : rule)));
    this.#steps = setOf(late.flatMap((rule) => this.#stepsOf(rule)));
  }

  /** Whether a rule of one event has to wait, where the event's value is not known yet. */
  needsValue(event: RuleEvent): boolean {
    return this.#find(this.#single, event);
  }

  /** Whether the event may be a step of a late rule over several events. */
  mayBeStep(event: RuleEvent): boolean {
    return this.#find(this.#steps, event);
  }

  #find(set: RuleSet | null, event: RuleEvent): boolean {
    if (set === null || !this.types.has(event.type)) return false;
    this.#isFound = false;
    set.evaluate(event, this.#onMatch);
    return this.#isFound;
  }

  #stepsOf(rule: Rule): Rule[] {
    return (rule.sequence?.steps ?? []).map(({ condition }) => this.#possible(rule, condition));
  }

  #possible(rule: Rule, of: Expression = rule.condition): Rule {
    const condition = possibleCondition(of, (check) => fieldsOfCondition(check).has(HASH_FIELD));
    const possible = { ...rule, condition, types: eventTypesOf(condition) };
    this.#late.add(possible);
    return possible;
  }
}

function setOf(rules: readonly Rule[]): RuleSet | null {
  // What throws is told by the set that the rule is really run in.
  return rules.length === 0 ? null : new RuleSet(rules, { matching: 'first', onBroken: () => {} });
}
