import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { DurationHistogram } from './duration-histogram.ts';
import { lateEffectView, orphanView, requestView } from './request-view.ts';
import { RouteTable } from './route-table.ts';
import { routeOf } from '../base/route.ts';
import { exactly, sampleContext, SampleProgram, sampleRequest, sampleStory } from './sample-story.ts';
import { TraceTotals } from './trace-totals.ts';

test('routes: what names one of many is folded', () => {
  const cases = {
    '/': '/',
    '/users/4711/orders?page=2': '/users/:id/orders',
    '/users/4711abc': '/users/4711abc',
    '/o/5f0c4d2e-0b1a-4c3d-8e9f-0123456789ab': '/o/:id',
    '/blob/d41d8cd98f00b204e9800998ecf8427e': '/blob/:id',
    '/decade/feedbeefdeadbeef': '/decade/feedbeefdeadbeef',
    'http://h/x/1': '/x/:id',
    '*': '*',
  };
  for (const [target, route] of Object.entries(cases)) assert.equal(routeOf(target), route);
  assert.ok(routeOf('/' + 'a'.repeat(10_000)).length < 300);
});

test('percentiles are right within 2 %', () => {
  const durations = new DurationHistogram();
  assert.equal(durations.percentile(0.5), null);
  for (let ms = 1; ms <= 1000; ms++) durations.add(ms);
  for (const [part, exact] of [
    [0.5, 500],
    [0.99, 990],
    [1, 1000],
  ] as const)
    assert.ok(Math.abs((durations.percentile(part) ?? 0) / exact - 1) < 0.02);
  durations.add(0);
  assert.ok((durations.percentile(0) ?? 1) < 0.002);
});

const request = sampleRequest({}, '/users/1?x');
const program = new SampleProgram(request.process, exactly(request));
const ambiguous = (candidate: typeof request) => ({
  ...program.connect('10.0.0.1', 1),
  attribution: { grade: 'ambiguous', reason: 'two', request: null, candidates: [candidate] } as const,
});

test('a row counts requests, what they did, and what may be theirs', () => {
  const table = new RouteTable();
  table.add(orphanView(ambiguous(request), sampleContext));
  table.add(requestView({ ...request, effects: sampleStory(request) }, sampleContext));
  table.add(orphanView(ambiguous(request), sampleContext));
  table.add(lateEffectView(request, program.open('/late'), sampleContext));
  table.add(requestView(sampleRequest({ id: 'r-2', status: null }, '/users/2'), sampleContext));
  const [row] = table.rows();
  assert.ok(row);
  const { p50Ms, p99Ms, exactShare, ...rest } = row;
  assert.deepEqual(rest, {
    kind: 'route',
    method: 'GET',
    route: '/users/:id',
    requests: 2,
    failures: 1,
    execs: 3,
    files: 6,
    connects: 1,
    queries: 0,
  });
  assert.ok(Math.abs((p50Ms ?? 0) / 42.5 - 1) < 0.02 && p50Ms === p99Ms);
  assert.ok(exactShare !== null && exactShare > 0.8 && exactShare < 1);
});

test('a scanner fills one row, not the memory', () => {
  const table = new RouteTable();
  const view = requestView(request, sampleContext);
  for (let index = 0; index < 1500; index++)
    table.add({ ...view, id: `r-${index}`, target: `/x${index.toString(36)}y` });
  const rows = table.rows();
  assert.equal(rows.length, 1001);
  assert.deepEqual([rows[0]?.route, rows[0]?.requests], ['(other)', 500]);
});

test('totals: grades, failures, the slowest', () => {
  const totals = new TraceTotals();
  for (let index = 0; index < 20; index++)
    totals.add({
      ...requestView({ ...request, effects: sampleStory(request) }, sampleContext),
      id: `r-${index}`,
      durationMs: (index * 7) % 20,
      status: index === 3 ? 500 : 200,
    });
  totals.add(orphanView(ambiguous(request), sampleContext));
  assert.deepEqual([totals.requests, totals.failures, totals.grades.ambiguous], [20, 1, 1]);
  assert.equal(totals.grades.exact, 20 * sampleStory(request).length);
  assert.deepEqual(
    totals.slowest.map(({ durationMs }) => durationMs),
    [19, 18, 17, 16, 15],
  );
});
