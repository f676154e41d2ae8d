import { compileCheck } from './compile/check.ts';
import { EVENT_TYPES } from './event-types.ts';
import type { Check, Expression } from './syntax.ts';

type Answer = boolean | null;

/**
 * The event types on which a condition can be true: everything that does not depend on the type alone may be either.
 * So `not (evt.type = openat and proc.name = x)` can be true on all types, and `not evt.type = openat` on all others.
 * The checks must have been compiled before, so that they are known to be right.
 */
export function eventTypesOf(condition: Expression): ReadonlySet<number> {
  return typesOf(condition, []);
}

/** Names of fields that have no value where no request caused the event. */
const REQUEST_FIELD = /^(?:http|req|tls)\./;

/** The event types on which a condition can be true without a request that caused the event. */
export function eventTypesWithoutRequest(condition: Expression): ReadonlySet<number> {
  return typesOf(condition, checksOf(condition, REQUEST_FIELD));
}

function typesOf(condition: Expression, failing: readonly Check[]): ReadonlySet<number> {
  const checks = checksOf(condition, TYPE_FIELD);
  const types = new Set<number>();
  for (let type = 0; type < EVENT_TYPES.length; type++)
    if (isPossible(condition, type, failing, checks)) types.add(type);
  return types;
}

/**
 * Whether a condition can be true of an event of a type.
 * @param failing checks that are false of it
 */
export function isPossible(
  condition: Expression,
  type: number,
  failing: readonly Check[],
  typeChecks: readonly Check[] = checksOf(condition, TYPE_FIELD),
): boolean {
  const answers = new Map<Expression, Answer>(typeChecks.map((check) => [check, answerOn(check, type)]));
  for (const check of failing) answers.set(check, false);
  return answer(condition, answers, new Map()) !== false;
}

/** Names of fields that depend on nothing but the type. */
const TYPE_FIELD = /^(?:evt\.type(?:\.is\..*)?|syscall\.type|evt\.category|evt\.dir|evt\.source)$/;

/** Checks of fields with such a name. */
export function checksOf(condition: Expression, name: RegExp): readonly Check[] {
  const found = new Set<Check>();
  const seen = new Set<Expression>();
  const visit = (part: Expression): void => {
    if (seen.has(part)) return;
    seen.add(part);
    if (part.kind === 'check' && part.left.kind === 'field' && name.test(part.left.name)) found.add(part);
    else if (part.kind === 'not') visit(part.child);
    else if (part.kind === 'and' || part.kind === 'or') part.children.forEach(visit);
  };
  visit(condition);
  return [...found];
}

/** By type. The checks of a macro stand in many rules, and are asked for each of several hundred types. */
const knownAnswers = new WeakMap<Check, Answer[]>();

function answerOn(check: Check, type: number): Answer {
  let answers = knownAnswers.get(check);
  if (answers === undefined) {
    answers = [];
    knownAnswers.set(check, answers);
  }
  const known = answers[type];
  if (known !== undefined) return known;
  const compiled = compileCheck(check, { variant: { type, openMode: undefined }, warn: () => {} });
  return (answers[type] = compiled.kind === 'constant' ? compiled.value : null);
}

/** Three-valued: null is what may be either. */
function answer(
  part: Expression,
  answers: ReadonlyMap<Expression, Answer>,
  known: Map<Expression, Answer>,
): Answer {
  const before = known.get(part);
  if (before !== undefined) return before;
  const made = newAnswer(part, answers, known);
  known.set(part, made);
  return made;
}

function newAnswer(
  part: Expression,
  answers: ReadonlyMap<Expression, Answer>,
  known: Map<Expression, Answer>,
): Answer {
  switch (part.kind) {
    case 'check':
      return answers.get(part) ?? null;
    case 'macro':
      return null;
    case 'not': {
      const inside = answer(part.child, answers, known);
      return inside === null ? null : !inside;
    }
    case 'and':
    case 'or': {
      const decisive = part.kind === 'or';
      let isOpen = false;
      for (const child of part.children) {
        const one = answer(child, answers, known);
        if (one === decisive) return decisive;
        if (one === null) isOpen = true;
      }
      return isOpen ? null : !decisive;
    }
  }
}
