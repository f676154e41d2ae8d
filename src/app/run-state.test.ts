import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, suite, test } from 'node:test';
import { RunState } from './run-state.ts';

suite('what an agent leaves behind', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'throughline-run-'));
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  const leave = (pid: number, text: string): void =>
    writeFileSync(join(directory, `agent-${pid}.json`), text);

  test('nothing after an orderly end', () => {
    const state = RunState.begin(directory);
    assert.deepEqual(readdirSync(directory), [`agent-${process.pid}.json`]);
    state[Symbol.dispose]();
    assert.deepEqual(readdirSync(directory), []);
    assert.deepEqual(state.dead, []);
  });

  test('one that was killed is told once', () => {
    const startedAt = '2026-01-02T03:04:05.000Z';
    // No process has this number: it is above the limit of the kernel.
    leave(4_194_305, JSON.stringify({ pid: 4_194_305, startTicks: 7, startedAt }));
    using first = RunState.begin(directory);
    assert.deepEqual(first.dead, [{ pid: 4_194_305, startedAt }]);
    using second = RunState.begin(directory);
    assert.deepEqual(second.dead, []);
  });

  test('its number may be the number of another process by now', () => {
    leave(1, JSON.stringify({ startTicks: 4_000_000_000, startedAt: '' }));
    using state = RunState.begin(directory);
    assert.deepEqual(state.dead, [{ pid: 1, startedAt: '' }]);
  });

  test('one that runs is left alone', () => {
    const running = RunState.begin(directory);
    using other = RunState.begin(directory);
    assert.deepEqual(other.dead, []);
    assert.ok(existsSync(join(directory, `agent-${process.pid}.json`)));
    running[Symbol.dispose]();
  });

  test('files that make no sense are no reason to fail', () => {
    leave(4_194_306, '{"startTicks": "x", "startedAt": "yesterday\\u001b[2J"}');
    leave(4_194_307, 'x'.repeat(10_000));
    writeFileSync(join(directory, 'agent-0.json'), '');
    writeFileSync(join(directory, 'other'), '');
    using state = RunState.begin(directory);
    assert.deepEqual(
      state.dead.toSorted((a, b) => a.pid - b.pid),
      [4_194_306, 4_194_307].map((pid) => ({ pid, startedAt: '' })),
    );
  });

  test('a place that cannot be written to is no reason either', () => {
    using state = RunState.begin('/dev/null/place');
    assert.deepEqual(state.dead, []);
  });
});
