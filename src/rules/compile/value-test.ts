import type { ByteString } from '../../base/bytes.ts';
import type { ValueType } from '../fields/field.ts';
import { networkTest } from '../match/network-set.ts';
import { parseNetwork, parseSingleAddress } from '../match/network.ts';
import { PatternError } from '../match/regex.ts';
import { textTest, type TextOperator } from '../match/text-test.ts';
import { problemIn, RuleError } from '../problem.ts';
import type { Literal, Operator } from '../syntax.ts';

/** A test of one value; what it is called with has the type that it was made for. */
export type ValueTest = (value: never) => boolean;

const EQUALITY: readonly Operator[] = ['=', '==', '!=', 'in', 'intersects', 'exists'];
const ORDER: readonly Operator[] = ['<', '<=', '>', '>='];
const TEXT: readonly Operator[] = [
  ...EQUALITY,
  ...ORDER,
  'glob',
  'iglob',
  'contains',
  'icontains',
  'startswith',
  'endswith',
  'regex',
  'pmatch',
];

/** What each type can be asked. */
const OPERATORS_OF: Readonly<Record<ValueType, readonly Operator[]>> = {
  string: TEXT,
  bytes: [...TEXT, 'bcontains', 'bstartswith'],
  number: [...EQUALITY, ...ORDER],
  boolean: EQUALITY,
  address: EQUALITY,
  network: EQUALITY,
};

export function operatorsOf(type: ValueType): readonly Operator[] {
  return OPERATORS_OF[type];
}

/**
 * Whether the operator, without its negation (`!=` is tested as `=`), is true of a value and one of the literals.
 * @throws RuleError for a literal that is not of the type
 */
export function valueTest(type: ValueType, operator: Operator, literals: readonly Literal[]): ValueTest {
  switch (type) {
    case 'string':
    case 'bytes':
      return textValueTest(operator, literals);
    case 'number':
      return numberTest(operator, literals.map(numberOf));
    case 'boolean': {
      const wanted = new Set(literals.map(booleanOf));
      return (value: boolean) => wanted.has(value);
    }
    case 'address':
      return networkTest(literals.map((one) => read(one, parseSingleAddress, 'an IP address')));
    case 'network':
      return networkTest(literals.map((one) => read(one, parseNetwork, 'a network such as 10.0.0.0/8')));
  }
}

function textValueTest(operator: Operator, literals: readonly Literal[]): ValueTest {
  const words = literals.map(({ value }) => value);
  const [only = ''] = words;
  switch (operator) {
    case '<':
      return (value: ByteString) => value < only;
    case '<=':
      return (value: ByteString) => value <= only;
    case '>':
      return (value: ByteString) => value > only;
    case '>=':
      return (value: ByteString) => value >= only;
    case 'bcontains':
      return textTest('contains', literals.map(bytesOfHex));
    case 'bstartswith':
      return textTest('startswith', literals.map(bytesOfHex));
    default:
      return guarded(setOperatorOf(operator) ?? 'in', literals);
  }
}

/** The operator that is tested, where any of several values may make it true; null: it takes one alone. */
export function setOperatorOf(operator: Operator): TextOperator | null {
  switch (operator) {
    case 'glob':
    case 'iglob':
    case 'contains':
    case 'icontains':
    case 'startswith':
    case 'endswith':
    case 'regex':
    case 'pmatch':
      return operator;
    case '=':
    case '==':
    case 'in':
    case 'intersects':
      return 'in';
    default:
      return null;
  }
}

function guarded(operator: TextOperator, literals: readonly Literal[]): ValueTest {
  // One by one first, so that the error names the one that is wrong.
  if (operator === 'regex') {
    for (const literal of literals) {
      try {
        textTest(operator, [literal.value]);
      } catch (error) {
        if (!(error instanceof PatternError)) throw error;
        throw new RuleError(problemIn('value', `no regular expression: ${error.message}`, literal.span));
      }
    }
  }
  return textTest(
    operator,
    literals.map(({ value }) => value),
  );
}

function numberTest(operator: Operator, numbers: readonly number[]): ValueTest {
  const [only = NaN] = numbers;
  switch (operator) {
    case '<':
      return (value: number) => value < only;
    case '<=':
      return (value: number) => value <= only;
    case '>':
      return (value: number) => value > only;
    case '>=':
      return (value: number) => value >= only;
    default: {
      if (numbers.length === 1) return (value: number) => value === only;
      const wanted = new Set(numbers);
      return (value: number) => wanted.has(value);
    }
  }
}

/** @throws RuleError for what is none */
export function numberOf(literal: Literal): number {
  const { value } = literal;
  const isNumber = /^[+-]?(?:0[xX][0-9a-fA-F]+|[0-9]+\.?[0-9]*(?:[eE][+-]?[0-9]+)?)$/.test(value);
  if (!isNumber) throw wrong(literal, 'a number');
  const isNegative = value.startsWith('-');
  const number = Number(value.replace(/^[+-]/, ''));
  return isNegative ? -number : number;
}

function booleanOf(literal: Literal): boolean {
  if (literal.value === 'true') return true;
  if (literal.value === 'false') return false;
  throw wrong(literal, 'true or false');
}

function bytesOfHex(literal: Literal): ByteString {
  if (!/^(?:[0-9a-fA-F]{2})+$/.test(literal.value))
    throw wrong(literal, 'bytes in hexadecimal, such as CAFE');
  return Buffer.from(literal.value, 'hex').toString('latin1');
}

function read<Value>(literal: Literal, parse: (text: string) => Value | null, what: string): Value {
  const value = parse(literal.value);
  if (value === null) throw wrong(literal, what);
  return value;
}

function wrong(literal: Literal, what: string): RuleError {
  return new RuleError(problemIn('value', `expected ${what}`, literal.span));
}
