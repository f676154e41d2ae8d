import type { ByteString } from '../../base/bytes.ts';
import { lowerCase, wordTest, type TextTest } from './automaton.ts';
import { compileGlob, globLiterals, matchesGlob, type Glob } from './glob.ts';
import { pathPrefixTest } from './path-prefix.ts';
import { regexTest } from './regex.ts';

/** Operators on texts that can be asked for many words at once. */
export type TextOperator =
  | 'in'
  | 'glob'
  | 'iglob'
  | 'contains'
  | 'icontains'
  | 'startswith'
  | 'endswith'
  | 'regex'
  | 'pmatch';

/**
 * Whether an operator is true of a text and one of some words.
 * @throws PatternError for a regular expression that is none
 */
export function textTest(operator: TextOperator, words: readonly ByteString[]): TextTest {
  const [only = ''] = words;
  switch (operator) {
    case 'in': {
      if (words.length === 1) return (value) => value === only;
      const set = new Set(words);
      return (value) => set.has(value);
    }
    case 'startswith':
      return wordTest(words, 'prefix');
    case 'endswith':
      return wordTest(words, 'suffix');
    case 'contains':
      return wordTest(words, 'inside');
    case 'icontains':
      return wordTest(words, 'inside', true);
    case 'glob':
      return globTest(words, false);
    case 'iglob':
      return globTest(words, true);
    case 'pmatch':
      return pathPrefixTest(words);
    case 'regex':
      return regexTest(words);
  }
}

/** Most patterns are a word with stars around it, and the others hold a word that most texts do not. */
function globTest(patterns: readonly ByteString[], ignoresCase: boolean): TextTest {
  const words = {
    equal: [] as ByteString[],
    prefix: [] as ByteString[],
    suffix: [] as ByteString[],
    inside: [] as ByteString[],
  };
  const globs: Glob[] = [];
  const prefixes: ByteString[] = [];
  const inside: ByteString[] = [];
  for (const pattern of patterns) {
    // The literals of a folded pattern are found before its letters become sets of two.
    const { longest, prefix, suffix, form } = globLiterals(compileGlob(pattern));
    if (form === 'all') return () => true;
    if (form === 'equal' || form === 'prefix') words[form].push(prefix);
    else if (form === 'suffix') words.suffix.push(suffix);
    else if (form === 'inside') words.inside.push(longest);
    else {
      globs.push(compileGlob(pattern, ignoresCase));
      prefixes.push(prefix);
      inside.push(longest);
    }
  }
  const tests: TextTest[] = [];
  if (words.equal.length > 0) tests.push(equalTest(words.equal, ignoresCase));
  for (const where of ['prefix', 'suffix', 'inside'] as const)
    if (words[where].length > 0) tests.push(wordTest(words[where], where, ignoresCase));
  if (globs.length > 0) {
    // A beginning such as a slash says nothing.
    const areTelling = shortest(prefixes) >= Math.min(TELLING, shortest(inside));
    const mayMatch = areTelling
      ? wordTest(prefixes, 'prefix', ignoresCase)
      : wordTest(inside, 'inside', ignoresCase);
    tests.push((value) => mayMatch(value) && globs.some((glob) => matchesGlob(glob, value)));
  }
  return anyOf(tests);
}

/** Bytes of a word that most texts do not have. */
const TELLING = 3;

function shortest(words: readonly ByteString[]): number {
  return words.reduce((least, { length }) => Math.min(least, length), Infinity);
}

function equalTest(words: readonly ByteString[], ignoresCase: boolean): TextTest {
  const set = new Set(ignoresCase ? words.map(lowerCase) : words);
  return ignoresCase ? (value) => set.has(lowerCase(value)) : (value) => set.has(value);
}

function anyOf(tests: readonly TextTest[]): TextTest {
  const [first, second] = tests;
  if (first === undefined) return () => false;
  if (second === undefined) return first;
  return (value) => tests.some((test) => test(value));
}
