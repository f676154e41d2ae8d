import assert from 'node:assert/strict';
import { test } from 'node:test';
import { number, percent } from './format.ts';

test('all and nothing are said only where they are true', () => {
  assert.equal(percent(1), '100 %');
  assert.equal(percent(0.99996), '> 99.9 %');
  assert.equal(percent(0.9994), '99.9 %');
  assert.equal(percent(0.00001), '< 0.1 %');
  assert.equal(percent(0), '0');
  assert.equal(percent(0 / 0), '-');
});

test('numbers', () => {
  assert.equal(number(1234.56, 1), '1,234.6');
  assert.equal(number(Number.NaN), '-');
});
