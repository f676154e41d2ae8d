import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeRequest } from '../detect/testing.ts';
import type { Request } from '../model/request.ts';
import { RequestShelf } from './request-shelf.ts';

const MS = 1e6;

function shelf(): { shelf: RequestShelf; shown: Request[] } {
  const shown: Request[] = [];
  return { shelf: new RequestShelf((request) => shown.push(request)), shown };
}

function endedAt(endedNs: number | null): Request {
  return { ...makeRequest(), endedNs };
}

test('a request is shown a quarter of a second after its end', () => {
  const bench = shelf();
  const request = endedAt(1000 * MS);
  bench.shelf.put(request);
  assert.equal(bench.shelf.wasShown(request), false);
  bench.shelf.tick(1249 * MS);
  assert.deepEqual(bench.shown, []);
  bench.shelf.tick(1250 * MS);
  assert.deepEqual(bench.shown, [request]);
  assert.equal(bench.shelf.wasShown(request), true);
  bench.shelf.tick(9000 * MS);
  assert.equal(bench.shown.length, 1);
});

test('in the order in which they finished, without waiting for what is older but still held', () => {
  const bench = shelf();
  const requests = [endedAt(10 * MS), endedAt(20 * MS), endedAt(400 * MS)];
  for (const request of requests) bench.shelf.put(request);
  bench.shelf.tick(300 * MS);
  assert.deepEqual(bench.shown, requests.slice(0, 2));
  bench.shelf.flush();
  assert.deepEqual(bench.shown, requests);
  bench.shelf.flush();
  assert.equal(bench.shown.length, 3);
});

test('one without an end is not held', () => {
  const bench = shelf();
  bench.shelf.put(endedAt(null));
  bench.shelf.tick(300 * MS);
  assert.equal(bench.shown.length, 1);
});

test('what is held is bounded: the oldest is shown early', () => {
  const bench = shelf();
  const requests = Array.from({ length: 50_010 }, () => endedAt(1000 * MS));
  for (const request of requests) bench.shelf.put(request);
  assert.equal(bench.shown.length, 10);
  bench.shelf.tick(2000 * MS);
  assert.equal(bench.shown.length, 50_010);
  assert.ok(bench.shown.every((request, index) => request === requests[index]));
});
