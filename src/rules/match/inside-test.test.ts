import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import fc from 'fast-check';
import { lowerCase } from './automaton.ts';
import { skippingTest } from './inside-test.ts';

const letters = (...of: readonly string[]) => fc.constantFrom(...of);

test('a word is found wherever it stands, with many places that look right and without', () => {
  const word = fc.array(letters('a', 'b', '\xff'), { minLength: 2, maxLength: 6 });
  const text = fc.array(letters('a', 'b', '\xff', 'c'), { maxLength: 60 });
  fc.assert(
    fc.property(
      fc.array(word, { minLength: 1, maxLength: 8 }),
      text,
      fc.boolean(),
      (list, value, hasOther) => {
        const words = list.map((one) => one.join(''));
        const expected = (one: string) => words.some((each) => one.includes(each));
        const isInside = skippingTest(words, null, hasOther ? expected : null);
        assert.equal(
          isInside?.(value.join('')),
          expected(value.join('')),
          `${words.join(' ')} ${value.join('')}`,
        );
      },
    ),
    { numRuns: 5000 },
  );
});

test('a text made to look right at each place is gone through in another way', () => {
  let asked = 0;
  const isInside = skippingTest(['xxab'], null, (text) => {
    asked++;
    return text.includes('xxab');
  });
  assert.equal(isInside?.('ab'.repeat(8)), false);
  assert.equal(asked, 0);
  assert.equal(isInside?.('ab'.repeat(1000)), false);
  assert.equal(isInside?.(`${'ab'.repeat(1000)}xxab`), true);
  assert.equal(asked, 2);
});

test('without regard to case, in ASCII alone', () => {
  const word = fc.array(letters('a', 'k', '[', '\xe4'), { minLength: 2, maxLength: 5 });
  const text = fc.array(letters('a', 'A', 'k', 'K', '[', '{', '\xe4', '\xc4'), { maxLength: 40 });
  fc.assert(
    fc.property(fc.array(word, { minLength: 1, maxLength: 5 }), text, (list, value) => {
      const words = list.map((one) => one.join(''));
      const whole = value.join('');
      const expected = words.some((one) => lowerCase(whole).includes(one));
      assert.equal(skippingTest(words, lowerCase, null)?.(whole), expected, `${words.join(' ')} ${whole}`);
    }),
    { numRuns: 5000 },
  );
});

test('words of one byte are for others; forty thousand words are found without a table', () => {
  assert.equal(skippingTest(['ab', 'c'], null, null), null);
  const words = Array.from({ length: 40_000 }, (_, index) => `.domain${index}.example`);
  const isInside = skippingTest(words, null, null);
  assert.equal(isInside?.('www.domain39999.example.org'), true);
  assert.equal(isInside?.('www.domain40000.example.org'), false);
});
