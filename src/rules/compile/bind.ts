import type { RuleEvent } from '../event.ts';
import type { Access } from '../fields/field.ts';
import { findField, nearestField } from '../fields/registry.ts';
import { problemIn, RuleError, type RuleProblem } from '../problem.ts';
import type { FieldTerm, Term } from '../syntax.ts';
import { bindTransform } from './transform.ts';

/** A term of a condition that is ready to give its value. */
export interface Bound {
  readonly access: Access;
  /** The same for terms that have the same value on every event. */
  readonly key: string;
  /** It has no value on any event. */
  readonly isUnanswered: boolean;
  /** It must not be printed: it has no one value. */
  readonly isFilterOnly: boolean;
  /** What it costs to get the value, in units of a property's look-up. */
  readonly cost: number;
}

export type Warn = (problem: RuleProblem) => void;

const MAX_INDEX = 100_000;
const NO_VALUE = { shape: 'single', get: () => null } as const;

/** @throws RuleError for a field that is not known, or an argument that it does not take */
export function bindTerm(term: Term, warn: Warn): Bound {
  return term.kind === 'field' ? bindField(term, warn) : bindTransform(term, warn);
}

function bindField(term: FieldTerm, warn: Warn): Bound {
  const found = findField(term.name);
  if (found === null) {
    const message = `unknown field '${term.name}'`;
    throw new RuleError(problemIn('unknown-field', message, term.span, nearestField(term.name)));
  }
  const { field } = found;
  const argument = found.argument ?? term.argument;
  checkArgument(term, field.argument, found.argument !== null, argument);
  const key = argument === null ? field.name : `${field.name}[${argument}]`;
  const own = argument === null ? null : field.reasonFor?.(argument);
  const reason = field.reason ?? own ?? null;
  if (reason !== null || field.bind === null) {
    const message = `${term.name} has no value yet: ${reason}`;
    warn(problemIn('unanswered-field', message, term.span));
    const access = { ...NO_VALUE, type: field.type } as Access;
    return { access, key, isUnanswered: true, isFilterOnly: false, cost: 0 };
  }
  const caveat = field.caveat?.(argument) ?? null;
  if (caveat !== null) warn(problemIn('partly-answered', `${term.name} ${caveat}`, term.span));
  const access = field.bind(argument);
  const isFilterOnly = field.isFilterOnly;
  return { access, key, isUnanswered: false, isFilterOnly, cost: access.shape === 'any' ? 10 : 1 };
}

function checkArgument(term: FieldTerm, kind: string, isInName: boolean, argument: string | null): void {
  const fail = (message: string): never => {
    throw new RuleError(problemIn('field-argument', message, term.span));
  };
  if (isInName && term.argument !== null) fail(`'${term.name}' has an argument already`);
  if (argument === null) {
    if (kind.startsWith('required')) fail(`'${term.name}' needs an argument: ${term.name}[...]`);
    return;
  }
  if (kind === 'none') fail(`'${term.name}' takes no argument`);
  if (kind.endsWith('index') && !(/^\d{1,6}$/.test(argument) && Number(argument) <= MAX_INDEX))
    fail(`the argument of '${term.name}' must be a number`);
}

/** The text of a value, for outputs and for what joins values. */
export function valueText(value: string | number | boolean): string {
  if (typeof value !== 'number') return String(value);
  // V8 remembers the texts of whole numbers.
  if (Number.isSafeInteger(value)) return String(value);
  return value === Infinity ? '<NA>' : value.toFixed(0);
}

/** All values of a term, for what prints or joins them; null for none. */
export function valuesOf(access: Access, event: RuleEvent): readonly (string | number | boolean)[] | null {
  switch (access.shape) {
    case 'single': {
      const value = access.get(event);
      return value === null ? null : [value];
    }
    case 'list':
      return access.get(event);
    case 'any': {
      const values: (string | number | boolean)[] = [];
      // Several types of access are a union of functions, which TypeScript calls with what all of them take.
      (access as Access<'string'> & { shape: 'any' }).some(event, (value) => {
        values.push(value);
        return false;
      });
      return values.length === 0 ? null : values;
    }
  }
}
