import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readMappings } from '../uprobes/mapped-files.ts';
import type { UnitLayout } from './unit-layout.ts';
import { UnitRuntimes } from './unit-runtimes.ts';

const UNFINISHED: UnitLayout = { kind: 'go', threadOffset: -8, memberOffset: 160, isUnfinished: true };
const MAKERS = { parentOffset: 280, cacheOffset: 376, processors: 4096, taken: 8192 };
const FINISHED: UnitLayout = { kind: 'go', threadOffset: -8, memberOffset: 160, makers: MAKERS };

const isRoot = process.getuid?.() === 0;

describe('looking at a program of Go', { skip: isRoot ? false : 'only root opens map_files' }, () => {
  function look(answers: (UnitLayout | 'other' | null)[]) {
    const program = readMappings(process.pid).find(({ path }) => path === process.execPath);
    assert.ok(program);
    const told: UnitLayout[] = [];
    const runtimes = new UnitRuntimes(
      { setRuntime: (_pid, _ticks, layout) => told.push(layout), giveUp: () => {} },
      () => answers.shift() ?? null,
    );
    return { told, runtimes, again: () => runtimes.lookAtProgram(process.pid, program) };
  }

  test('what could not be seen at the first look is looked for again, until it is there', () => {
    const { told, runtimes, again } = look([UNFINISHED, UNFINISHED, FINISHED, UNFINISHED]);
    again();
    assert.deepEqual([told, [...runtimes.unfinished]], [[UNFINISHED], [process.pid]]);
    again();
    assert.deepEqual([told, [...runtimes.unfinished]], [[UNFINISHED], [process.pid]]);
    again();
    again();
    assert.deepEqual([told, [...runtimes.unfinished]], [[UNFINISHED, FINISHED], []]);
  });

  test('a process that is gone is not looked at again', () => {
    const { runtimes, again } = look([UNFINISHED]);
    again();
    runtimes.forget(process.pid);
    assert.deepEqual([...runtimes.unfinished], []);
  });

  test('another program is looked at once', () => {
    const answers: (UnitLayout | 'other')[] = ['other', FINISHED];
    const { told, again } = look(answers);
    again();
    again();
    assert.deepEqual([told, answers], [[], [FINISHED]]);
  });
});
