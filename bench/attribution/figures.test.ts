import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Attributor } from '../../src/attribution/attribution.ts';
import { emptyBaselines } from './baselines.ts';
import type { CellResult, RuntimeResult } from './cell.ts';
import { figuresOf } from './figures.ts';
import { emptyVerdicts } from './judge.ts';
import { totalOf } from './tally.ts';

function cell(concurrency: number, keepAlive: boolean): CellResult {
  const verdicts = emptyVerdicts();
  Object.assign(verdicts.plain.exec, { right: 3, wrong: 1 });
  Object.assign(verdicts.reversed.exec, { right: 2, ambiguous: 2, candidates: 10 });
  const baselines = emptyBaselines();
  Object.assign(baselines.thread.exec, { right: 1, wrong: 7 });
  const load = { requests: 8, failed: 0, failure: null, requestsPerSecond: 100 };
  return { concurrency, keepAlive, ...load, verdicts, baselines };
}

const RESULT: RuntimeResult = {
  name: 'made-up',
  title: 'Made up',
  kinds: ['exec', 'redis'],
  cells: [
    cell(8, true),
    cell(1, true),
    cell(1, false),
    { ...cell(8, false), failed: 2, failure: 'status 500' },
  ],
  mistakes: [
    { verdict: 'wrong', kind: 'exec', id: 'id-a', blamed: ['id-b'], grade: 'exact', reason: 'so it seemed' },
  ],
  mistakeCount: 2,
  counters: { ...new Attributor().counters, contentSkipped: 1234 },
  reasons: {},
  keptRecording: null,
  losses: { 'payload-ring-full': 7 },
  probeHitsPerRequest: 12,
  eventsPerRequest: 12.5,
  eventsByKind: { payload: 2 },
  systemCallsPerRequest: null,
  cost: [],
};
const FIGURES = figuresOf(RESULT, { date: '2026-01-01', command: 'make', machine: 'a machine', requests: 8 });

test('loads of the same concurrency are added up, the lowest comes first', () => {
  const [exec, redis] = FIGURES.effects;
  assert.deepEqual(
    exec?.loads.map(({ concurrency, plain, reversed }) => [concurrency, plain.wrong, reversed.candidates]),
    [
      [1, 2, 20],
      [8, 2, 20],
    ],
  );
  assert.equal(exec?.thread.wrong, 28);
  assert.ok(exec !== undefined && totalOf(exec.inFlight) === 0);
  assert.equal(redis?.kind, 'redis');
});

test('what failed, got lost or is wrong is said aloud', () => {
  assert.deepEqual(FIGURES.remarks, [
    '8 at once, close: 2 of 8 requests failed and are not judged (status 500)',
    'events were lost: payload-ring-full 7',
    '1,234 effects were not searched for the bytes of requests: too many were in flight',
    '2 WRONG or misled, the first: exec of id-a, exact, blamed id-b (so it seemed)',
  ]);
});
