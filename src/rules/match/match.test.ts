import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import fc from 'fast-check';
import { lowerCase, wordTest } from './automaton.ts';
import { compileGlob, matchesGlob } from './glob.ts';
import { literalPrefixes } from './regex.ts';
import { pathPrefixTest } from './path-prefix.ts';
import { textTest } from './text-test.ts';

/** Few letters, so that words overlap. */
const text = (maxLength: number) =>
  fc
    .array(fc.constantFrom('a', 'b', 'A', 'c', '/', '\xff'), { maxLength })
    .map((letters) => letters.join(''));
const words = fc.array(text(4), { minLength: 1, maxLength: 12 });

test('many words at once mean the same as one by one', () => {
  fc.assert(
    fc.property(words, text(16), fc.boolean(), (list, value, ignoresCase) => {
      const fold = (one: string) => (ignoresCase ? lowerCase(one) : one);
      const expect = (holds: (word: string) => boolean) => list.some((word) => holds(fold(word)));
      const run = (where: 'prefix' | 'suffix' | 'inside' | 'path') =>
        wordTest(list, where, ignoresCase)(value);
      assert.equal(
        run('prefix'),
        expect((word) => fold(value).startsWith(word)),
      );
      assert.equal(
        run('suffix'),
        expect((word) => fold(value).endsWith(word)),
      );
      assert.equal(
        run('inside'),
        expect((word) => fold(value).includes(word)),
      );
      assert.equal(
        run('path'),
        expect((word) => `${fold(value)}/`.startsWith(word)),
      );
    }),
    { numRuns: 5000 },
  );
});

test('words that would need too large a table are found all the same', () => {
  const many = Array.from(
    { length: 300 },
    (_, index) => `${String.fromCharCode(index & 0xff)}${'x'.repeat(200)}${index}`,
  );
  for (const where of ['prefix', 'suffix', 'inside'] as const) {
    const isFound = wordTest(many, where);
    assert.equal(isFound(many[299] ?? ''), true);
    assert.equal(isFound('x'.repeat(300)), false);
  }
});

/** What fnmatch(3) does, by trying everything. */
function slowGlob(pattern: string, value: string): boolean {
  if (pattern === '') return value === '';
  if (pattern.startsWith('*'))
    return slowGlob(pattern.slice(1), value) || (value !== '' && slowGlob(pattern, value.slice(1)));
  if (value === '') return false;
  return (pattern.startsWith('?') || pattern[0] === value[0]) && slowGlob(pattern.slice(1), value.slice(1));
}

test('globs mean what fnmatch means, one and many', () => {
  const pattern = fc
    .array(fc.constantFrom('a', 'b', '*', '?', '/'), { maxLength: 7 })
    .map((letters) => letters.join(''));
  fc.assert(
    fc.property(fc.array(pattern, { minLength: 1, maxLength: 6 }), text(9), (patterns, value) => {
      for (const one of patterns)
        assert.equal(matchesGlob(compileGlob(one), value), slowGlob(one, value), one);
      const expected = patterns.some((one) => slowGlob(one, value));
      assert.equal(textTest('glob', patterns)(value), expected);
      const folded = patterns.some((one) => slowGlob(one, lowerCase(value)));
      assert.equal(textTest('iglob', patterns)(value), folded);
    }),
    { numRuns: 5000 },
  );
});

test('a glob of many stars takes no time', () => {
  const glob = compileGlob('*a'.repeat(50) + '*c');
  const start = performance.now();
  assert.equal(matchesGlob(glob, 'a'.repeat(5000)), false);
  assert.ok(performance.now() - start < 1000);
});

test('brackets that are none stand for themselves', () => {
  const matches = (pattern: string, value: string) => matchesGlob(compileGlob(pattern), value);
  assert.equal(matches('[abc', '[abc'), true);
  assert.equal(matches('[]a]', ']'), true);
  assert.equal(matches('[!]a]', 'b'), true);
  assert.equal(matches('[a-]', '-'), true);
  assert.equal(matches(String.raw`[\]]`, ']'), true);
  assert.equal(matches('a\\', 'a\\'), true);
  assert.equal(matches('[[:digit:]x]', '7'), true);
  assert.equal(matches('[[:nothing:]]', '7'), false);
});

test('what every match of a pattern begins with', () => {
  const cases: readonly (readonly [pattern: string, ...starts: string[]])[] = [
    ['/dev/sd[a-z]+', '/dev/sd'],
    ['^/dev/', '/dev/'],
    ['/dev/sdx*', '/dev/sd'],
    ['/dev/sdx+', '/dev/sdx'],
    ['/(tmp|var/tmp)/.*', '/tmp', '/var/tmp'],
    ['/(tmp|var/tmp)?/.*', '/'],
    ['/(?:tmp|srv)+', '/tmp', '/srv'],
    ['/(tmp|v.r)/.*', '/'],
    ['/(tmp|)x', '/tmp', '/'],
    ['/a(b|c)|/d', ''],
    ['/a(b|(c|d))', '/a'],
    ['(?i)/a', ''],
    ['/a[|]b|c', ''],
    ['/a[^](]|c', ''],
    ['/a[[:alpha:](]|c', ''],
    ['/a\\Q(\\E|c', ''],
    ['/a\\(|c', ''],
    ['/a\\|c', '/a'],
  ];
  for (const [pattern, ...starts] of cases) assert.deepEqual(literalPrefixes(pattern), starts, pattern);
});

test('paths are compared by component', () => {
  const component = fc.constantFrom('a', 'ab', 'b', 'c');
  const path = fc.array(component, { maxLength: 4 }).map((parts) => `/${parts.join('/')}`);
  fc.assert(
    fc.property(fc.array(path, { minLength: 1, maxLength: 5 }), path, (paths, value) => {
      const expected = paths.some((one) => one === '/' || value === one || value.startsWith(`${one}/`));
      assert.equal(pathPrefixTest(paths)(value), expected);
      assert.equal(pathPrefixTest(paths)(`${value.replaceAll('/', '//')}/`), expected);
    }),
    { numRuns: 3000 },
  );
});
