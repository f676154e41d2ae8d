import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LeftOutRuns } from './left-out-runs.ts';

test('told once, as what it can have been at most, and from when until when', () => {
  let count = 0;
  let looks = 0;
  const runs = new LeftOutRuns(() => {
    looks++;
    return count;
  }, 10e9);
  count = 3;
  assert.equal(runs.take(10.9e9, false), null, 'it is not time yet');
  assert.equal(looks, 0);
  assert.deepEqual(runs.take(11.1e9, false), {
    kind: 'blind',
    timeNs: 11.1e9,
    reason: 'program-runs-left-out',
    cgroupId: 0,
    events: 3,
    fromNs: 10e9,
    untilNs: 11.1e9,
  });
  assert.equal(runs.take(12.2e9, false), null, 'nothing more');
  count = 4;
  assert.equal(runs.take(12.3e9, true)?.events, 1, 'at the end');
});
