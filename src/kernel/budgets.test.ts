import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CGROUP_BUDGET } from '../abi/abi.gen.ts';
import { BUDGET_TABLE_BYTES, takeLostEvents } from './budgets.ts';

const START = 24;

function table(): DataView {
  return new DataView(new ArrayBuffer(START + BUDGET_TABLE_BYTES));
}

function lose(
  view: DataView,
  slot: number,
  fields: Partial<Record<keyof typeof CGROUP_BUDGET, number>>,
): void {
  for (const [name, value] of Object.entries(fields)) {
    const at = START + slot * CGROUP_BUDGET.SIZE + CGROUP_BUDGET[name as keyof typeof CGROUP_BUDGET];
    if (name === 'last_pid' || name === 'window_events') view.setUint32(at, value, true);
    else view.setBigUint64(at, BigInt(value), true);
  }
}

test('what nobody has lost is not told', () => {
  const view = table();
  lose(view, 3, { key: 99 * 4, window_events: 1000 });
  assert.deepEqual(takeLostEvents(view, START), []);
});

test('each loss once, with its cgroup, its time and its process', () => {
  const view = table();
  lose(view, 3, {
    key: (2 ** 33 + 1) * 4 + 2,
    lost_events: 5,
    first_lost_ns: 10e9,
    last_lost_ns: 11e9,
    last_pid: 77,
  });
  const first = {
    reason: 'cgroup-budget',
    cgroupId: 2 ** 33 + 1,
    what: 'action',
    events: 5,
    fromNs: 10e9,
    untilNs: 11e9,
    pid: 77,
  };
  assert.deepEqual(takeLostEvents(view, START), [first]);
  assert.deepEqual(takeLostEvents(view, START), []);
  lose(view, 3, { lost_events: 2 ** 32 + 9, first_lost_ns: 12e9, last_lost_ns: 12e9 });
  assert.deepEqual(takeLostEvents(view, START), [
    { ...first, events: 2 ** 32 + 4, fromNs: 12e9, untilNs: 12e9 },
  ]);
  assert.deepEqual(takeLostEvents(view, START), []);
});

test('what the ring had no room for, and cgroups that found no place, are of no cgroup in particular', () => {
  const view = table();
  lose(view, 1024, { lost_events: 1, first_lost_ns: 5, last_lost_ns: 4 });
  lose(view, 1025, { lost_events: 2, first_lost_ns: 5, last_lost_ns: 6 });
  assert.deepEqual(
    takeLostEvents(view, START).map(({ reason, cgroupId, events, fromNs, untilNs }) => [
      reason,
      cgroupId,
      events,
      untilNs - fromNs,
    ]),
    [
      ['cgroup-budget', 0, 1, 0],
      ['security-ring-full', 0, 2, 1],
    ],
  );
});
