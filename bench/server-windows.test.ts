import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareWindows, labelWindows, type ServerWindow } from './server-windows.ts';

/** A server whose requests take `us`, on a machine that runs at `speed`. */
function windowOf(isObserved: boolean, us: number, speed: number): ServerWindow {
  const requests = Math.round((100_000 * speed) / us);
  return { isObserved, requests, fromMs: 0, toMs: 100, processorUs: 100_000 };
}

test('what observing adds is found on a machine whose speed drifts by more than that', () => {
  const windows = Array.from({ length: 400 }, (_, index) => {
    const isObserved = index % 2 === 1;
    return windowOf(isObserved, isObserved ? 26 : 25, 1 + 0.5 * Math.sin(index / 40));
  });
  const { count, addedUs, rate } = compareWindows(windows);
  assert.equal(count, 199);
  assert.ok(addedUs.low > 0.6 && addedUs.high < 1.6, JSON.stringify(addedUs));
  assert.ok(Math.abs(rate.median - 25 / 26) < 0.005, JSON.stringify(rate));
});

test('the interval encloses the median and is wide where windows differ', () => {
  const windows = Array.from({ length: 60 }, (_, index) =>
    windowOf(index % 2 === 1, index % 2 === 1 ? 20 + (index % 7) : 20, 1),
  );
  const { addedUs } = compareWindows(windows);
  assert.ok(addedUs.low < addedUs.median && addedUs.median < addedUs.high, JSON.stringify(addedUs));
});

test('windows without two neighbours of the other kind are left out, and of none nothing is known', () => {
  const lone = compareWindows([windowOf(true, 25, 1), windowOf(true, 25, 1), windowOf(false, 24, 1)]);
  assert.equal(lone.count, 0);
  assert.ok(Number.isNaN(lone.addedUs.median) && Number.isNaN(lone.rate.low));
});

test('a window in which the state changed is of neither kind, however late the switch was told of its beginning', () => {
  const report = (fromMs: number) => ({ requests: 1, fromMs, toMs: fromMs + 100, processorUs: 1 });
  const switches = [
    { atMs: 0, isOn: true },
    { atMs: 102, isOn: false },
    { atMs: 250, isOn: true },
  ];
  assert.deepEqual(
    labelWindows([report(-50), report(0), report(100), report(200), report(300)], switches).map(
      ({ isObserved }) => isObserved,
    ),
    [null, true, false, null, true],
  );
});
