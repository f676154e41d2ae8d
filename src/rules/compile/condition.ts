import type { EventVariant } from '../fields/field.ts';
import type { Check, Expression, Literal } from '../syntax.ts';
import type { Warn } from './bind.ts';
import {
  compileCheck,
  compileSetCheck,
  compileUnequalSet,
  setCheckOf,
  unequalSetOf,
  type CheckContext,
  type SetCheck,
} from './check.ts';
import { compileRows, rowsOf } from './rows.ts';
import { allOf, anyOf, notOf, type Compiled } from './test.ts';

/** Checks that become one. */
interface Group {
  readonly values: SetCheck;
  /** What the first of them comes to alone. */
  readonly first: Compiled;
  readonly literals: Literal[];
  count: number;
}

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
        return this.#anyOf(expression.children, expression);
      case 'and':
        return this.#allOf(expression.children, expression);
      case 'macro':
        throw new Error(`macro ${expression.name} was not expanded`);
    }
  }

  #check(check: Check): Compiled {
    const compiled = compileCheck(check, this.#context);
    // As one check for all values it is faster than as one for each.
    const any = check.modifier === 'anyof' ? setCheckOf(check, this.#context) : null;
    if (any !== null) return compileSetCheck(any, check, 'any of');
    const none = check.modifier === 'allof' ? unequalSetOf(check, this.#context) : null;
    return none === null ? compiled : compileUnequalSet(none, check, 'none of');
  }

  /**
   * Checks of one field with one operator become one check for all their values; many conjunctions are found by the value of a field.
   * @param owner what they are parts of
   */
  #anyOf(children: readonly Expression[], owner: Expression): Compiled {
    const parts: Compiled[] = [];
    const groups = new Groups();
    const rows = rowsOf(owner, children);
    for (const child of rows === null ? children : rows.others) {
      const compiled = this.compile(child);
      const values = child.kind === 'check' ? setCheckOf(child, this.#context) : null;
      if (values === null) parts.push(compiled);
      else groups.add(values, compiled);
    }
    parts.push(...groups.compiled((values, key) => compileSetCheck(values, owner, key)));
    if (rows !== null) parts.push(compileRows(rows, (row) => this.compile(row), this.#context));
    return anyOf(parts);
  }

  /** not a and not b is not (a or b), and so one check as well; and so is what differs from each of several values. */
  #allOf(children: readonly Expression[], owner: Expression): Compiled {
    const refused: Check[] = [];
    const parts: Compiled[] = [];
    const groups = new Groups();
    for (const child of children) {
      if (child.kind === 'not' && child.child.kind === 'check') {
        refused.push(child.child);
        continue;
      }
      const compiled = this.compile(child);
      const values = child.kind === 'check' ? unequalSetOf(child, this.#context) : null;
      if (values === null) parts.push(compiled);
      else groups.add(values, compiled);
    }
    parts.push(...groups.compiled((values, key) => compileUnequalSet(values, owner, `not ${key}`)));
    if (refused.length > 0) parts.push(notOf(this.#anyOf(refused, owner)));
    return allOf(parts);
  }
}

/** Checks of the same field with the same operator. */
class Groups {
  readonly #groups = new Map<string, Group>();

  /** @param compiled what it comes to alone */
  add(values: SetCheck, compiled: Compiled): void {
    const key = `${values.operator} ${values.bound.key}`;
    const group = this.#groups.get(key);
    if (group === undefined)
      this.#groups.set(key, { values, first: compiled, literals: [...values.literals], count: 1 });
    else {
      for (const literal of values.literals) group.literals.push(literal);
      group.count++;
    }
  }

  /** @param compile makes one check of several, with a key that no other group has */
  compiled(compile: (values: SetCheck, key: string) => Compiled): Compiled[] {
    return [...this.#groups].map(([key, { values, first, literals, count }]) =>
      count === 1 ? first : compile({ ...values, literals }, key),
    );
  }
}
