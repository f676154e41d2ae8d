import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readOptions } from './options.ts';

test('a run of everything writes the document, another one when it is asked to', () => {
  assert.equal(readOptions([]).isWritten, true);
  assert.equal(readOptions(['--json']).isWritten, true);
  for (const args of [
    ['--quick'],
    ['--runtime', 'go'],
    ['--concurrency', '8'],
    ['--requests', '10'],
    ['--no-cost'],
  ])
    for (const isWritten of [true, false]) {
      const all = isWritten ? [...args, '--write'] : args;
      assert.equal(readOptions(all).isWritten, isWritten, all.join(' '));
    }
  assert.throws(() => readOptions(['--late', '--write']), /something else/);
});

test('sizes', () => {
  const { sizes } = readOptions([
    '--quick',
    '--concurrency',
    '4',
    '--concurrency',
    '16',
    '--requests',
    '20',
    '--rounds',
    '1',
  ]);
  assert.deepEqual(sizes.concurrencies, [4, 16]);
  assert.deepEqual([sizes.requests, sizes.costRequests, sizes.costRounds], [20, 20, 1]);
  assert.throws(() => readOptions(['--requests', 'many']), /not a number/);
  assert.throws(() => readOptions(['--fast']));
});
