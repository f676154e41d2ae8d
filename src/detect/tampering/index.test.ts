import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { ActionEffect } from '../../model/effect.ts';
import { makeExec, makeProcess, makeRequest } from '../testing.ts';
import { createTampering } from './index.ts';

const SIGKILL = 9;
const SIGTERM = 15;
const EPERM = 1;

function makeAction(changes: Partial<ActionEffect>): ActionEffect {
  const exec = makeExec(['sh'], [makeRequest()]);
  return {
    timeNs: 1,
    pid: 200,
    tid: 200,
    process: makeProcess({ pid: 200 }),
    attribution: { ...exec.attribution, grade: 'none', request: null, candidates: [] },
    type: 'action',
    action: 'signal',
    syscall: 'kill',
    arguments: [50, SIGKILL],
    result: 0,
    isAimedAtAgent: true,
    ...changes,
  };
}

suite('tampering', () => {
  test('a signal to the agent, from whoever serves a request and whoever serves none', () => {
    for (const ask of ['onHostEffect', 'onEffect'] as const) {
      const [detection] = createTampering()[ask]?.(makeAction({})) ?? [];
      assert.equal(detection?.verdict, 'SUSPICIOUS');
      assert.equal(detection.severity, 'critical');
      assert.equal(detection.class, 'tampering');
    }
  });

  test('the same signal to another process is nothing', () => {
    assert.deepEqual(createTampering().onHostEffect?.(makeAction({ isAimedAtAgent: false })), []);
  });

  test('who started the agent may tell it to end, but not kill it', () => {
    const detector = createTampering();
    detector.onAgent?.(200);
    assert.deepEqual(detector.onHostEffect?.(makeAction({ arguments: [50, SIGTERM] })), []);
    assert.equal(detector.onHostEffect?.(makeAction({})).length, 1);
    const [other] = detector.onHostEffect?.(makeAction({ arguments: [50, SIGTERM], pid: 201 })) ?? [];
    assert.equal(other?.severity, 'medium');
  });

  test('whether it is there may be asked by all', () => {
    assert.deepEqual(createTampering().onHostEffect?.(makeAction({ arguments: [50, 0] })), []);
  });

  test('its limits may be asked for, and not set', () => {
    const limits = { action: 'prlimit', syscall: 'prlimit64' } as const;
    const detector = createTampering();
    assert.deepEqual(detector.onHostEffect?.(makeAction({ ...limits, arguments: [50, 0, 0] })), []);
    const [detection] =
      detector.onHostEffect?.(makeAction({ ...limits, arguments: [50, 0, 0x7fff0000] })) ?? [];
    assert.equal(detection?.severity, 'critical');
  });

  test('an attempt that failed is a probe', () => {
    const attempt = makeAction({ action: 'ptrace', syscall: 'ptrace', arguments: [16, 50], result: -EPERM });
    const [detection] = createTampering().onHostEffect?.(attempt) ?? [];
    assert.equal(detection?.verdict, 'PROBED');
    assert.match(detection.title, /ptrace/);
  });
});
