import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mergeResults, parseResults, resultsText, withCosts } from './results-file.ts';
import { madeUpFigures } from './testing.ts';

test('results are read back as they were written, a line for each runtime', () => {
  const runtimes = [madeUpFigures({ name: 'a' }), madeUpFigures({ name: 'b' })];
  const results = { runtimes, unavailable: [{ name: 'c', title: 'C', reason: 'not here' }] };
  const text = resultsText(results);
  assert.deepEqual(parseResults(text), results);
  assert.equal(text.match(/^\{"name".*\},?$/gm)?.length, 3);
  assert.throws(() => parseResults('{"schema":2}'), /schema 1/);
});

test('a run replaces its own runtimes and keeps the others, in the order of all', () => {
  const before = {
    runtimes: [madeUpFigures({ name: 'a', events: 1 }), madeUpFigures({ name: 'gone' })],
    unavailable: [
      { name: 'b', title: 'B', reason: 'was missing' },
      { name: 'd', title: 'D', reason: 'is missing' },
    ],
  };
  const run = {
    runtimes: [madeUpFigures({ name: 'c' }), madeUpFigures({ name: 'b' })],
    unavailable: [{ name: 'a', title: 'A', reason: 'failed this time' }],
  };
  const merged = mergeResults(before, run, ['a', 'b', 'c', 'd']);
  assert.deepEqual(
    merged.runtimes.map(({ name }) => name),
    ['a', 'b', 'c'],
  );
  assert.equal(merged.runtimes[0]?.events, 1);
  assert.deepEqual(
    merged.unavailable.map(({ name }) => name),
    ['d'],
  );
});

test('a run that did not measure the costs keeps those of the one before, and says so', () => {
  const before = { runtimes: [madeUpFigures({ name: 'a', systemCalls: 7 })], unavailable: [] };
  const origin = { date: '2030-01-01', command: 'make x', machine: 'm', requests: 1 };
  const run = {
    runtimes: [madeUpFigures({ name: 'a', origin, systemCalls: null, cost: [] })],
    unavailable: [],
  };
  const [merged] = mergeResults(before, run, ['a']).runtimes;
  assert.ok(merged);
  const [older] = before.runtimes;
  assert.deepEqual([merged.origin, merged.costOrigin], [origin, older?.origin]);
  assert.deepEqual([merged.systemCalls, merged.cost], [7, older?.cost]);
  const again = mergeResults({ runtimes: [merged], unavailable: [] }, run, ['a']).runtimes[0];
  assert.deepEqual(again?.costOrigin, older?.origin);
  const measured = { runtimes: [madeUpFigures({ name: 'a', systemCalls: 9 })], unavailable: [] };
  assert.equal(mergeResults(before, measured, ['a']).runtimes[0]?.costOrigin, undefined);
});

test('costs that were measured alone stand beside the figures that there are', () => {
  const before = {
    runtimes: [
      madeUpFigures({ name: 'a', events: 3, systemCalls: null, cost: [] }),
      madeUpFigures({ name: 'b' }),
    ],
    unavailable: [],
  };
  const origin = { date: '2030-01-01', command: 'make x', machine: 'm', requests: 1 };
  const cost = [{ without: 5, noProbes: 4, noRuntimeProbes: 3, noTlsProbes: 2, everything: 1 }];
  const costs = [
    { name: 'a', systemCalls: 7, cost },
    { name: 'unknown', systemCalls: 1, cost },
  ];
  const { runtimes } = withCosts(before, costs, origin);
  assert.deepEqual(runtimes, [
    { ...before.runtimes[0], systemCalls: 7, cost, costOrigin: origin },
    before.runtimes[1],
  ]);
});
