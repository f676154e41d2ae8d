import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseProcStat } from './quiet.ts';

test('busy time is that of all cores, without idle time and waiting for disks', () => {
  const text = 'cpu  100 20 30 9999 777 4 6 40 0 0\ncpu0 1 1 1 1 1 1 1 1 0 0\n';
  assert.equal(parseProcStat(text), 2);
});
