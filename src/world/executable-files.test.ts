import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ExecEvent } from '../model/event.ts';
import type { ExecDetails } from '../model/exec-details.ts';
import { makeDetails, makeHeader } from '../model/testing.ts';
import { ExecutableFiles } from './executable-files.ts';

const SHA256 = 'ab'.repeat(32);
const BOOT_MS = 1_700_000_000_000;

function exec(fields: Partial<ExecEvent> = {}, details: Partial<ExecDetails> = {}): ExecEvent {
  return {
    ...makeHeader(7, 3_600e9),
    kind: 'exec',
    parentPid: 1,
    uid: 0,
    gid: 0,
    effectiveUid: 0,
    effectiveGid: 0,
    groups: [],
    inode: 42,
    device: 8,
    stdio: ['pipe', 'pipe', 'pipe'],
    comm: 'x',
    path: 'x',
    executable: '/bin/x',
    workingDirectory: '/',
    argv: ['x'],
    details: makeDetails({ changeTimeMs: BOOT_MS + 1000, ...details }),
    ...fields,
  };
}

function files(): ExecutableFiles {
  const known = new ExecutableFiles();
  known.setClock(0, BOOT_MS);
  return known;
}

test('who runs the same file shares it: a late hash is the hash of all', () => {
  const known = files();
  const first = known.executedBy(exec());
  assert.equal(known.executedBy(exec({ pid: 8, executable: '/bin/y' })), first);
  assert.equal(first?.hash ?? null, null);
  const hash = { sha256: SHA256, problem: null };
  known.learn(first?.key ?? '', hash);
  assert.equal(first?.path, '/bin/y', 'where it was run last');
  assert.deepEqual(known.executedBy(exec({ pid: 9 }))?.hash, hash);
});

test('another device, inode or time is another file; no details, no file', () => {
  const known = files();
  const first = known.executedBy(exec());
  for (const other of [
    exec({ device: 9 }),
    exec({ inode: 43 }),
    exec({}, { changeTimeMs: BOOT_MS + 1000.001 }),
    exec({}, { modificationTimeMs: 5 }),
  ])
    assert.notEqual(known.executedBy(other), first);
  assert.equal(known.executedBy(exec({ details: null })), null);
});

test('a file that was changed right before is the file of that exec alone: it may be changed again unnoticed', () => {
  const known = files();
  const fresh = { changeTimeMs: BOOT_MS + 3_600_000 - 5 };
  const first = known.executedBy(exec({}, fresh));
  assert.notEqual(known.executedBy(exec({ pid: 8 }, fresh)), first);
  assert.equal(known.executedBy(exec({}, fresh)), first, 'the same event once more');
});

test('however many there are, their number is bounded', () => {
  const known = files();
  const first = known.executedBy(exec());
  for (let inode = 100; inode < 5000; inode++) known.executedBy(exec({ inode }));
  assert.notEqual(known.executedBy(exec()), first);
});
