import type { EventVariant } from '../fields/field.ts';
import type { Check, Expression } from '../syntax.ts';
import type { Warn } from './bind.ts';
import { compileCheck, compileWordCheck, wordCheckOf, type CheckContext, type WordCheck } from './check.ts';
import { allOf, anyOf, notOf, type Compiled } from './test.ts';

/**
 * Compiles conditions whose macros are expanded. Trees that rules share (those of macros) are compiled once. The depth
 * of a tree is bounded, so this may recurse.
 */
export class ConditionCompiler {
  readonly #context: CheckContext;
  readonly #known = new Map<Expression, Compiled>();

  /** @param variant of all events that come: what depends on it alone is decided now; null: any */
  constructor(variant: EventVariant | null, warn: Warn) {
    this.#context = { variant, warn };
  }

  /** @throws RuleError */
  compile(expression: Expression): Compiled {
    const known = this.#known.get(expression);
    if (known !== undefined) return known;
    const compiled = this.#compile(expression);
    this.#known.set(expression, compiled);
    return compiled;
  }

  #compile(expression: Expression): Compiled {
    switch (expression.kind) {
      case 'check':
        return this.#check(expression);
      case 'not':
        return notOf(this.compile(expression.child));
      case 'or':
        return this.#anyOf(expression.children);
      case 'and':
        return this.#allOf(expression.children);
      case 'macro':
        throw new Error(`macro ${expression.name} was not expanded`);
    }
  }

  #check(check: Check): Compiled {
    const compiled = compileCheck(check, this.#context);
    // As one check for all words it is faster than as one for each.
    const words = check.modifier === 'anyof' ? wordCheckOf(check, this.#context) : null;
    return words === null ? compiled : compileWordCheck(words);
  }

  /** Checks of one field with one operator become one check for all their words. */
  #anyOf(children: readonly Expression[]): Compiled {
    const parts: Compiled[] = [];
    const groups = new Map<string, WordCheck>();
    for (const child of children) {
      const compiled = this.compile(child);
      const words = child.kind === 'check' ? wordCheckOf(child, this.#context) : null;
      if (words === null) {
        parts.push(compiled);
        continue;
      }
      const key = `${words.operator} ${words.bound.key}`;
      const others = groups.get(key)?.words ?? [];
      groups.set(key, { ...words, words: [...others, ...words.words] });
    }
    return anyOf([...parts, ...[...groups.values()].map(compileWordCheck)]);
  }

  /** not a and not b is not (a or b), and so one check as well. */
  #allOf(children: readonly Expression[]): Compiled {
    const refused: Check[] = [];
    const parts: Compiled[] = [];
    for (const child of children) {
      if (child.kind === 'not' && child.child.kind === 'check') refused.push(child.child);
      else parts.push(this.compile(child));
    }
    if (refused.length > 0) parts.push(notOf(this.#anyOf(refused)));
    return allOf(parts);
  }
}
