import type { RuleEvent } from './event.ts';
import { isLate, LateRules } from './late-rules.ts';
import type { Rule } from './rule.ts';
import type { RuleCounters, RuleSetOptions } from './rule-set.ts';
import { RulesInForce, type OnMatch } from './rules-in-force.ts';
import type { SequenceSetOptions } from './sequences/sequence-set.ts';

/** Parts of the rules, as bits: each is run on an event at once, or later. */
export type Parts = number;
export const NO_PARTS: Parts = 0;
/** Rules of one event, all together: with `first` they depend on each other. */
const SINGLE: Parts = 1;
/** Rules over several events that ask for nothing which is late. */
const SEQUENCES: Parts = 2;
/** Those that do. */
const LATE_SEQUENCES: Parts = 4;
export const ALL_PARTS: Parts = SINGLE | SEQUENCES | LATE_SEQUENCES;

/**
 * The rules in force, where some ask for what is known some time after the event: those that have to be run later are apart from
 * the others, and the order of the rules holds all the same.
 */
export class TimelyRules {
  readonly rules: readonly Rule[];
  readonly #late: LateRules;
  /** In the order of their bits; where no rule is late, the first is all. */
  readonly #parts: readonly RulesInForce[];
  readonly #partOf: ReadonlyMap<Rule, RulesInForce>;

  /** @param rules those that are enabled, in the order of the files */
  constructor(rules: readonly Rule[], options: RuleSetOptions & SequenceSetOptions) {
    this.rules = rules;
    this.#late = new LateRules(rules, options.matching);
    const part = (isIn: (rule: Rule) => boolean) => new RulesInForce(rules.filter(isIn), options);
    this.#parts =
      this.#late.types.size === 0
        ? [part(() => true)]
        : [
            part(({ sequence }) => sequence === null),
            part((rule) => rule.sequence !== null && !isLate(rule)),
            part((rule) => rule.sequence !== null && isLate(rule)),
          ];
    this.#partOf = new Map(this.#parts.flatMap((one) => one.rules.map((rule) => [rule, one])));
  }

  /**
   * Calls `onMatch` for the rules that are true of an event, in order, those over several events last.
   * @param parts of which each has to see an event once, and events in the order in which they happened
   */
  evaluate(event: RuleEvent, onMatch: OnMatch, parts: Parts): void {
    for (let at = 0; at < this.#parts.length; at++)
      if ((parts & (1 << at)) !== 0) (this.#parts[at] as RulesInForce).evaluate(event, onMatch);
  }

  /** Whether some rule that is run on events of this type may ask for the hash of the program. */
  asksForHash(type: number): boolean {
    return this.#late.types.has(type);
  }

  /**
   * What cannot be decided yet.
   * @param isHashMissing the hash of the event's program is not known yet
   * @param isBehind events from before wait: those of sequences must not overtake them
   */
  waiting(event: RuleEvent, isHashMissing: boolean, isBehind: boolean): Parts {
    const single = isHashMissing && this.#late.needsValue(event) ? SINGLE : NO_PARTS;
    const steps = (isHashMissing || isBehind) && this.#late.mayBeStep(event) ? LATE_SEQUENCES : NO_PARTS;
    return single | steps;
  }

  /** By rule: keys whose sequences or counts were forgotten before their time. Rules that forgot nothing are left out. */
  evictions(): ReadonlyMap<string, number> {
    return new Map(this.#parts.flatMap(({ sequences }) => [...sequences.evictions()]));
  }

  countersOf(rule: Rule): RuleCounters {
    const part = this.#partOf.get(rule);
    if (part === undefined) throw new Error(`rule '${rule.name}' is not in force`);
    return part.countersOf(rule);
  }
}
