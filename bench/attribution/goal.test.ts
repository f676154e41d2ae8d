import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LoadFigures } from './figures.ts';
import { goalOf } from './goal.ts';
import { loads, tally } from './testing.ts';

const ALL = [1, 8, 64, 256];
const answer = (chosen: readonly LoadFigures[]): string =>
  goalOf({ kind: 'exec', loads: chosen, thread: tally({}), inFlight: tally({}) });

test('99 % at every concurrency meet it', () => {
  assert.equal(answer(loads(ALL, { right: 99, missing: 1 })), 'met');
  assert.equal(answer(loads(ALL, { right: 98, missing: 2 })), 'not met');
});

test('one concurrency of few effects is not made up for by the others', () => {
  const [, ...rest] = loads(ALL, { right: 10_000 });
  assert.equal(answer([...loads([1], { right: 9, ambiguous: 1 }, { right: 10 }), ...rest]), 'with bytes');
  assert.equal(answer([...loads([1], { right: 10 }, { right: 9, ambiguous: 1 }), ...rest]), 'not met');
});

test('one in a thousand on a wrong request is too much, whatever is right', () => {
  assert.equal(answer(loads(ALL, { right: 9999, wrong: 1 })), 'met');
  assert.equal(answer(loads(ALL, { right: 999, wrong: 1 })), 'not met');
});

test('what was not measured at every concurrency is not claimed', () => {
  assert.equal(answer(loads([1, 8, 64], { right: 100 })), 'unknown');
  assert.equal(answer([...loads([1, 8, 64], { right: 100 }), ...loads([256], {})]), 'unknown');
  assert.equal(answer(loads([1], { right: 1, wrong: 1 })), 'not met');
});
