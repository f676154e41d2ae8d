import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EFFECT_ACTIONS } from '../../kernel/action-plans.ts';
import { interestOf } from '../../rules/interest.ts';
import { rulesOf, ruleText } from '../../rules/testing.ts';
import { kernelInterest } from './kernel-interest.ts';

const interest = (condition: string) => kernelInterest(interestOf(rulesOf(ruleText(condition))));

test('without rules the kernel tells what can be an effect of a request', () => {
  const { actions, readsOfEverybody } = kernelInterest(interestOf([]));
  assert.deepEqual(actions, EFFECT_ACTIONS);
  assert.equal(readsOfEverybody, false);
  assert.ok(actions.serving.has('chmod') && !actions.everybody.has('chmod'));
  assert.ok(!actions.serving.has('prctl') && !actions.everybody.has('prctl'));
});

test('rules add the actions that they name, of everybody only where they do not want a request', () => {
  assert.ok(interest('evt.type = chmod and fs.path.name startswith /etc').actions.everybody.has('chmod'));
  assert.ok(!interest('evt.type = chmod and http.method exists').actions.everybody.has('chmod'));
  const ofRequests = interest('evt.type = prctl and http.method exists').actions;
  assert.ok(ofRequests.serving.has('prctl') && !ofRequests.everybody.has('prctl'));
  assert.ok(interest('evt.type in (dup, dup2) and proc.name = sh').actions.everybody.has('dup'));
  assert.equal(interest('evt.type = openat and fd.name = /etc/shadow').readsOfEverybody, true);
});
