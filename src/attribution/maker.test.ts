import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makerOf } from './maker.ts';
import { SimulatedKernel } from './testing/simulated-kernel.ts';

test('when a task was made, though only the lower bits of the time are told', () => {
  const kernel = new SimulatedKernel(() => undefined);
  for (const startNs of [5e9, 2 ** 42 - 1e6, 9 * 86_400e9]) {
    kernel.nowNs = startNs;
    const maker = kernel.goroutine(kernel.process());
    const task = kernel.task(maker);
    kernel.nowNs += 1800e9;
    const made = makerOf(kernel.header(task));
    assert.equal(made?.unit, maker.unit);
    assert.ok(Math.abs((made?.madeNs ?? 0) - startNs) <= 1024);
  }
});

test('whoever has a request of its own has none', () => {
  const kernel = new SimulatedKernel(() => undefined);
  assert.equal(makerOf(kernel.header(kernel.process())), null);
});
