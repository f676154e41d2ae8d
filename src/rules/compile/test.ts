import type { RuleEvent } from '../event.ts';
import type { Access, ValueOf, ValueType } from '../fields/field.ts';

export type Predicate = (event: RuleEvent) => boolean;

/** A condition, or a part of it, that is ready to run. */
export type Compiled =
  | { readonly kind: 'constant'; readonly value: boolean }
  | { readonly kind: 'test'; readonly code: Code; readonly cost: number };

/** What a function is generated of: see generate.ts. */
export type Code =
  | { readonly kind: 'call'; readonly test: Predicate }
  /** False where there is no value. */
  | {
      readonly kind: 'value';
      readonly get: (event: RuleEvent) => unknown;
      readonly test: (value: never) => boolean;
    }
  | { readonly kind: 'not'; readonly part: Code }
  | { readonly kind: 'and' | 'or'; readonly parts: readonly Code[] };

export const TRUE: Compiled = { kind: 'constant', value: true };
export const FALSE: Compiled = { kind: 'constant', value: false };

/** A test of one value, as a test of an event: a field without a value makes it false. */
export function onAccess<Type extends ValueType>(
  access: Access<Type>,
  test: (value: ValueOf[Type]) => boolean,
): Code {
  switch (access.shape) {
    case 'single':
      return { kind: 'value', get: access.get, test };
    case 'list': {
      const { get } = access;
      return { kind: 'call', test: (event) => get(event)?.some(test) ?? false };
    }
    case 'any': {
      const { some } = access;
      return { kind: 'call', test: (event) => some(event, test) };
    }
  }
}

/** All of the parts; the cheap ones first. */
export function allOf(parts: readonly Compiled[]): Compiled {
  return joined('and', parts);
}

/** Any of the parts; the cheap ones first. */
export function anyOf(parts: readonly Compiled[]): Compiled {
  return joined('or', parts);
}

/** Tests have no effects, so their order is free. */
function joined(kind: 'and' | 'or', parts: readonly Compiled[]): Compiled {
  const decisive = kind === 'or';
  if (parts.some((part) => part.kind === 'constant' && part.value === decisive))
    return decisive ? TRUE : FALSE;
  const tests = parts
    .flatMap((part) => (part.kind === 'test' ? [part] : []))
    .toSorted((a, b) => a.cost - b.cost);
  const [first, second] = tests;
  if (first === undefined) return decisive ? FALSE : TRUE;
  if (second === undefined) return first;
  const cost = tests.reduce((sum, one) => sum + one.cost, 0);
  return { kind: 'test', code: { kind, parts: tests.map(({ code }) => code) }, cost };
}

export function notOf(part: Compiled): Compiled {
  if (part.kind === 'constant') return part.value ? FALSE : TRUE;
  return { kind: 'test', code: { kind: 'not', part: part.code }, cost: part.cost };
}
