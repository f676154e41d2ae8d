import { cluesOf } from './compile/clues.ts';
import { ConditionCompiler } from './compile/condition.ts';
import { generate } from './compile/generate.ts';
import { openModeOf, type RuleEvent } from './event.ts';
import { EVENT_TYPES } from './event-types.ts';
import type { Rule } from './rule.ts';
import { Sampling } from './sampling.ts';
import { VariantProgram } from './variant-program.ts';

/** With `first`, an event matches the first rule alone that is true of it, in the order of the files. */
export type RuleMatching = 'first' | 'all';

export interface RuleSetOptions {
  readonly matching: RuleMatching;
  /** A rule threw: a bug. It is not run again. */
  readonly onBroken: (rule: Rule, error: unknown) => void;
  /** Milliseconds, with fractions: by it rules are measured, on few events. Absent: they are not. */
  readonly now?: () => number;
}

export interface RuleCounters {
  /** How often the rule was run: events of its types that its discriminating field did not rule out. */
  evaluated: number;
  matched: number;
  /** It threw, and is not run any more. */
  isBroken: boolean;
  /** About so long it was run, in milliseconds: measured on few events. */
  timeMs?: number;
}

/** Access modes of calls that open, and none. */
const MODES = 5;

function modeIndex(openFlags: number | null): number {
  const mode = openModeOf(openFlags);
  return mode === null ? 0 : mode + 1;
}

/**
 * The rules in force. For each variant of event there is a program of its own, made when the first such event comes; a
 * set never changes, new rules are a new set.
 */
export class RuleSet {
  /** With the steps. */
  readonly rules: readonly Rule[];
  /** Index of the first step. */
  readonly #firstStep: number;
  readonly #counters: readonly RuleCounters[];
  readonly #options: RuleSetOptions;
  /** By variant. All places are there from the start: an array with holes would be a hash table. */
  readonly #programs: (VariantProgram | null)[] = Array.from(
    { length: EVENT_TYPES.length * MODES },
    () => null,
  );
  readonly #indexes: ReadonlyMap<Rule, number>;
  readonly #sampling: Sampling;

  /**
   * @param rules those that are enabled, in the order of the files
   * @param steps others that are found and run like rules, and are no alternative to them: all of them match, after the rules
   */
  constructor(rules: readonly Rule[], options: RuleSetOptions, steps: readonly Rule[] = []) {
    this.rules = [...rules, ...steps];
    this.#firstStep = rules.length;
    this.#indexes = new Map(this.rules.map((rule, index) => [rule, index]));
    this.#options = options;
    this.#counters = this.rules.map(() => ({ evaluated: 0, matched: 0, isBroken: false, timeMs: 0 }));
    this.#sampling = new Sampling(options.now ?? null);
  }

  /**
   * Calls `onMatch` for the rules that are true of an event, in order, with their index in `rules`. Never throws, unless
   * `onMatch` does.
   */
  evaluate(event: RuleEvent, onMatch: (rule: Rule, index: number) => void): void {
    this.#sampling.next();
    const variant = event.type * MODES + modeIndex(event.openFlags);
    const program = this.#programs[variant] ?? this.#programFor(event, variant);
    const matches = program.matches(event);
    for (let at = 0; at < matches.length; at++) this.#matched(matches[at] as number, onMatch);
  }

  countersOf(rule: Rule): RuleCounters {
    const counters = this.#counters[this.#indexes.get(rule) ?? -1];
    if (counters === undefined) throw new Error(`rule '${rule.name}' is not in the set`);
    return counters;
  }

  #matched(index: number, onMatch: (rule: Rule, index: number) => void): void {
    const rule = this.rules[index];
    const counters = this.#counters[index];
    if (rule === undefined || counters === undefined) return;
    counters.matched++;
    onMatch(rule, index);
  }

  #programFor(event: RuleEvent, index: number): VariantProgram {
    const variant = { type: event.type, openMode: openModeOf(event.openFlags) };
    const compiler = new ConditionCompiler(variant, () => {});
    const context = { variant, warn: () => {} };
    const entries = this.rules.flatMap((rule, at) => {
      const counters = this.#counters[at];
      if (!rule.types.has(event.type) || counters === undefined || counters.isBroken) return [];
      const compiled = compiler.compile(rule.condition);
      if (compiled.kind === 'constant' && !compiled.value) return [];
      const test = compiled.kind === 'constant' ? () => true : generate(compiled.code);
      const choices = cluesOf(rule.condition, context, (part) => compiler.compile(part));
      return [{ index: at, test, counters, choices, cost: compiled.kind === 'constant' ? 0 : compiled.cost }];
    });
    const alternatives = this.#options.matching === 'first' ? this.#firstStep : 0;
    const program = new VariantProgram(entries, alternatives, this.#sampling, (at, error) => {
      const rule = this.rules[at];
      const counters = this.#counters[at];
      if (rule === undefined || counters === undefined) return;
      counters.isBroken = true;
      this.#options.onBroken(rule, error);
    });
    this.#programs[index] = program;
    return program;
  }
}
