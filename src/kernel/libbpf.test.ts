import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { native } from './libbpf.ts';

test('what is there to read already does not end the wait, what comes does', () => {
  const directory = mkdtempSync(join(tmpdir(), 'throughline-waiter-'));
  const fifo = join(directory, 'fifo');
  assert.equal(spawnSync('/usr/bin/mkfifo', [fifo]).status, 0);
  const fd = openSync(fifo, 'r+');
  const waiter = native().openWaiter([fd]);
  assert.ok(waiter >= 0);
  const waited = (timeoutMs: number): number => {
    const start = performance.now();
    native().wait(waiter, timeoutMs);
    return performance.now() - start;
  };
  try {
    writeSync(fd, 'x');
    assert.ok(waited(20_000) < 10_000);
    // A signal ends a wait as well.
    assert.ok(Math.max(waited(100), waited(100), waited(100)) > 90);
    writeSync(fd, 'y');
    assert.ok(waited(20_000) < 10_000);
  } finally {
    native().close(waiter);
    closeSync(fd);
    rmSync(directory, { recursive: true });
  }
});
