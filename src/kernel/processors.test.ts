import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseProcessorList } from './processors.ts';

test('the highest number counts, not how many there are', () => {
  assert.equal(parseProcessorList('0-3\n'), 4);
  assert.equal(parseProcessorList('0'), 1);
  assert.equal(parseProcessorList('0-1,8-9\n'), 10);
});
