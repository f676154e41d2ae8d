import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import fc from 'fast-check';
import type { ByteString } from '../../base/bytes.ts';
import { wordTable, type Where } from './word-table.ts';

const HOLDS: Readonly<Record<Where, (text: ByteString, word: ByteString) => boolean>> = {
  equal: (text, word) => text === word,
  prefix: (text, word) => text.startsWith(word),
  path: (text, word) => `${text}/`.startsWith(word),
  suffix: (text, word) => text.endsWith(word),
  inside: (text, word) => text.includes(word),
};

function found(where: Where, words: readonly ByteString[], text: ByteString): ReadonlySet<ByteString> {
  const table = wordTable(where, new Map(words.map((word) => [word, [word]])));
  const items = new Set<ByteString>();
  table?.(text, (more) => more.forEach((item) => items.add(item)));
  return items;
}

test('the items of all words that stand in their place, and no others', () => {
  const word = fc.array(fc.constantFrom('a', 'b', '\xff'), { minLength: 1, maxLength: 4 });
  const text = fc.array(fc.constantFrom('a', 'b', '\xff', 'c'), { maxLength: 8 });
  for (const where of ['equal', 'prefix', 'suffix', 'inside'] as const)
    fc.assert(
      fc.property(fc.array(word, { minLength: 1, maxLength: 12 }), text, (words, letters) => {
        const texts = [...new Set(words.map((one) => one.join('')))];
        const value = letters.join('');
        const expected = new Set(texts.filter((one) => HOLDS[where](value, one)));
        assert.deepEqual(found(where, texts, value), expected, `${where} ${value}`);
      }),
      { numRuns: 1000 },
    );
});

test('paths: components, and slashes as often as one likes', () => {
  const words = ['/var/run/', '/var/', '/var/running/', '/etc/passwd/'];
  assert.deepEqual(found('path', words, '/var/run'), new Set(['/var/', '/var/run/']));
  assert.deepEqual(found('path', words, '//var//run//x/'), new Set(['/var/', '/var/run/']));
  assert.deepEqual(found('path', words, '/etc/passwd'), new Set(['/etc/passwd/']));
  assert.deepEqual(found('path', words, '/etc/passwdx'), new Set());
});

test('words that need too much memory get no table', () => {
  const bytes = Array.from({ length: 256 }, (_, byte) => `x${String.fromCharCode(byte)}`);
  assert.equal(wordTable('inside', new Map(bytes.map((word) => [word, [word]]))), null);
  const long = Array.from({ length: 8 }, (_, index) => `${index}`.repeat(200_000));
  assert.equal(wordTable('prefix', new Map(long.map((word) => [word, [word]]))), null);
});
