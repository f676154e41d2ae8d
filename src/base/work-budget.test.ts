import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WorkBudget } from './work-budget.ts';

test('work beyond the budget is refused and counted until the next slot', () => {
  const budget = new WorkBudget(100, 1000);
  assert.equal(budget.spend(60, 10), true);
  assert.equal(budget.spend(60, 20), true, 'the last one may overdraw');
  assert.equal(budget.spend(1, 999), false);
  assert.equal(budget.refused, 1);
  assert.equal(budget.spend(1, 1000), true);
});
