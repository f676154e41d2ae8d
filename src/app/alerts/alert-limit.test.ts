import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AlertLimiter } from './alert-limit.ts';

const SECOND = 1e9;

function start(count: number) {
  const told: string[] = [];
  const limiter = new AlertLimiter({ count, perNs: 10 * SECOND }, (text) => told.push(text));
  const admitted = (rule: string, times: readonly number[]) =>
    times.filter((seconds) => limiter.admits(rule, seconds * SECOND)).length;
  return { limiter, told, admitted };
}

const at = (seconds: number, times: number) => Array.from({ length: times }, () => seconds);

test('so many at once, and as many again in the time, of each rule alone', () => {
  const { limiter, admitted } = start(10);
  assert.equal(admitted('a', at(0, 25)), 10);
  assert.equal(admitted('b', at(0, 3)), 3);
  assert.equal(admitted('a', at(1, 25)), 1);
  assert.equal(admitted('a', at(6, 25)), 5);
  assert.equal(admitted('a', at(1000, 25)), 10);
  assert.equal(limiter.heldBackOf('a'), 15 + 24 + 20 + 15);
  assert.equal(limiter.heldBackOf('b'), 0);
  assert.equal(limiter.heldBack, limiter.heldBackOf('a'));
});

test('time that goes back gives nothing, and takes nothing', () => {
  const { admitted } = start(10);
  assert.equal(admitted('a', at(100, 10)), 10);
  assert.equal(admitted('a', at(50, 10)), 0);
  assert.equal(admitted('a', at(101, 10)), 1);
});

test('what is held back is told when it begins, and once a minute while it goes on', () => {
  const { told, admitted } = start(10);
  for (let second = 0; second <= 130; second++) admitted('a', at(second, 11));
  assert.equal(told.length, 3);
  assert.match(told[0] ?? '', /^rule 'a' raises more alerts than --alert-limit lets through/);
  assert.match(told[1] ?? '', /^rule 'a' had 590 more alerts held back$/);
});

test('without a limit nothing is counted', () => {
  const { limiter, admitted } = start(Infinity);
  assert.equal(admitted('a', at(0, 100_000)), 100_000);
  assert.equal(limiter.heldBack, 0);
});
