import assert from 'node:assert/strict';
import { test } from 'node:test';
import { median, pairedRatio, quantile, spread } from './statistics.ts';

test('the median is the middle value, or the mean of the two in the middle, in any order', () => {
  assert.equal(median([5, 1, 3]), 3);
  assert.equal(median([10, 2, 1, 4]), 3);
  assert.equal(median([7]), 7);
  assert.ok(Number.isNaN(median([])));
});

test('values are compared as numbers', () => {
  assert.equal(median([9, 10, 100]), 10);
});

test('quantiles are interpolated and the input stays as it is', () => {
  const values = [4, 1, 3, 2];
  assert.equal(quantile(values, 0), 1);
  assert.equal(quantile(values, 1), 4);
  assert.equal(quantile(values, 0.25), 1.75);
  assert.deepEqual(values, [4, 1, 3, 2]);
});

test('spread has both ends', () => {
  assert.deepEqual(spread([3, 1, 2]), { median: 2, minimum: 1, maximum: 3 });
});

test('ratios are taken pair by pair: a machine that slows down as a whole does not show', () => {
  const pairs = [100, 50, 25].map((speed) => ({ without: speed, with: speed * 0.9 }));
  const { median: middle, minimum, maximum } = pairedRatio(pairs);
  for (const value of [middle, minimum, maximum]) assert.ok(Math.abs(value - 0.9) < 1e-9);
});
