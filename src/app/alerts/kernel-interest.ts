import { ALL_ACTIONS, EFFECT_ACTIONS } from '../../kernel/action-plans.ts';
import type { KernelInterest } from '../../kernel/loader.ts';
import type { ActionName } from '../../model/actions.ts';
import { RULE_CALLS } from '../../rules/calls.ts';
import { eventTypeOf } from '../../rules/event-types.ts';
import type { RuleInterest } from '../../rules/interest.ts';

/** All that there is: for those who look at events themselves. */
export const EVERYTHING: KernelInterest = { actions: ALL_ACTIONS, readsOfEverybody: false };

/** What the kernel side has to tell: what can be an effect of a request, and what rules ask for. */
export function kernelInterest(rules: RuleInterest): KernelInterest {
  const serving = new Set<ActionName>(EFFECT_ACTIONS.serving);
  const everybody = new Set<ActionName>(EFFECT_ACTIONS.everybody);
  for (const { action, type } of RULE_CALLS.values()) {
    const index = eventTypeOf(type);
    if (index === null) continue;
    if (rules.ofEverybody.has(index)) everybody.add(action);
    else if (rules.types.has(index)) serving.add(action);
  }
  return { actions: { serving, everybody }, readsOfEverybody: rules.readsOfEverybody };
}
