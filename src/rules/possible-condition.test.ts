import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseCondition } from './parser.ts';
import { possibleCondition } from './possible-condition.ts';
import type { Expression } from './syntax.ts';
import { RuleSource, RuleText } from './text.ts';

const parse = (text: string) =>
  parseCondition(RuleText.standingAt(text, { source: new RuleSource('t', text), offset: 0 }));

const NAMES = ['a', 'b', 'c', 'd'];
/** Conditions over four checks, of which the first two are open. */
const conditions = fc.letrec<{ tree: string }>((tie) => ({
  tree: fc.oneof(
    { depthSize: 'medium' },
    fc.constantFrom(...NAMES).map((name) => `proc.name = ${name}`),
    tie('tree').map((one) => `not (${one})`),
    fc.array(tie('tree'), { minLength: 2, maxLength: 3 }).map((parts) => `(${parts.join(' and ')})`),
    fc.array(tie('tree'), { minLength: 2, maxLength: 3 }).map((parts) => `(${parts.join(' or ')})`),
  ),
})).tree;

/** @param trueOnes names of the checks that are true */
function isTrue(part: Expression, trueOnes: ReadonlySet<string>): boolean {
  switch (part.kind) {
    case 'check':
      return part.right?.kind === 'literal' && trueOnes.has(part.right.value);
    case 'not':
      return !isTrue(part.child, trueOnes);
    case 'and':
      return part.children.every((child) => isTrue(child, trueOnes));
    case 'or':
      return part.children.some((child) => isTrue(child, trueOnes));
    case 'macro':
      throw new Error('no macros here');
  }
}

const setOf = (bits: number) => new Set(NAMES.filter((_, bit) => (bits & (1 << bit)) !== 0));

test('true wherever the condition may become true, and open checks are gone', () => {
  fc.assert(
    fc.property(conditions, (text) => {
      const condition = parse(text);
      const possible = possibleCondition(
        condition,
        ({ right }) => right?.kind === 'literal' && ['a', 'b'].includes(right.value),
      );
      for (let known = 0; known < 4; known++) {
        const answers = new Set([0, 1, 2, 3].map((open) => isTrue(possible, setOf(open | (known << 2)))));
        assert.equal(answers.size, 1, 'it depends on what is open');
        const mayBe = [0, 1, 2, 3].some((open) => isTrue(condition, setOf(open | (known << 2))));
        if (mayBe) assert.ok(answers.has(true), text);
      }
    }),
  );
});

test('false where nothing that is open could make the condition true', () => {
  const possible = possibleCondition(
    parse('proc.name = c and (proc.name = a or proc.name = d) and not (proc.name = d or proc.name = b)'),
    ({ right }) => right?.kind === 'literal' && ['a', 'b'].includes(right.value),
  );
  const answers = ['', 'c', 'd', 'cd'].map((names) => isTrue(possible, new Set(names)));
  assert.deepEqual(answers, [false, true, false, false]);
});
