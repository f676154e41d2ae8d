import { actionsNamed, ALL_ACTIONS, EFFECT_ACTIONS } from '../../kernel/action-plans.ts';
import type { KernelInterest } from '../../kernel/loader.ts';
import type { ActionName } from '../../model/actions.ts';
import { RULE_CALLS } from '../../rules/calls.ts';
import { eventTypeOf } from '../../rules/event-types.ts';
import type { RuleInterest } from '../../rules/interest.ts';

/** All that there is: for those who look at events themselves. */
const EVERYTHING: KernelInterest = {
  actions: ALL_ACTIONS,
  readsOfEverybody: false,
  onDemand: 'all',
  environment: new Set(),
};

/** Events of these types and actions of these names, of everybody; null for all. */
export function eventInterest(types: readonly string[] | null): KernelInterest {
  if (types === null) return EVERYTHING;
  return {
    actions: actionsNamed(types),
    readsOfEverybody: false,
    onDemand: new Set(types),
    environment: new Set(),
  };
}

/** What the kernel side has to tell: what can be an effect of a request, and what rules ask for. */
export function kernelInterest(rules: RuleInterest): KernelInterest {
  const serving = new Set<ActionName>(EFFECT_ACTIONS.serving);
  const everybody = new Set<ActionName>(EFFECT_ACTIONS.everybody);
  const onlyEffects = new Set<ActionName>(EFFECT_ACTIONS.onlyEffects);
  for (const { action, type } of RULE_CALLS.values()) {
    const index = eventTypeOf(type);
    if (index === null) continue;
    if (!rules.types.has(index) && !rules.ofEverybody.has(index)) continue;
    onlyEffects.delete(action);
    if (rules.ofEverybody.has(index)) everybody.add(action);
    else serving.add(action);
  }
  return {
    actions: { serving, everybody, onlyEffects },
    readsOfEverybody: rules.readsOfEverybody,
    onDemand: new Set(),
    environment: rules.environment,
  };
}
