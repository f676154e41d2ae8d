import assert from 'node:assert/strict';
import { probeFeatures } from '../../src/kernel/probe.ts';
import { native } from '../../src/kernel/libbpf.ts';
import { PLANS, planAskedFor, PLAN_VARIABLE, planSensors, whyNot, type Plan } from '../../src/kernel/plan.ts';

/** Set where a kernel is known to have trampolines: not to find them is a failure then, and no reason to test less. */
const MUST_HAVE_TRAMPOLINES = process.env['TEST_HAS_TRAMPOLINES'] === '1';

export interface PlansHere {
  /** Those that this kernel has. */
  readonly all: readonly Plan[];
  /** The one that is used where none is asked for. */
  readonly default: Plan;
}

let known: PlansHere | null = null;

/** Asks the kernel, once. */
export function plansHere(): PlansHere {
  known ??= askKernel();
  return known;
}

function askKernel(): PlansHere {
  const features = probeFeatures(native());
  const all = PLANS.filter((plan) => whyNot(plan, planSensors(features, plan)) === null);
  const used = planSensors(features).find(({ sensor }) => sensor.name === 'file')?.chosen?.plan;
  assert.ok(used !== undefined && all.includes(used), `${used}, of ${all.join(', ')}`);
  if (MUST_HAVE_TRAMPOLINES)
    assert.ok(all.includes('trampolines'), 'this kernel is known to have trampolines');
  return { all, default: used };
}

/** By which plan an agent that is started from here runs: what tests expect can depend on it. */
export function planInForce(): Plan {
  return planAskedFor(process.env[PLAN_VARIABLE]) ?? plansHere().default;
}
