import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EventHeader, KernelEvent } from '../../src/model/event.ts';
import { BaselineWatch, blame, emptyBaselines } from './baselines.ts';
import { emptyTally } from './tally.ts';

const LOAD = 'id-0123abcd-';
const A = `${LOAD}000000`;
const B = `${LOAD}000001`;
const SERVER = 10;

function header(pid: number, tid = pid): EventHeader {
  return {
    timeNs: 0,
    pid,
    tid,
    unit: tid,
    startTicks: 0,
    cgroupId: 0,
    cpu: 0,
    stampConnection: 0,
    stampSequence: 0,
    stampOrigin: 'none',
    readyCount: 0,
    isTruncated: false,
  };
}

function payload(direction: 'in' | 'out', connection: number, text: string, tid = SERVER): KernelEvent {
  const bytes = Buffer.from(text);
  return {
    ...header(SERVER, tid),
    kind: 'payload',
    connection,
    sequence: 0,
    direction,
    streamOffset: 0,
    length: bytes.length,
    bytes,
  };
}

const request = (connection: number, id: string, tid?: number): KernelEvent =>
  payload('in', connection, `GET /work?id=${id} HTTP/1.1`, tid);
const reply = (connection: number): KernelEvent => payload('out', connection, 'HTTP/1.1 200 OK');

function open(id: string, pid = SERVER, tid = pid): KernelEvent {
  return {
    ...header(pid, tid),
    kind: 'open',
    error: 0,
    flags: 0,
    inode: 0,
    device: 0,
    path: `/w/${id}.txt`,
    resolvedPath: `/w/${id}.txt`,
  };
}

function fork(pid: number, childPid: number): KernelEvent {
  return { ...header(pid), kind: 'fork', childPid, childStartTicks: 0 };
}

function judge(...events: readonly KernelEvent[]) {
  const baselines = emptyBaselines();
  const watch = new BaselineWatch(new Map([[LOAD, baselines]]));
  for (const event of events) watch.event(event);
  return { thread: baselines.thread.open, inFlight: baselines.inFlight.open };
}

test('one request alone: both are right', () => {
  const { thread, inFlight } = judge(request(1, A), open(A), reply(1));
  assert.deepEqual(thread, { ...emptyTally(), right: 1 });
  assert.deepEqual(inFlight, { ...emptyTally(), right: 1 });
});

test('two requests on one loop: the last is blamed, or both', () => {
  const { thread, inFlight } = judge(request(1, A), request(2, B), open(A));
  assert.deepEqual(thread, { ...emptyTally(), wrong: 1 });
  assert.deepEqual(inFlight, { ...emptyTally(), ambiguous: 1, candidates: 2 });
});

test('an answered request is not in flight, but still the last of its thread', () => {
  const { thread, inFlight } = judge(request(1, A), reply(1), open(A));
  assert.equal(thread.right, 1);
  assert.equal(inFlight.missing, 1);
});

test('a thread of a pool has read nothing', () => {
  const { thread, inFlight } = judge(request(1, A), open(A, SERVER, 11));
  assert.equal(thread.missing, 1);
  assert.equal(inFlight.right, 1);
});

test('a child has the request of the thread that forked it, and the requests of its nearest serving ancestor', () => {
  const { thread, inFlight } = judge(request(1, A), fork(SERVER, 20), fork(20, 21), open(A, 21));
  assert.equal(thread.right, 1);
  assert.equal(inFlight.right, 1);
});

test('the id of a process comes again without the past', () => {
  const { thread } = judge(request(1, A), fork(SERVER, 20), fork(99, 20), open(A, 20));
  assert.equal(thread.missing, 1);
});

test('questions on connections that the server made are judged, its replies are not', () => {
  const accept: KernelEvent = {
    ...header(SERVER),
    kind: 'accept',
    connection: 9,
    family: 'ipv4',
    localAddress: '',
    localPort: 0,
    remoteAddress: '',
    remotePort: 0,
    isAdopted: false,
    isClient: true,
  };
  const baselines = emptyBaselines();
  const watch = new BaselineWatch(new Map([[LOAD, baselines]]));
  for (const event of [accept, request(1, A), payload('out', 9, `SELECT 1 /* ${A} */`), payload('out', 1, A)])
    watch.event(event);
  assert.equal(baselines.thread.postgresql.right, 1);
  assert.equal(baselines.inFlight.postgresql.right, 1);
});

test('nobody, one, several', () => {
  const tally = emptyTally();
  blame(tally, A, []);
  blame(tally, A, [A]);
  blame(tally, A, [B]);
  blame(tally, A, [A, B]);
  blame(tally, A, [B, `${LOAD}000002`]);
  assert.deepEqual(tally, { right: 1, wrong: 1, ambiguous: 1, misled: 1, missing: 1, candidates: 4 });
});
