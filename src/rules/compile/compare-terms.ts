import type { RuleEvent } from '../event.ts';
import type { Access } from '../fields/field.ts';
import { areSameAddress } from '../match/address.ts';
import { pathPrefixTest } from '../match/path-prefix.ts';
import { compileGlob, matchesGlob } from '../match/glob.ts';
import { lowerCase } from '../match/automaton.ts';
import { problemIn, RuleError } from '../problem.ts';
import type { Check, Operator } from '../syntax.ts';
import type { Predicate } from './test.ts';

type Value = string | number | boolean;
type Comparison = (left: Value, right: Value) => boolean;

/**
 * A check whose right side is a field or a transformer: both must have a value.
 * @throws RuleError for terms that cannot be compared
 */
export function compareTerms(check: Check, left: Access, right: Access): Predicate {
  const fail = (message: string): never => {
    throw new RuleError(problemIn('operator', message, check.right?.span ?? check.span));
  };
  if (right.shape === 'any') fail('the right side has several values: give the field an argument');
  const isText = (type: string) => type === 'string' || type === 'bytes';
  if (left.type !== right.type && !(isText(left.type) && isText(right.type)))
    fail(`a ${left.type} is not compared with a ${right.type}`);
  if (left.type === 'network') fail('networks are compared with literal networks alone');
  const compare = comparisonOf(check.operator, left.type);
  if (compare === null) return fail(`'${check.operator}' takes no field on its right side`);
  if (right.shape === 'list' && !['in', 'intersects'].includes(check.operator))
    fail('a list on the right side is compared by in and intersects');
  return predicate(check.operator, left as Access<'string'>, right, compare);
}

function predicate(
  operator: Operator,
  left: Access<'string'>,
  right: Access,
  compare: Comparison,
): Predicate {
  return (event) => {
    const wanted = rightValues(right, event);
    if (wanted === null) return false;
    const test = (value: Value) => wanted.some((one) => compare(value, one));
    if (left.shape === 'list' && operator === 'in') {
      const values = left.get(event);
      return values !== null && values.length > 0 && values.every(test);
    }
    if (operator === '!=' && left.shape === 'any' && left.isEveryUnequal) {
      return left.some(event, () => true) && !left.some(event, (value) => !test(value));
    }
    return someOf(left, event, test);
  };
}

function someOf(access: Access<'string'>, event: RuleEvent, test: (value: Value) => boolean): boolean {
  if (access.shape === 'any') return access.some(event, test);
  const value = access.get(event);
  if (value === null) return false;
  return typeof value === 'object' ? value.some(test) : test(value);
}

function rightValues(right: Access, event: RuleEvent): readonly Value[] | null {
  if (right.shape === 'any') return null;
  const value = right.get(event);
  if (value === null) return null;
  return typeof value === 'object' ? value : [value];
}

function comparisonOf(operator: Operator, type: Access['type']): Comparison | null {
  const isEqual: Comparison = type === 'address' ? sameAddress : (a, b) => a === b;
  const text = (test: (left: string, right: string) => boolean): Comparison => {
    return (left, right) => test(String(left), String(right));
  };
  switch (operator) {
    case '=':
    case '==':
    case 'in':
    case 'intersects':
      return isEqual;
    case '!=':
      return (a, b) => !isEqual(a, b);
    case '<':
      return (a, b) => a < b;
    case '<=':
      return (a, b) => a <= b;
    case '>':
      return (a, b) => a > b;
    case '>=':
      return (a, b) => a >= b;
    case 'contains':
      return text((a, b) => a.includes(b));
    case 'icontains':
      return text((a, b) => lowerCase(a).includes(lowerCase(b)));
    case 'startswith':
      return text((a, b) => a.startsWith(b));
    case 'endswith':
      return text((a, b) => a.endsWith(b));
    case 'glob':
      return text((a, b) => matchesGlob(compileGlob(b), a));
    case 'iglob':
      return text((a, b) => matchesGlob(compileGlob(b, true), a));
    case 'pmatch':
      return text((a, b) => pathPrefixTest([b])(a));
    // A pattern that an event brings would be compiled for each one, and may be none.
    case 'regex':
    case 'bcontains':
    case 'bstartswith':
    case 'exists':
      return null;
  }
}

function sameAddress(a: Value, b: Value): boolean {
  return areSameAddress(String(a), String(b));
}
