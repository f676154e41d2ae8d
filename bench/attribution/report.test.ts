import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Attributor } from '../../src/attribution/attribution.ts';
import { emptyBaselines } from './baselines.ts';
import type { AttributionResult, CellResult, RuntimeResult } from './cell.ts';
import { emptyVerdicts } from './judge.ts';
import { remarks, reportAsMarkdown, reportAsText, tallyOf } from './report.ts';

function cell(concurrency: number): CellResult {
  const verdicts = emptyVerdicts();
  Object.assign(verdicts.plain.exec, { right: 3, wrong: 1 });
  Object.assign(verdicts.reversed.exec, { right: 2, ambiguous: 2, candidates: 10 });
  const baselines = emptyBaselines();
  Object.assign(baselines.thread.exec, { right: 1, wrong: 7 });
  Object.assign(baselines.inFlight.exec, { ambiguous: 8, candidates: 80 });
  return {
    concurrency,
    keepAlive: true,
    requests: 8,
    failed: 0,
    failure: null,
    requestsPerSecond: 100,
    verdicts,
    baselines,
  };
}

const RUNTIME: RuntimeResult = {
  name: 'made-up',
  title: 'Made up',
  kinds: ['exec', 'redis'],
  cells: [cell(1), { ...cell(8), failed: 2, failure: 'status 500' }],
  mistakes: [
    { verdict: 'wrong', kind: 'exec', id: 'id-a', blamed: ['id-b'], grade: 'exact', reason: 'so it seemed' },
  ],
  mistakeCount: 2,
  counters: { ...new Attributor().counters, contentSkipped: 1234 },
  reasons: { 'exec, plain: right, exact: alone': 10 },
  keptRecording: null,
  losses: { 'payload-ring-full': 7 },
  eventsPerRequest: 12.5,
  eventsByKind: { payload: 2 },
  systemCallsPerRequest: null,
  cost: [{ without: 100, with: 90 }],
};
const RESULT: AttributionResult = {
  date: '2026-01-01',
  command: 'make bench-attribution',
  requestsPerCell: 8,
  runtimes: [RUNTIME],
  unavailable: [{ name: 'gone', title: 'Gone', reason: 'it is not installed' }],
};

test('the figures of all loads are added up', () => {
  const tally = tallyOf(RUNTIME.cells, 'exec');
  assert.equal(tally.right, 10);
  assert.equal(tally.wrong, 2);
  assert.equal(tallyOf(RUNTIME.cells, 'exec', ['reversed']).wrong, 0);
});

test('a row for each kind of effect, in text and in Markdown', () => {
  const row = /made-up, program started[ |]+16[ |]+75\.0 %[ |]+50\.0 %[ |]+12\.5 %[ |]+25\.0 %[ |]+5\.0[ |]/;
  assert.match(reportAsText(RESULT), row);
  assert.match(reportAsMarkdown(RESULT, 'a machine'), row);
  assert.match(reportAsText(RESULT), /made-up, program started +12\.5 % +87\.5 % +0 +100 % +10\.0 +10\.0 %/);
});

test('kinds that no baseline can judge have no row there', () => {
  const [, baselines = ''] = reportAsText(RESULT).split('judged in simple ways');
  assert.doesNotMatch(baselines.split('Right, by requests')[0] ?? '', /Redis/);
});

test('what was not measured, failed, got lost or is wrong is said aloud', () => {
  assert.deepEqual(remarks(RESULT).slice(0, 5), [
    'NOT MEASURED: gone: it is not installed',
    'made-up, 8 at once, keep-alive: 2 of 8 requests failed and are not judged (status 500)',
    'made-up: events were lost: payload-ring-full 7',
    'made-up: 1,234 effects were not searched for the bytes of requests: too many were in flight',
    'made-up: 2 WRONG or misled, the first: exec of id-a, exact, blamed id-b (so it seemed)',
  ]);
});

test("a single server is reported with the product's reasons", () => {
  assert.match(reportAsText(RESULT), /10 +exec, plain: right, exact: alone/);
  assert.doesNotMatch(reportAsText({ ...RESULT, runtimes: [RUNTIME, RUNTIME] }), /alone/);
});
