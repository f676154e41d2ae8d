import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HostClock } from './host-clock.ts';

test('wall times follow from one pair of times', () => {
  const clock = new HostClock();
  assert.equal(clock.wallMs(5e6), 5);
  clock.set(2e9, 1_700_000_000_000);
  assert.equal(clock.wallMs(2e9), 1_700_000_000_000);
  assert.equal(clock.wallMs(3.5e9), 1_700_000_001_500);
  assert.equal(clock.wallMs(1e9), 1_699_999_999_000);
  clock.set(2e9, 1_800_000_000_000);
  assert.equal(clock.wallMs(2e9), 1_800_000_000_000);
});
