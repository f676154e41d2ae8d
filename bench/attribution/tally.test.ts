import assert from 'node:assert/strict';
import { test } from 'node:test';
import { emptyTally, meanCandidates, precisionOf, shareOf, sumOf, totalOf } from './tally.ts';

test('shares are of all effects, missing ones too', () => {
  const tally = { ...emptyTally(), right: 90, wrong: 1, ambiguous: 4, misled: 1, missing: 4, candidates: 20 };
  assert.equal(totalOf(tally), 100);
  assert.equal(shareOf(tally, 'right'), 0.9);
  assert.equal(shareOf(tally, 'missing'), 0.04);
  assert.equal(meanCandidates(tally), 4);
  // 90 + 1 placed effects and 20 candidates are 111 blames, of which 90 + 4 met the culprit.
  assert.equal(precisionOf(tally), 94 / 111);
});

test('no effects have no share', () => {
  assert.ok(Number.isNaN(shareOf(emptyTally(), 'right')));
  assert.equal(meanCandidates(emptyTally()), 0);
});

test('tallies add up', () => {
  const one = { ...emptyTally(), right: 1, candidates: 3 };
  assert.deepEqual(sumOf([one, { ...emptyTally(), right: 2, missing: 5 }, one]), {
    ...emptyTally(),
    right: 4,
    missing: 5,
    candidates: 6,
  });
});
