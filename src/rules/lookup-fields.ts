import { cluesOf } from './compile/clues.ts';
import { ConditionCompiler } from './compile/condition.ts';
import type { Expression } from './syntax.ts';

/** A variant that no event has: what depends on the variant is left out. */
const ANY_EVENT = { type: -1, openMode: undefined };

/** By the words in which fields a condition can be found, each with the number of words. */
export function lookupFields(condition: Expression): readonly string[] {
  const compiler = new ConditionCompiler(null, () => {});
  const choices = cluesOf(condition, { variant: ANY_EVENT, warn: () => {} }, (part) =>
    compiler.compile(part),
  );
  const texts = choices.map((clues) =>
    clues.map(({ key, words }) => `${key} (${words.length})`).join(' or '),
  );
  return [...new Set(texts)];
}
