import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CaptureSink } from '../capture/contract.ts';
import { GuardedSink } from './guarded-sink.ts';

const BYTES = new Uint8Array(64);
const VIEW = new DataView(BYTES.buffer);

test('everything is handed on as it came', () => {
  const seen: unknown[] = [];
  const next: CaptureSink = {
    fact: (fact) => seen.push(fact),
    event: (...event) => seen.push(event),
    tick: (nowNs) => seen.push(nowNs),
  };
  const guarded = new GuardedSink(next, () => assert.fail('nothing failed'));
  const fact = { kind: 'user', uid: 0, name: 'root' } as const;
  guarded.fact(fact);
  guarded.event(BYTES, VIEW, 8, 56);
  guarded.tick(7);
  assert.deepEqual(seen, [fact, [BYTES, VIEW, 8, 56], 7]);
  assert.equal(guarded.errorCount, 0);
});

test('a failure in any of them is counted, and told five times with its stack', () => {
  const fail = (): never => {
    throw new RangeError('out of bounds');
  };
  const reports: string[] = [];
  const guarded = new GuardedSink({ fact: fail, event: fail, tick: fail }, (text) => reports.push(text));
  for (let round = 0; round < 4; round++) {
    guarded.fact({ kind: 'user', uid: 0, name: 'root' });
    guarded.event(BYTES, VIEW, 0, 64);
    guarded.tick(1);
  }
  assert.equal(guarded.errorCount, 12);
  assert.equal(reports.length, 5);
  assert.match(
    reports[0] ?? '',
    /^internal error, the event is passed over: RangeError: out of bounds\n +at /,
  );
});

test('so is what is thrown and is no Error', () => {
  const reports: string[] = [];
  const next: CaptureSink = {
    fact: () => undefined,
    event: () => undefined,
    tick: () => {
      // oxlint-disable-next-line typescript/only-throw-error
      throw 'text';
    },
  };
  new GuardedSink(next, (text) => reports.push(text)).tick(1);
  assert.deepEqual(reports, ['internal error, the event is passed over: text']);
});
