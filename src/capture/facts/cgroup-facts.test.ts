import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CgroupFacts } from './cgroup-facts.ts';

/** Finds the cgroups of the table, and notes what it was asked. */
function start(paths: Map<number, string>) {
  const asked: number[] = [];
  const clock = { nowMs: 0 };
  const facts = new CgroupFacts(
    (cgroupId) => {
      asked.push(cgroupId);
      const path = paths.get(cgroupId);
      return path === undefined ? null : { kind: 'cgroup', cgroupId, paths: [path] };
    },
    () => clock.nowMs,
  );
  return { facts, asked, clock };
}

test('each cgroup is told once, however it came to be known', () => {
  const { facts, asked } = start(new Map([[7, '/found']]));
  assert.deepEqual(facts.seen(7, 1), { kind: 'cgroup', cgroupId: 7, paths: ['/found'] });
  assert.deepEqual(facts.made(8, '/docker/x'), { kind: 'cgroup', cgroupId: 8, paths: ['/docker/x'] });
  for (const id of [0, 7, 8]) assert.equal(facts.seen(id, 1), null);
  assert.deepEqual(asked, [7]);
});

test('one that was not found is looked for again, a second later at the earliest', () => {
  const paths = new Map<number, string>();
  const { facts, asked, clock } = start(paths);
  assert.equal(facts.seen(7, 1), null);
  paths.set(7, '/late');
  clock.nowMs = 999;
  assert.equal(facts.seen(7, 1), null);
  assert.deepEqual(asked, [7]);
  clock.nowMs = 1000;
  assert.deepEqual(facts.seen(7, 1)?.paths, ['/late']);
  assert.equal(facts.seen(7, 1), null);
});

test('an id that is used again tells its new path', () => {
  const { facts } = start(new Map());
  facts.made(7, '/docker/old');
  assert.deepEqual(facts.made(7, '/docker/new').paths, ['/docker/new']);
});

test('however many there are, memory is bounded, and nothing goes untold', () => {
  const { facts, asked } = start(new Map([[1, '/first']]));
  assert.ok(facts.seen(1, 1));
  for (let id = 2; id < 20_000; id++) facts.made(id, '/x');
  assert.ok(facts.seen(1, 1), 'it was forgotten, so it is told again');
  asked.length = 0;
  for (let id = 100_000; id < 105_000; id++) facts.seen(id, 1);
  facts.seen(104_999, 1);
  facts.seen(100_000, 1);
  assert.equal(
    asked.length,
    5001,
    'of the last ones it is known that they were not found, of the first not any more',
  );
});
