import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readOptions } from './options.ts';

test('only a run of everything writes the document', () => {
  assert.equal(readOptions([]).isFull, true);
  assert.equal(readOptions(['--json']).isFull, true);
  for (const args of [
    ['--quick'],
    ['--runtime', 'go'],
    ['--concurrency', '8'],
    ['--requests', '10'],
    ['--no-cost'],
  ])
    assert.equal(readOptions(args).isFull, false, args.join(' '));
});

test('sizes', () => {
  const { sizes } = readOptions(['--quick', '--concurrency', '4', '--concurrency', '16', '--requests', '20']);
  assert.deepEqual(sizes.concurrencies, [4, 16]);
  assert.equal(sizes.requests, 20);
  assert.throws(() => readOptions(['--requests', 'many']), /not a number/);
  assert.throws(() => readOptions(['--fast']));
});
