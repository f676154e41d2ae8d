import { ConditionCompiler } from './compile/condition.ts';
import { eventTypeOf } from './event-types.ts';
import { eventTypesWithoutRequest } from './event-type-set.ts';
import type { Rule } from './rule.ts';
import { variablesOfRule } from './variables.ts';

/** What rules ask of those who tell events. */
export interface RuleInterest {
  /** Indexes of the event types on which some rule is run. */
  readonly types: ReadonlySet<number>;
  /** Those of them on which some rule can be true without a request: events of everybody are wanted. */
  readonly ofEverybody: ReadonlySet<number>;
  /** Some rule can be true of a file that is opened to be read, by anybody. */
  readonly readsOfEverybody: boolean;
  /** Variables of the environment that some rule asks for. */
  readonly environment: ReadonlySet<string>;
}

const OPEN = eventTypeOf('openat') ?? -1;
/** O_RDONLY: asm-generic/fcntl.h. */
const READ_ONLY = 0;

export function interestOf(rules: readonly Rule[]): RuleInterest {
  const types = new Set<number>();
  const ofEverybody = new Set<number>();
  const environment = new Set<string>();
  let readsOfEverybody = false;
  const reading = new ConditionCompiler({ type: OPEN, openMode: READ_ONLY }, () => {});
  for (const rule of rules) {
    const { condition, types: typesOfRule } = rule;
    for (const name of variablesOfRule(rule)) environment.add(name);
    for (const type of typesOfRule) types.add(type);
    const free = eventTypesWithoutRequest(condition);
    for (const type of free) ofEverybody.add(type);
    if (readsOfEverybody || !free.has(OPEN)) continue;
    const compiled = reading.compile(condition);
    readsOfEverybody = compiled.kind !== 'constant' || compiled.value;
  }
  return { types, ofEverybody, readsOfEverybody, environment };
}
