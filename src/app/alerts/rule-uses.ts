import type { RuleUse } from '../../cli/contract.ts';
import type { RuleCounters } from '../../rules/rule-set.ts';
import type { Rule } from '../../rules/rule.ts';

/** Rules in force, with their counters. */
interface CountedRules {
  readonly rules: readonly Rule[];
  countersOf(rule: Rule): RuleCounters;
}

/** More names are not kept: rules come and go in a run, but not so often. */
const MAX_NAMES = 10_000;

/** What became of rules, over all changes of their files. */
export class RuleUses {
  readonly #before = new Map<string, RuleCounters>();

  /** Keeps the counters of rules that are no longer in force. */
  add(set: CountedRules): void {
    for (const rule of set.rules) {
      if (this.#before.size >= MAX_NAMES && !this.#before.has(rule.name)) continue;
      this.#before.set(rule.name, sum(this.#before.get(rule.name), set.countersOf(rule)));
    }
  }

  /** Those that were run at least once, what took longest first. */
  all(sets: readonly CountedRules[], heldBackOf: (rule: string) => number): readonly RuleUse[] {
    const sums = new Map(this.#before);
    for (const set of sets)
      for (const rule of set.rules)
        sums.set(rule.name, sum(this.#before.get(rule.name), set.countersOf(rule)));
    return [...sums]
      .filter(([, { evaluated }]) => evaluated > 0)
      .map(([rule, { evaluated, matched, timeMs = 0, isBroken }]) => ({
        rule,
        evaluated,
        matched,
        heldBack: heldBackOf(rule),
        timeMs: Math.round(timeMs * 10) / 10,
        isBroken,
      }))
      .toSorted((a, b) => b.timeMs - a.timeMs || b.evaluated - a.evaluated);
  }
}

function sum(before: RuleCounters | undefined, now: RuleCounters): RuleCounters {
  if (before === undefined) return { ...now };
  return {
    evaluated: before.evaluated + now.evaluated,
    matched: before.matched + now.matched,
    timeMs: (before.timeMs ?? 0) + (now.timeMs ?? 0),
    isBroken: now.isBroken,
  };
}
