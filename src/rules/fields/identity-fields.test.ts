import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isTrue, makeEvent, makeProcess } from '../testing.ts';

test('names of users beyond ASCII are compared as their bytes', () => {
  const event = makeEvent({ process: makeProcess({ userName: 'jürgen' }) });
  assert.ok(isTrue('user.name = jürgen', event));
  assert.ok(isTrue('user.name in (root, jürgen)', event));
  assert.ok(isTrue('user.name startswith jü', event));
  assert.equal(isTrue('user.name != jürgen', event), false);
});
