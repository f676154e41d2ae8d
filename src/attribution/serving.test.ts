import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { OpenEffect } from '../model/effect.ts';
import type { Connection } from '../model/request.ts';
import { NO_REQUEST } from './verdicts.ts';
import { RequestState } from './request-state.ts';
import { ServedConnection, ServingProcess, ServingThread } from './serving.ts';
import { makeMessage, makeProcess } from './testing/timeline.ts';

const CONNECTION: Connection = {
  id: 1,
  family: 'ipv4',
  client: { address: '192.0.2.1', port: 1 },
  server: { address: '192.0.2.2', port: 80 },
};
const PROCESS = makeProcess(7, 1);
let numbers = 35;

function newRequest(): RequestState {
  return new RequestState('s', ++numbers, 0, CONNECTION, makeMessage('x'), PROCESS, {
    tid: 7,
    unit: 7,
    timeNs: 100,
  });
}

describe('a request', () => {
  test('has an id out of session, connection, message and its place in the message', () => {
    const idOf = (sequence: number, index: number): string =>
      new RequestState('abc', sequence, index, CONNECTION, makeMessage('x'), PROCESS, {
        tid: 7,
        unit: 7,
        timeNs: 1,
      }).id;
    assert.equal(idOf(36, 0), 'abc-1.10');
    assert.equal(idOf(36, 1), 'abc-1.10.1');
  });

  test('keeps so many effects and counts the rest', () => {
    const request = newRequest();
    assert.deepEqual(request.effects, []);
    const effect: OpenEffect = {
      type: 'open',
      timeNs: 1,
      pid: 7,
      tid: 7,
      process: PROCESS,
      attribution: NO_REQUEST,
      path: '/x',
      resolvedPath: '/x',
      flags: 0,
      isWrite: false,
      error: 0,
    };
    for (let index = 0; index < 1500; index++) request.add(effect);
    assert.equal(request.effects.length, 1024);
    assert.equal(request.droppedEffects, 1500 - 1024);
  });
});

describe('a connection', () => {
  test('finds requests by the message that they came in', () => {
    const served = new ServedConnection(CONNECTION);
    const [first, second, third] = [newRequest(), newRequest(), newRequest()];
    assert.equal(served.newest, null);
    served.begin(first, 1);
    served.begin(second, 1);
    served.begin(third, 2);
    assert.deepEqual(served.requestsOf(1), [first, second]);
    assert.deepEqual(served.requestsOf(2), [third]);
    assert.deepEqual(served.requestsOf(3), []);
    assert.equal(served.newest, third);
    assert.deepEqual(served.unanswered, [first, second, third]);
  });

  test('a later message continues a request only while its bytes are not all there', () => {
    const served = new ServedConnection(CONNECTION);
    served.continueIn(1);
    assert.deepEqual(served.requestsOf(1), []);
    const request = newRequest();
    served.begin(request, 1);
    served.continueIn(1);
    served.continueIn(2);
    served.continueIn(2);
    assert.deepEqual(served.requestsOf(1), [request]);
    assert.deepEqual(served.requestsOf(2), [request]);
    request.isComplete = true;
    served.continueIn(3);
    assert.deepEqual(served.requestsOf(3), []);
  });

  test('remembers the last messages only', () => {
    const served = new ServedConnection(CONNECTION);
    for (let sequence = 1; sequence <= 100; sequence++) served.begin(newRequest(), sequence);
    const known = Array.from({ length: 100 }, (_, index) => served.requestsOf(index + 1).length);
    assert.equal(known.at(-1), 1);
    assert.ok(known.reduce((sum, count) => sum + count, 0) <= 32);
  });
});

describe('a thread', () => {
  test('is done with a request that it has answered when it reads another', () => {
    const thread = new ServingThread(7);
    const [first, second, third] = [newRequest(), newRequest(), newRequest()];
    thread.read(first);
    first.isAnswered = true;
    assert.deepEqual(thread.open(), [first]);
    thread.read(second);
    assert.deepEqual(thread.open(), [second]);
    thread.read(third);
    assert.deepEqual(thread.open(), [second, third]);
    third.isDone = true;
    assert.deepEqual(thread.open(), [second]);
  });

  test('a loop is done only when the request is', () => {
    const thread = new ServingThread(7);
    thread.isLoop = true;
    const [first, second] = [newRequest(), newRequest()];
    thread.read(first);
    first.isAnswered = true;
    thread.read(second);
    assert.deepEqual(thread.open(), [first, second]);
    first.isDone = true;
    assert.deepEqual(thread.open(), [second]);
  });
});

describe('a process', () => {
  test('several loops, a loop beside reading threads, or a strange writer mean that work moves', () => {
    const cases: readonly (readonly [
      loops: number,
      threads: number,
      isMigrating: boolean,
      moves: boolean,
    ])[] = [
      [0, 1, false, false],
      [0, 50, false, false],
      [1, 1, false, false],
      [1, 2, false, true],
      [2, 2, false, true],
      [0, 1, true, true],
    ];
    for (const [loops, threads, isMigrating, moves] of cases) {
      const serving = new ServingProcess(PROCESS);
      serving.loopCount = loops;
      serving.isMigrating = isMigrating;
      for (let tid = 1; tid <= threads; tid++) serving.threads.add(tid);
      assert.equal(serving.hasMovingWork, moves, `${loops} loops of ${threads} threads`);
    }
  });

  test('requests whose client has gone are given up after a while, and beyond a number', () => {
    const serving = new ServingProcess(PROCESS);
    const requests = Array.from({ length: 300 }, newRequest);
    requests.forEach((request, index) => {
      serving.inFlight.add(request);
      request.endedNs = index * 1e9;
      serving.abort(request);
    });
    assert.equal(serving.inFlight.size, 256);
    assert.equal(requests[43]?.isDone, true);
    assert.equal(requests[44]?.isDone, false);
    serving.sweep(200e9);
    assert.equal(requests[170]?.isDone, true);
    assert.equal(requests[171]?.isDone, false);
    assert.equal(serving.inFlight.size, 300 - 171);
    serving.sweep(1e15);
    assert.equal(serving.inFlight.size, 0);
  });
});
