import assert from 'node:assert/strict';
import { test } from 'node:test';
import { COST_MODES, orderOf } from './cost.ts';

test('each round measures everything once, and none begins as another one', () => {
  const orders = [0, 1, 2, 3, 4].map(orderOf);
  for (const order of orders) assert.deepEqual(order.toSorted(), ['without', ...COST_MODES].toSorted());
  assert.equal(new Set(orders.map((order) => order[0])).size, orders.length);
});
