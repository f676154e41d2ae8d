import assert from 'node:assert/strict';
import { test } from 'node:test';
import { percentDecode } from './percent.ts';

test('decodes once and leaves what is no escape', () => {
  const table = [
    ['a%2Fb%2fc', 'a/b/c'],
    ['%252e', '%2e'],
    ['100%', '100%'],
    ['%zz%4', '%zz%4'],
    ['%00%ff', '\0\xff'],
    ['a+b', 'a+b'],
  ] as const;
  for (const [text, expected] of table) assert.equal(percentDecode(text), expected);
});
