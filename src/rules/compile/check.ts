import type { RuleEvent } from '../event.ts';
import { EVENT_TYPES, eventTypeOf } from '../event-types.ts';
import { nearestWord } from '../../base/nearest-word.ts';
import type { Access, EventVariant } from '../fields/field.ts';
import { findField } from '../fields/registry.ts';
import type { TextOperator } from '../match/text-test.ts';
import { problemIn, RuleError } from '../problem.ts';
import type { Check, Literal, Operator } from '../syntax.ts';
import { bindTerm, type Bound, type Warn } from './bind.ts';
import { compareTerms } from './compare-terms.ts';
import { generate } from './generate.ts';
import { allOf, anyOf, FALSE, onAccess, TRUE, type Code, type Compiled } from './test.ts';
import { setOperatorOf, operatorsOf, valueTest, type ValueTest } from './value-test.ts';

/** What a value test costs beside a look-up. */
const COST_OF: Readonly<Partial<Record<Operator, number>>> = {
  contains: 6,
  icontains: 12,
  glob: 10,
  iglob: 12,
  pmatch: 6,
  regex: 60,
};

/** Fields that have few values, any of which is likely. */
const FEW_VALUES = /^(?:fd\.type|fd\.typechar|fd\.l4proto|fd\.sockfamily|container\.id|evt\..*)$/;

export function hasFewValues({ key }: Bound): boolean {
  return FEW_VALUES.test(key);
}

const ORDER: readonly Operator[] = ['<', '<=', '>', '>='];

/** How often a check is true: words rarely are what a value is, and numbers are in the range that is asked for. */
function chanceOf({ key, access }: Bound, operator: Operator): number {
  if (operator === 'exists') return 0.9;
  if (access.type === 'boolean' || FEW_VALUES.test(key)) return 0.5;
  if (access.type === 'number' && ORDER.includes(operator)) return 0.8;
  if (access.type === 'number') return operator === '!=' ? 0.9 : 0.3;
  return operator === '!=' ? 0.9 : 0.1;
}

/** What checks are compiled for. */
export interface CheckContext {
  /** What all events that come have in common; null: nothing. */
  readonly variant: EventVariant | null;
  readonly warn: Warn;
}

/**
 * A check of one field for some values, of which any makes it true. Several of them on the same field with the same
 * operator, joined by `or`, are one.
 */
export interface SetCheck {
  readonly bound: Bound;
  readonly operator: TextOperator;
  readonly literals: readonly Literal[];
}

/** @throws RuleError for whatever is wrong with it */
export function compileCheck(check: Check, context: CheckContext): Compiled {
  const bound = bindTerm(check.left, context.warn);
  const { access } = bound;
  validate(check, access, bound);
  if (check.right?.kind === 'term') {
    const right = bindTerm(check.right.term, context.warn);
    const compared = compareTerms(check, access, right.access);
    return bound.isUnanswered || right.isUnanswered
      ? FALSE
      : { kind: 'test', code: { kind: 'call', test: compared }, cost: bound.cost + right.cost, chance: 0.5 };
  }
  const literals = literalsOf(check);
  warnOfFields(literals, access, context.warn);
  if (check.modifier !== null) return compileModified(check, literals, context);
  const compiled = compileLiterals(check, access, literals);
  if (bound.isUnanswered) return FALSE;
  return (
    foldVariant(access, context.variant, compiled.onValue) ?? {
      kind: 'test',
      code: compiled.code,
      cost: bound.cost + (COST_OF[check.operator] ?? 1),
      chance: chanceOf(bound, check.operator),
    }
  );
}

/** The check as one for values; null where it is none. It must have been compiled once, so that it is known to be right. */
export function setCheckOf(check: Check, context: CheckContext): SetCheck | null {
  const { right } = check;
  if (right === null || right.kind === 'term') return null;
  if (check.modifier !== null && check.modifier !== 'anyof') return null;
  const operator = setOperatorOf(check.operator);
  if (operator === null) return null;
  const bound = bindTerm(check.left, context.warn);
  const { access } = bound;
  if (bound.isUnanswered || access.shape === 'list' || access.type === 'bytes') return null;
  if (access.shape === 'single' && access.ofVariant !== undefined && context.variant !== null) return null;
  return { bound, operator, literals: literalsOf(check) };
}

/** @param owner what the check was made of, with a key of its own among all that are made of it */
export function compileSetCheck(set: SetCheck, owner: object, key: string): Compiled {
  const { bound, operator } = set;
  const code = onAccess(bound.access as Access<'string'>, testOf(set, owner, key));
  const cost = bound.cost + (operator === 'in' ? 1 : (COST_OF[operator] ?? 2));
  return { kind: 'test', code, cost, chance: chanceOf(bound, operator) };
}

/** Whether a value is one of the set's. */
function testOf(
  { bound, operator, literals }: SetCheck,
  owner: object,
  key: string,
): (value: string) => boolean {
  const { type } = bound.access;
  const test = sharedTest(owner, key, literals.length, () => valueTest(type, operator, literals));
  return test as (value: string) => boolean;
}

/** Tests of fewer values are made again. */
const MIN_SHARED = 16;
const sharedTests = new WeakMap<object, Map<string, ValueTest>>();

/** Tests of values are the same for all variants of events; that of a long list takes memory, and time to make. */
function sharedTest(owner: object, key: string, values: number, make: () => ValueTest): ValueTest {
  if (values < MIN_SHARED) return make();
  let tests = sharedTests.get(owner);
  if (tests === undefined) {
    tests = new Map();
    sharedTests.set(owner, tests);
  }
  let test = tests.get(key);
  if (test === undefined) {
    test = make();
    tests.set(key, test);
  }
  return test;
}

/**
 * Checks that a field differs, joined by `and`, are one: it has a value, which is none of theirs. Of fields with several values that
 * is so where all of them must differ. null where the check is none of these; it must have been compiled once.
 */
export function unequalSetOf(check: Check, context: CheckContext): SetCheck | null {
  const { operator, modifier, right } = check;
  if (operator !== '!=' || right === null || right.kind === 'term') return null;
  if (modifier !== null && (modifier !== 'allof' || literalsOf(check).length === 0)) return null;
  const set = setCheckOf({ ...check, operator: '=', modifier: null }, context);
  const access = set?.bound.access;
  return access?.shape === 'any' && !access.isEveryUnequal ? null : set;
}

/** @param owner what the check was made of, with a key of its own among all that are made of it */
export function compileUnequalSet(set: SetCheck, owner: object, key: string): Compiled {
  const { bound } = set;
  const { code } = unequal(bound.access as Access<'string'>, testOf(set, owner, key));
  return { kind: 'test', code, cost: bound.cost + 1, chance: chanceOf(bound, '!=') };
}

/**
 * What a check comes to on events of each type; null where that does not decide it. The check must have been compiled once, so
 * that it is known to be right.
 */
export function answersByType(check: Check): readonly (boolean | null)[] {
  const ignore = () => undefined;
  const { access, isUnanswered } = bindTerm(check.left, ignore);
  const literals = literalsOf(check);
  const isPlain = check.right?.kind !== 'term' && check.modifier === null && !isUnanswered;
  const { onValue } = isPlain ? compileLiterals(check, access, literals) : { onValue: null };
  return EVENT_TYPES.map((_, type) => {
    const variant = { type, openMode: undefined };
    const compiled = onValue
      ? foldVariant(access, variant, onValue)
      : compileCheck(check, { variant, warn: ignore });
    return compiled?.kind === 'constant' ? compiled.value : null;
  });
}

function validate(check: Check, access: Access, bound: Bound): void {
  const { operator } = check;
  if (!operatorsOf(access.type).includes(operator)) {
    const message = `'${operator}' does not compare a ${access.type}, which ${bound.key} is`;
    throw new RuleError(problemIn('operator', message, check.operatorSpan));
  }
  if (access.shape === 'list' && !['exists', 'in', 'intersects'].includes(operator)) {
    const message = `${bound.key} is a list: only exists, in and intersects compare it`;
    throw new RuleError(problemIn('operator', message, check.operatorSpan));
  }
  const isEventType = bound.key === 'evt.type' || bound.key === 'syscall.type';
  if (isEventType && ['=', '==', '!=', 'in', 'intersects'].includes(operator)) validateTypes(check);
}

/** A type with a typing error in it would be a rule that never fires. */
function validateTypes(check: Check): void {
  if (check.right?.kind === 'term') return;
  for (const literal of literalsOf(check)) {
    if (eventTypeOf(literal.value) !== null) continue;
    const message = `there is no event type '${literal.value}'`;
    const nearest = nearestWord(literal.value, EVENT_TYPES);
    throw new RuleError(problemIn('value', message, literal.span, nearest));
  }
}

/** The name of a field on the right side is a text like any other, which is rarely what was meant. */
function warnOfFields(literals: readonly Literal[], access: Access, warn: Warn): void {
  if (access.type !== 'string') return;
  for (const { value, span } of literals) {
    const name = value.trim();
    if (!name.includes('.') || findField(name) === null) continue;
    const message = `'${name}' is a text here, although a field has this name`;
    warn(problemIn('value', message, span, `val(${name})`));
  }
}

function literalsOf({ right }: Check): readonly Literal[] {
  if (right === null || right.kind === 'term') return [];
  return right.kind === 'list' ? right.values : [right];
}

/** `oneof`, `anyof` and `allof` stand for the check with each of the values. */
function compileModified(check: Check, literals: readonly Literal[], context: CheckContext): Compiled {
  const parts = literals.map((right) => compileCheck({ ...check, modifier: null, right }, context));
  switch (check.modifier) {
    case 'anyof':
      return anyOf(parts);
    case 'allof':
      return parts.length === 0 ? FALSE : allOf(parts);
    default: {
      const tests = parts.flatMap((part) => (part.kind === 'test' ? [generate(part.code)] : []));
      const constant = parts.filter((part) => part.kind === 'constant' && part.value).length;
      if (tests.length === 0) return constant === 1 ? TRUE : FALSE;
      const test = (event: RuleEvent) =>
        tests.reduce((count, one) => (one(event) ? count + 1 : count), constant) === 1;
      return { kind: 'test', code: { kind: 'call', test }, cost: 3 * tests.length, chance: 0.5 };
    }
  }
}

interface CompiledLiterals {
  readonly code: Code;
  /** The same of a value that is not null. */
  readonly onValue: ValueTest;
}

function compileLiterals(check: Check, access: Access, literals: readonly Literal[]): CompiledLiterals {
  // One type of access for all: what the test is called with is what the access gives.
  const erased = access as Access<'string'>;
  if (check.operator === 'exists') {
    const has = erased.shape === 'single' ? erased.has : undefined;
    const code = has === undefined ? onAccess(erased, () => true) : ({ kind: 'call', test: has } as const);
    return { code, onValue: () => true };
  }
  const make = () => valueTest(access.type, check.operator, literals);
  const isTrue = sharedTest(check, '', literals.length, make) as (value: string) => boolean;
  if (check.operator === '!=') return unequal(erased, isTrue);
  if (erased.shape === 'list' && check.operator === 'in') {
    const { get } = erased;
    const test = (event: RuleEvent) => {
      const values = get(event);
      return values !== null && values.length > 0 && values.every(isTrue);
    };
    return { code: { kind: 'call', test }, onValue: isTrue };
  }
  return { code: onAccess(erased, isTrue), onValue: isTrue };
}

/** Of ancestors, one that differs is enough; of the ends of a connection all must. */
function unequal(access: Access<'string'>, isEqual: (value: string) => boolean): CompiledLiterals {
  const differs = (value: string) => !isEqual(value);
  if (access.shape === 'any' && access.isEveryUnequal) {
    const { some } = access;
    const test = (event: RuleEvent) => some(event, () => true) && !some(event, isEqual);
    return { code: { kind: 'call', test }, onValue: differs };
  }
  return { code: onAccess(access, differs), onValue: differs };
}

/** What the check comes to on all events of the variant; null where that does not decide it. */
function foldVariant(access: Access, variant: EventVariant | null, onValue: ValueTest): Compiled | null {
  if (variant === null || access.shape !== 'single' || access.ofVariant === undefined) return null;
  const value = access.ofVariant(variant);
  if (value === undefined) return null;
  return value !== null && (onValue as (value: unknown) => boolean)(value) ? TRUE : FALSE;
}
