import { answersByType } from './compile/check.ts';
import { EVENT_TYPES } from './event-types.ts';
import type { Check, Expression } from './syntax.ts';

/** Three-valued: null is what may be either. */
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
  const reduced = new Reduction(failing).of(condition);
  const types = new Set<number>();
  for (let type = 0; type < EVENT_TYPES.length; type++) if (answer(reduced, type) !== false) types.add(type);
  return types;
}

/**
 * Whether a condition can be true of an event of a type.
 * @param failing checks that are false of it
 */
export function isPossible(condition: Expression, type: number, failing: readonly Check[]): boolean {
  return answer(new Reduction(failing).of(condition), type) !== false;
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

/** What is left of a condition without what may be either on all types: mostly little of much. */
type Reduced =
  | { readonly kind: 'open' }
  /** By type. */
  | { readonly kind: 'answers'; readonly answers: readonly Answer[] }
  | { readonly kind: 'not'; readonly child: Reduced }
  | JunctionLeft;

interface JunctionLeft {
  readonly kind: 'and' | 'or';
  readonly children: readonly Reduced[];
  /** Something that may be either was left out. */
  readonly isOpen: boolean;
  /** The type that was asked last, and what it came to: several parts of a condition may share this one. */
  lastType: number;
  lastAnswer: Answer;
}

const OPEN: Reduced = { kind: 'open' };

class Reduction {
  readonly #failing: ReadonlySet<Check>;
  readonly #known = new Map<Expression, Reduced>();

  constructor(failing: readonly Check[]) {
    this.#failing = new Set(failing);
  }

  of(part: Expression): Reduced {
    switch (part.kind) {
      case 'macro':
        return OPEN;
      case 'check':
        return this.#ofCheck(part);
      default:
    }
    const known = this.#known.get(part);
    if (known !== undefined) return known;
    const reduced =
      part.kind === 'not' ? notOf(this.of(part.child)) : this.#ofJunction(part.kind, part.children);
    this.#known.set(part, reduced);
    return reduced;
  }

  #ofCheck(check: Check): Reduced {
    if (this.#failing.has(check)) return NEVER;
    const { left } = check;
    if (left.kind !== 'field' || !TYPE_FIELD.test(left.name)) return OPEN;
    return answersOf(check);
  }

  #ofJunction(kind: 'and' | 'or', parts: readonly Expression[]): Reduced {
    const reduced = new Set(parts.map((part) => this.of(part)));
    const isOpen = reduced.delete(OPEN);
    if (isOpen && reduced.size === 0) return OPEN;
    return { kind, children: [...reduced], isOpen, lastType: -1, lastAnswer: null };
  }
}

function notOf(child: Reduced): Reduced {
  return child.kind === 'open' ? child : { kind: 'not', child };
}

const NEVER: Reduced = { kind: 'answers', answers: EVENT_TYPES.map(() => false) };

/** The same checks stand in many rules. */
const knownAnswers = new WeakMap<Check, Reduced>();
const knownByText = new Map<string, Reduced>();
const MAX_KNOWN = 1024;

function answersOf(check: Check): Reduced {
  let reduced = knownAnswers.get(check);
  if (reduced === undefined) {
    const text = textOf(check);
    reduced = knownByText.get(text);
    if (reduced === undefined) {
      reduced = { kind: 'answers', answers: answersByType(check) };
      if (knownByText.size < MAX_KNOWN && text.length < MAX_KNOWN) knownByText.set(text, reduced);
    }
    knownAnswers.set(check, reduced);
  }
  return reduced;
}

/** The same for checks that mean the same. */
function textOf({ left, operator, modifier, right }: Check): string {
  return JSON.stringify([left, operator, modifier, right], (key, value: unknown) =>
    key === 'span' ? undefined : value,
  );
}

function answer(part: Reduced, type: number): Answer {
  switch (part.kind) {
    case 'open':
      return null;
    case 'answers':
      return part.answers[type] ?? null;
    case 'not': {
      const inside = answer(part.child, type);
      return inside === null ? null : !inside;
    }
    case 'and':
    case 'or':
      if (part.lastType !== type) {
        part.lastAnswer = ofJunction(part, type);
        part.lastType = type;
      }
      return part.lastAnswer;
  }
}

function ofJunction({ kind, children, isOpen }: JunctionLeft, type: number): Answer {
  const decisive = kind === 'or';
  let mayBeEither = isOpen;
  for (const child of children) {
    const one = answer(child, type);
    if (one === decisive) return decisive;
    if (one === null) mayBeEither = true;
  }
  return mayBeEither ? null : !decisive;
}
