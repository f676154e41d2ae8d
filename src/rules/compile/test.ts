import type { RuleEvent } from '../event.ts';
import type { Access, ValueOf, ValueType } from '../fields/field.ts';

export type Predicate = (event: RuleEvent) => boolean;

/** A condition, or a part of it, that is ready to run. */
export type Compiled =
  | { readonly kind: 'constant'; readonly value: boolean }
  | {
      readonly kind: 'test';
      readonly code: Code;
      /** What it costs, in units of a property's look-up. */
      readonly cost: number;
      /** How often it is true on average, more than 0 and less than 1: a guess. */
      readonly chance: number;
    };

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

/** All of the parts; first what is cheap and mostly false. */
export function allOf(parts: readonly Compiled[]): Compiled {
  return joined('and', parts);
}

/** Any of the parts; first what is cheap and mostly true. */
export function anyOf(parts: readonly Compiled[]): Compiled {
  return joined('or', parts);
}

/**
 * Tests have no effects, so their order is free: least is spent where each stands by its cost for what it decides, which
 * is cost / (1 - chance) in a conjunction.
 */
function joined(kind: 'and' | 'or', parts: readonly Compiled[]): Compiled {
  const isOr = kind === 'or';
  if (parts.some((part) => part.kind === 'constant' && part.value === isOr)) return isOr ? TRUE : FALSE;
  const decides = (chance: number) => (isOr ? chance : 1 - chance);
  const tests = parts
    .flatMap((part) => (part.kind === 'test' ? [part] : []))
    .toSorted((a, b) => a.cost / decides(a.chance) - b.cost / decides(b.chance));
  const [first, second] = tests;
  if (first === undefined) return isOr ? FALSE : TRUE;
  if (second === undefined) return first;
  let cost = 0;
  let isOpen = 1;
  for (const test of tests) {
    cost += isOpen * test.cost;
    isOpen *= 1 - decides(test.chance);
  }
  const chance = bounded(isOr ? 1 - isOpen : isOpen);
  return { kind: 'test', code: { kind, parts: tests.map(({ code }) => code) }, cost, chance };
}

export function notOf(part: Compiled): Compiled {
  if (part.kind === 'constant') return part.value ? FALSE : TRUE;
  const { code, cost, chance } = part;
  return { kind: 'test', code: { kind: 'not', part: code }, cost, chance: 1 - chance };
}

/** Nothing is certain: orders divide by it. */
function bounded(chance: number): number {
  return Math.min(0.999, Math.max(0.001, chance));
}
