import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Detection } from '../model/finding.ts';
import { BlindSpots, type BlindFact } from './blind-spots.ts';

function blind(changes: Partial<BlindFact> = {}): BlindFact {
  return {
    kind: 'blind',
    timeNs: 10e9,
    reason: 'security-ring-full',
    cgroupId: 0,
    events: 4031,
    fromNs: 9.8e9,
    untilNs: 9.92e9,
    ...changes,
  };
}

function bench(): { readonly spots: BlindSpots; readonly told: { detection: Detection; timeNs: number }[] } {
  const told: { detection: Detection; timeNs: number }[] = [];
  return { told, spots: new BlindSpots((detection, timeNs) => told.push({ detection, timeNs })) };
}

test('nothing lost, nothing said', () => {
  const { spots, told } = bench();
  spots.tick(1e9);
  spots.tick(Infinity);
  assert.deepEqual(told, []);
});

test('how long, how many, why', () => {
  const { spots, told } = bench();
  spots.lost(blind(), null);
  spots.tick(10e9);
  assert.equal(told.length, 1);
  const [first] = told;
  assert.equal(first?.timeNs, 9.8e9);
  assert.equal(first?.detection.title, 'Blind for 120 ms: 4,031 events lost (no room in the security ring)');
  assert.deepEqual(
    [first?.detection.class, first?.detection.verdict, first?.detection.severity],
    ['blind', 'SUSPICIOUS', 'high'],
  );
  assert.deepEqual(
    first?.detection.evidence.map(({ source, value }) => [source, value]),
    [['host', '4031']],
  );
});

test('a container that used up its share is named, and costs nobody else anything', () => {
  const { spots, told } = bench();
  spots.lost(
    blind({ reason: 'cgroup-budget', cgroupId: 77, what: 'file', events: 1, fromNs: 5, untilNs: 5 }),
    'abcdef',
  );
  spots.tick(10e9);
  assert.equal(
    told[0]?.detection.title,
    'Blind for 1 ms: 1 file event lost (container abcdef had used up its budget)',
  );
  assert.equal(told[0]?.detection.severity, 'medium');
});

test('at most one in a second, with all that was lost since', () => {
  const { spots, told } = bench();
  for (let step = 0; step < 12; step++) {
    const timeNs = 20e9 + step * 0.25e9;
    spots.lost(blind({ timeNs, events: 10, fromNs: timeNs - 1e6, untilNs: timeNs }), null);
    spots.tick(timeNs);
  }
  assert.deepEqual(
    told.map(({ detection }) => detection.title.replace(/ \(.*/, '')),
    [
      'Blind for 1 ms: 10 events lost',
      'Blind for 751 ms: 40 events lost',
      'Blind for 751 ms: 40 events lost',
    ],
  );
  spots.tick(Infinity);
  assert.equal(told.length, 4, 'what is left is told at the end');
});

test('several cgroups are one finding, the one that lost most first', () => {
  const { spots, told } = bench();
  spots.lost(blind({ reason: 'cgroup-budget', cgroupId: 1, events: 5 }), null);
  spots.lost(blind({ reason: 'cgroup-budget', cgroupId: 2, events: 50 }), 'c2');
  spots.lost(blind({ reason: 'cgroup-budget', cgroupId: 2, events: 1 }), 'c2');
  spots.lost(blind({ events: 7 }), null);
  spots.tick(10e9);
  const { detection } = told[0] ?? assert.fail();
  assert.match(detection.title, /63 events lost \(container c2 had used up its budget and 2 more\)$/);
  assert.deepEqual(
    detection.evidence.map(({ source, value }) => `${source} ${value}`),
    ['container c2 51', 'host 7', 'cgroup 1 5'],
  );
});

test('of a flood of cgroups some are named, and none is left out of the sum', () => {
  const { spots, told } = bench();
  for (let cgroupId = 1; cgroupId <= 1000; cgroupId++)
    spots.lost(blind({ reason: 'cgroup-budget', cgroupId, events: 2 }), null);
  spots.tick(10e9);
  const { detection } = told[0] ?? assert.fail();
  assert.equal(detection.evidence.length, 17);
  assert.match(detection.title, /2,000 events lost \(other cgroups had used up their budgets/);
});

test('runs of programs that the kernel left out', () => {
  const { spots, told } = bench();
  spots.lost(blind({ reason: 'program-runs-left-out', events: 9, fromNs: 9e9, untilNs: 10e9 }), null);
  spots.tick(10e9);
  const [first] = told;
  assert.equal(
    first?.detection.title,
    'Blind for 1,000 ms: 9 events lost (at most: the kernel left out so many runs of our programs, which it had interrupted)',
  );
  assert.equal(first?.detection.severity, 'medium');
});
