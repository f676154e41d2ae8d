import type { RuleEvent } from '../event.ts';
import type { Access, ValueOf, ValueType } from '../fields/field.ts';

export type Predicate = (event: RuleEvent) => boolean;

/** A condition, or a part of it, that is ready to run. */
export type Compiled =
  | { readonly kind: 'constant'; readonly value: boolean }
  | { readonly kind: 'test'; readonly test: Predicate; readonly cost: number };

export const TRUE: Compiled = { kind: 'constant', value: true };
export const FALSE: Compiled = { kind: 'constant', value: false };

/** A test of one value, as a test of an event: a field without a value makes it false. */
export function onAccess<Type extends ValueType>(
  access: Access<Type>,
  test: (value: ValueOf[Type]) => boolean,
): Predicate {
  switch (access.shape) {
    case 'single': {
      const { get } = access;
      return (event) => {
        const value = get(event);
        return value !== null && test(value);
      };
    }
    case 'list': {
      const { get } = access;
      return (event) => get(event)?.some(test) ?? false;
    }
    case 'any': {
      const { some } = access;
      return (event) => some(event, test);
    }
  }
}

/** All of the tests; the cheap ones first. */
export function allOf(parts: readonly Compiled[]): Compiled {
  if (parts.some((part) => part.kind === 'constant' && !part.value)) return FALSE;
  const { tests, cost } = byCost(parts);
  const [first, second, third] = tests;
  if (first === undefined) return TRUE;
  if (second === undefined) return { kind: 'test', test: first, cost };
  if (tests.length === 2) return { kind: 'test', cost, test: (event) => first(event) && second(event) };
  if (tests.length === 3 && third !== undefined)
    return { kind: 'test', cost, test: (event) => first(event) && second(event) && third(event) };
  return {
    kind: 'test',
    cost,
    test: (event) => {
      for (let index = 0; index < tests.length; index++) if (tests[index]?.(event) === false) return false;
      return true;
    },
  };
}

/** Any of the tests; the cheap ones first. */
export function anyOf(parts: readonly Compiled[]): Compiled {
  if (parts.some((part) => part.kind === 'constant' && part.value)) return TRUE;
  const { tests, cost } = byCost(parts);
  const [first, second, third] = tests;
  if (first === undefined) return FALSE;
  if (second === undefined) return { kind: 'test', test: first, cost };
  if (tests.length === 2) return { kind: 'test', cost, test: (event) => first(event) || second(event) };
  if (tests.length === 3 && third !== undefined)
    return { kind: 'test', cost, test: (event) => first(event) || second(event) || third(event) };
  return {
    kind: 'test',
    cost,
    test: (event) => {
      for (let index = 0; index < tests.length; index++) if (tests[index]?.(event) === true) return true;
      return false;
    },
  };
}

export function notOf(part: Compiled): Compiled {
  if (part.kind === 'constant') return part.value ? FALSE : TRUE;
  const { test, cost } = part;
  return { kind: 'test', cost, test: (event) => !test(event) };
}

/** Tests have no effects, so their order is free. */
function byCost(parts: readonly Compiled[]): { tests: readonly Predicate[]; cost: number } {
  const sorted = parts
    .flatMap((part) => (part.kind === 'test' ? [part] : []))
    .toSorted((a, b) => a.cost - b.cost);
  return { tests: sorted.map(({ test }) => test), cost: sorted.reduce((sum, { cost }) => sum + cost, 0) };
}
