import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ACTION_PLAN, ACTION_SCOPE, ARGUMENT_TEST } from '../abi/abi.gen.ts';
import { ACTIONS } from '../model/actions.ts';
import { SYSCALLS } from '../model/syscalls.ts';
import { actionPlans, asksFor, unwantedCalls, type ActionInterest } from './action-plans.ts';

function planOf(syscall: keyof typeof SYSCALLS, interest: ActionInterest) {
  const found = [...actionPlans('x64', interest)].find(({ number }) => number === SYSCALLS[syscall].x64);
  if (found === undefined) return null;
  const { plan } = found;
  return { scope: plan[ACTION_PLAN.scope], test: plan[ACTION_PLAN.test] };
}

test('an effect is told within its scope, on demand it is everybody’s', () => {
  assert.deepEqual(planOf('unlink', 'effects'), { scope: ACTION_SCOPE.SERVING, test: ARGUMENT_TEST.NONE });
  assert.deepEqual(planOf('unlink', 'all'), { scope: ACTION_SCOPE.EVERYBODY, test: ARGUMENT_TEST.NONE });
  assert.equal(planOf('chdir', 'effects'), null);
  assert.deepEqual(planOf('chdir', 'all'), { scope: ACTION_SCOPE.EVERYBODY, test: ARGUMENT_TEST.NONE });
});

test('of sockets, those that see packets whole are effects, of anybody', () => {
  const { EVERYBODY } = ACTION_SCOPE;
  assert.deepEqual(planOf('socket', 'effects'), { scope: EVERYBODY, test: ARGUMENT_TEST.RAW_SOCKET });
  assert.deepEqual(planOf('socket', 'all'), { scope: EVERYBODY, test: ARGUMENT_TEST.NONE });
});

test('where types are named, no other action costs anything', () => {
  const interest = ['exec', 'ptrace', 'datagram'];
  const plans = [...actionPlans('x64', interest)];
  assert.deepEqual(
    plans.map(({ number }) => number),
    [SYSCALLS.ptrace.x64],
  );
  const unwanted = unwantedCalls(interest);
  assert.ok(unwanted.has('unlink') && !unwanted.has('ptrace'));
  assert.equal([...actionPlans('x64', ['action'])].length, [...actionPlans('x64', 'all')].length);
  assert.ok(asksFor(interest, 'datagram') && !asksFor(interest, 'tcp') && asksFor('all', 'tcp'));
  assert.ok(!asksFor('effects', 'tcp') && ACTIONS.ptrace.id > 0);
});
