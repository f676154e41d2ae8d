import assert from 'node:assert/strict';
import { test } from 'node:test';
import { killedDetection, tamperedDetection } from './tampered.ts';

test('what was changed is named, however much it is', () => {
  const one = tamperedDetection({ kind: 'tampered', timeNs: 1, what: ['the program of kill'] });
  assert.equal(one.title, "Somebody changed what is Throughline's own: the program of kill; put right");
  assert.deepEqual([one.class, one.severity, one.verdict], ['tampering', 'critical', 'SUSPICIOUS']);
  const many = tamperedDetection({
    kind: 'tampered',
    timeNs: 1,
    what: Array.from({ length: 300 }, (_, index) => `thing ${index}`),
  });
  assert.match(many.title, /: thing 0 and 299 more; put right$/);
  assert.equal(many.evidence.length, 17);
  assert.equal(many.evidence.at(-1)?.value, '284 more');
});

test('an agent that was killed, with the time of its start where that is known', () => {
  const startedAt = '2026-01-02T03:04:05.000Z';
  const { title, severity } = killedDetection({ kind: 'killed', timeNs: 1, pid: 7, startedAt });
  assert.equal(title, `Throughline was killed: process 7, started ${startedAt}, ended without a word`);
  assert.equal(severity, 'high');
  const unknown = killedDetection({ kind: 'killed', timeNs: 1, pid: 7, startedAt: '' });
  assert.equal(unknown.title, 'Throughline was killed: process 7 ended without a word');
});
