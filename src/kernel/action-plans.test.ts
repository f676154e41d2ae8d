import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ACTION_PLAN, ACTION_SCOPE, ARGUMENT_TEST } from '../abi/abi.gen.ts';
import { SYSCALLS } from '../model/syscalls.ts';
import {
  actionPlans,
  actionsNamed,
  ALL_ACTIONS,
  EFFECT_ACTIONS,
  type ActionInterest,
} from './action-plans.ts';

function planOf(syscall: keyof typeof SYSCALLS, interest: ActionInterest) {
  const found = [...actionPlans('x64', interest)].find(({ number }) => number === SYSCALLS[syscall].x64);
  const plan = found?.plan ?? null;
  if (plan === null) return null;
  return { scope: plan[ACTION_PLAN.scope], test: plan[ACTION_PLAN.test] };
}

test('an effect is told within its scope, on demand it is everybody’s', () => {
  assert.deepEqual(planOf('unlink', EFFECT_ACTIONS), {
    scope: ACTION_SCOPE.SERVING,
    test: ARGUMENT_TEST.NONE,
  });
  assert.deepEqual(planOf('unlink', ALL_ACTIONS), {
    scope: ACTION_SCOPE.EVERYBODY,
    test: ARGUMENT_TEST.NONE,
  });
  assert.equal(planOf('chdir', EFFECT_ACTIONS), null);
  assert.deepEqual(planOf('chdir', ALL_ACTIONS), { scope: ACTION_SCOPE.EVERYBODY, test: ARGUMENT_TEST.NONE });
});

test('of sockets, those that see packets whole are effects, of anybody', () => {
  const { EVERYBODY } = ACTION_SCOPE;
  assert.deepEqual(planOf('socket', EFFECT_ACTIONS), { scope: EVERYBODY, test: ARGUMENT_TEST.RAW_SOCKET });
  assert.deepEqual(planOf('socket', ALL_ACTIONS), { scope: EVERYBODY, test: ARGUMENT_TEST.NONE });
});

test('where types are named, no other action costs anything', () => {
  const told = (interest: ActionInterest) =>
    [...actionPlans('x64', interest)].filter(({ plan }) => plan !== null).map(({ number }) => number);
  assert.deepEqual(told(actionsNamed(['exec', 'ptrace', 'datagram'])), [SYSCALLS.ptrace.x64]);
  assert.deepEqual(told(actionsNamed(['action'])), told(ALL_ACTIONS));
});
