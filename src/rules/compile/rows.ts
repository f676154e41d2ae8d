import { junction, type Check, type Expression, type Literal } from '../syntax.ts';
import { setCheckOf, type CheckContext } from './check.ts';
import type { RuleEvent } from '../event.ts';
import { generate } from './generate.ts';
import { FALSE, type Compiled, type Predicate } from './test.ts';

/** Fewer conjunctions are looked at one by one. */
const MIN_ROWS = 8;

/**
 * Conjunctions joined by `or`, such as the tuples of an exception, of which each wants one of some values of the same field: those of
 * an event's value alone can be true of it.
 */
export interface Rows {
  /** A check of the field in one of them. */
  readonly check: Check;
  /** By value: what else must be true. */
  readonly byValue: ReadonlyMap<string, Expression>;
  /** All of them, whole. */
  readonly all: readonly Expression[];
  /** What is joined with them, and is none of them. */
  readonly others: readonly Expression[];
}

/** A variant that no event has: checks that a variant decides are none to find rows by. */
const ANY: CheckContext = { variant: { type: -1, openMode: undefined }, warn: () => {} };

/** Of each `or`: compilers of all variants of events, and of what they come to, share the rest of the rows. */
const known = new WeakMap<Expression, Rows | null>();

/** @returns null: there are not enough of them */
export function rowsOf(owner: Expression, children: readonly Expression[]): Rows | null {
  // What a conjunction refuses are single checks.
  if (owner.kind !== 'or' || children.length < MIN_ROWS) return null;
  let rows = known.get(owner);
  if (rows === undefined) {
    rows = findRows(children);
    known.set(owner, rows);
  }
  return rows;
}

interface Row {
  readonly whole: Expression;
  readonly key: string;
  readonly check: Check;
  readonly literals: readonly Literal[];
  readonly rest: readonly Expression[];
}

function findRows(children: readonly Expression[]): Rows | null {
  const rows = children.map(rowOf);
  const groups = Map.groupBy(
    rows.flatMap((row) => row ?? []),
    ({ key }) => key,
  );
  const [largest] = [...groups.values()].toSorted((a, b) => b.length - a.length);
  const [first] = largest ?? [];
  if (largest === undefined || first === undefined || largest.length < MIN_ROWS) return null;
  const rests = new Map<string, Expression[]>();
  for (const { literals, rest } of largest) {
    const expression = junction('and', rest);
    for (const value of new Set(literals.map((literal) => literal.value))) {
      const others = rests.get(value);
      if (others === undefined) rests.set(value, [expression]);
      else others.push(expression);
    }
  }
  return {
    check: first.check,
    byValue: new Map([...rests].map(([value, parts]) => [value, junction('or', parts)])),
    all: largest.map(({ whole }) => whole),
    others: children.filter((_, index) => rows[index]?.key !== first.key),
  };
}

/** By its first check whether a text is one of some; null: it has none, or nothing else. */
function rowOf(whole: Expression): Row | null {
  if (whole.kind !== 'and') return null;
  for (const [index, check] of whole.children.entries()) {
    if (check.kind !== 'check') continue;
    const set = setCheckOf(check, ANY);
    if (set?.operator !== 'in') continue;
    const { access, key } = set.bound;
    if (access.shape !== 'single' || access.type !== 'string') continue;
    return { whole, key, check, literals: set.literals, rest: whole.children.toSpliced(index, 1) };
  }
  return null;
}

/**
 * @param compile compiles what stands in the condition
 * @param context that it compiles for
 */
export function compileRows(
  { check, byValue, all }: Rows,
  compile: (expression: Expression) => Compiled,
  context: CheckContext,
): Compiled {
  // Whatever is wrong in one of them is told, and what no event of the variant can be is left out.
  const areNever = all.map(compile).every((one) => one.kind === 'constant' && !one.value);
  const bound = setCheckOf(check, context)?.bound;
  if (areNever || bound?.access.shape !== 'single') return FALSE;
  const get = bound.access.get as (event: RuleEvent) => string | null;
  const tests = new Map<string, Predicate>();
  const test = (event: RuleEvent): boolean => {
    const value = get(event);
    const rest = value === null ? undefined : byValue.get(value);
    if (value === null || rest === undefined) return false;
    let isTrue = tests.get(value);
    if (isTrue === undefined) {
      // Of a thousand rows few are ever asked for.
      isTrue = predicate(compile(rest));
      tests.set(value, isTrue);
    }
    return isTrue(event);
  };
  return { kind: 'test', code: { kind: 'call', test }, cost: bound.cost + 4, chance: 0.1 };
}

function predicate(compiled: Compiled): Predicate {
  return compiled.kind === 'constant' ? () => compiled.value : generate(compiled.code);
}
