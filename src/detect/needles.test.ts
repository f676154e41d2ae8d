import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { describeInput, findNeedle, needlesOf, rememberByMessage } from './needles.ts';
import { makeInput, makeRequest } from './testing.ts';

function forms(values: readonly string[], minimum = 3): string[] {
  const inputs = values.map((value) => makeInput(value));
  return needlesOf(makeRequest({ inputs }).message, minimum).map(({ form }) => form);
}

test('common values, numbers and short ones are no needles', () => {
  assert.deepEqual(
    forms(['true', 'NULL', 'index.html', 'admin', '42', '-1.5', '127.0.0.1', '10:30', 'ab', '']),
    [],
  );
  assert.deepEqual(forms(['abc', 'a;b', '1a2']), ['abc', 'a;b', '1a2']);
});

test('all forms, trimmed too, each once', () => {
  assert.deepEqual(forms(['a%3Bid', 'a;id', ' x y ']), ['a%3Bid', 'a;id', ' x y ', 'x y']);
});

test('an input that is no path segment is named first', () => {
  const inputs = [makeInput('same', 'path', ''), makeInput('same', 'query', 'q')];
  const [needle] = needlesOf(makeRequest({ inputs }).message, 3);
  assert.equal(needle?.input.location, 'query');
});

test('at most 256 inputs', () => {
  assert.equal(forms(Array.from({ length: 1000 }, (_, index) => `value${index}`)).length, 256);
});

test('findNeedle finds what indexOf finds', () => {
  const text = fc.array(fc.constantFrom('a', 'b'), { maxLength: 600 }).map((letters) => letters.join(''));
  const long = fc
    .tuple(fc.constantFrom('a', 'ab', 'b'), fc.nat(200))
    .map(([letters, count]) => letters.repeat(count));
  fc.assert(
    fc.property(text, text, long, (before, after, needle) => {
      const whole = before + needle + after;
      assert.equal(findNeedle(whole, needle), whole.indexOf(needle));
      assert.equal(findNeedle(before, needle, 3), before.indexOf(needle, 3));
    }),
    { numRuns: 2000 },
  );
});

test('rememberByMessage computes once for each length of the body', () => {
  let count = 0;
  let body = new Uint8Array(1);
  const message = Object.defineProperty({ ...makeRequest().message }, 'body', { get: () => body });
  const compute = rememberByMessage(() => ++count);
  assert.deepEqual([compute(message), compute(message)], [1, 1]);
  body = new Uint8Array(2);
  assert.deepEqual([compute(message), compute(message)], [2, 2]);
});

test('names are safe to print', () => {
  assert.equal(describeInput(makeInput('v', 'header', 'x\x1b[2J')), 'header x\\e[2J');
  assert.equal(describeInput(makeInput('v', 'path', '')), 'path segment');
});
