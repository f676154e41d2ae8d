import { problemIn, RuleError } from './problem.ts';
import { Scanner } from './scanner.ts';
import {
  junction,
  LIST_MODIFIERS,
  LIST_OPERATORS,
  negation,
  NUMBER_OPERATORS,
  OPERATORS,
  STRING_OPERATORS,
  type Expression,
  type FieldTerm,
  type ListModifier,
  type Literal,
  type Operand,
  type Operator,
  type Term,
} from './syntax.ts';
import { isTransformerAhead, parseField, parseTransform } from './terms.ts';
import type { RuleText, Span } from './text.ts';

/** Parentheses inside parentheses, and the depth of a tree once macros are expanded. */
export const MAX_DEPTH = 1000;

const SIGNS = ['<=', '<', '>=', '>', '==', '=', '!='] as const satisfies readonly Operator[];

/** An open parenthesis, or the whole condition. */
interface Frame {
  readonly opening: Span | null;
  /** What stands before it is a `not`. */
  readonly isNegated: boolean;
  readonly alternatives: Expression[];
  conjuncts: Expression[];
}

/**
 * Reads a condition. Without recursion into parentheses, since how deep they go is the file's to say. Macros are left
 * as they are; names of lists must have been replaced. Throws a RuleError.
 */
export function parseCondition(text: RuleText): Expression {
  const scanner = new Scanner(text);
  let frame = openFrame(null, false);
  const outer: Frame[] = [];
  for (;;) {
    const isNegated = takeNots(scanner);
    const start = scanner.at;
    if (scanner.take('(')) {
      if (outer.length >= MAX_DEPTH)
        fail(scanner.span(start), `parentheses are nested deeper than ${MAX_DEPTH}`);
      outer.push(frame);
      frame = openFrame(scanner.span(start), isNegated);
      continue;
    }
    const check = parseCheck(scanner);
    frame.conjuncts.push(isNegated ? negation(check) : check);
    // Closes what ends here, up to the next 'and' or 'or'.
    for (;;) {
      scanner.skipBlanks();
      if (!scanner.take(')')) break;
      const inside = frame;
      const around = outer.pop();
      if (around === undefined) fail(scanner.span(scanner.at - 1), "this ')' closes nothing");
      const value = closeFrame(inside);
      around.conjuncts.push(inside.isNegated ? negation(value) : value);
      frame = around;
    }
    if (scanner.takeWord('and')) continue;
    if (scanner.takeWord('or')) {
      frame.alternatives.push(junction('and', frame.conjuncts));
      frame.conjuncts = [];
      continue;
    }
    if (!scanner.isAtEnd) failAfterCheck(scanner, check);
    if (frame.opening !== null) fail(frame.opening, "this '(' is never closed");
    const whole = closeFrame(frame);
    if (whole.depth > MAX_DEPTH) fail(scanner.span(0), `the condition is nested deeper than ${MAX_DEPTH}`);
    return whole;
  }
}

function openFrame(opening: Span | null, isNegated: boolean): Frame {
  return { opening, isNegated, alternatives: [], conjuncts: [] };
}

function closeFrame(frame: Frame): Expression {
  return junction('or', [...frame.alternatives, junction('and', frame.conjuncts)]);
}

/** @returns whether an odd number of `not` stands here */
function takeNots(scanner: Scanner): boolean {
  let isNegated = false;
  scanner.skipBlanks();
  while (scanner.takeWord('not')) {
    isNegated = !isNegated;
    scanner.skipBlanks();
  }
  return isNegated;
}

function parseCheck(scanner: Scanner): Expression {
  const start = scanner.at;
  const left = parseLeft(scanner);
  if (left === null) {
    const name = scanner.word();
    if (name === null) fail(scanner.unexpected(), "expected a field, a macro or '('");
    return { kind: 'macro', name, span: scanner.span(start), depth: 1, size: 1 };
  }
  scanner.skipBlanks();
  const operatorStart = scanner.at;
  const operator = takeOperator(scanner);
  const operatorSpan = scanner.span(operatorStart);
  const modifier = takeModifier(scanner, operator);
  const right = operator === 'exists' ? null : parseRight(scanner, operator, modifier);
  const span = scanner.span(start);
  return { kind: 'check', left, operator, operatorSpan, modifier, right, span, depth: 1, size: 1 };
}

function parseLeft(scanner: Scanner): Term | null {
  return isTransformerAhead(scanner) ? parseTransform(scanner) : parseField(scanner);
}

function takeOperator(scanner: Scanner): Operator {
  const sign = SIGNS.find((one) => scanner.take(one));
  if (sign !== undefined) return sign;
  const word = scanner.peekWord();
  const operator = OPERATORS.find((one) => one === word);
  if (operator === undefined) fail(scanner.unexpected(), `expected an operator: ${OPERATORS.join(', ')}`);
  scanner.take(operator);
  return operator;
}

/** `oneof`, `anyof` and `allof` are words of their own only in front of a list. */
function takeModifier(scanner: Scanner, operator: Operator): ListModifier | null {
  if (!includes(STRING_OPERATORS, operator)) return null;
  scanner.skipBlanks();
  const word = scanner.peek(/[a-z]+(?=[ \t\n\r\b]*\()/y);
  const modifier = LIST_MODIFIERS.find((one) => one === word);
  if (modifier !== undefined) scanner.take(modifier);
  return modifier ?? null;
}

function parseRight(scanner: Scanner, operator: Operator, modifier: ListModifier | null): Operand {
  scanner.skipBlanks();
  const start = scanner.at;
  const term = parseRightTerm(scanner);
  if (term !== null) return { kind: 'term', term, span: scanner.span(start) };
  if (modifier !== null || includes(LIST_OPERATORS, operator)) return parseList(scanner);
  if (includes(NUMBER_OPERATORS, operator)) {
    const value = scanner.number();
    if (value === null) fail(scanner.unexpected(), `expected a number after '${operator}'`);
    return { kind: 'literal', value, span: scanner.span(start) };
  }
  return parseLiteral(scanner, `after '${operator}'`);
}

/** `val(field)` or a transformer. */
function parseRightTerm(scanner: Scanner): Term | null {
  if (isTransformerAhead(scanner)) return parseTransform(scanner);
  if (!scanner.take('val(')) return null;
  scanner.skipBlanks();
  const field: FieldTerm | null = parseField(scanner);
  if (field === null) fail(scanner.unexpected(), "expected a field in 'val(...)'");
  scanner.skipBlanks();
  if (!scanner.take(')')) fail(scanner.unexpected(), "expected ')' after the field in 'val(...)'");
  return field;
}

function parseList(scanner: Scanner): Operand {
  const start = scanner.at;
  if (!scanner.take('(')) {
    const word = scanner.peekWord();
    fail(
      scanner.unexpected(),
      word === null ? "expected a list: '(a, b)'" : `there is no list named '${word}'`,
    );
  }
  const values: Literal[] = [];
  scanner.skipBlanks();
  while (!scanner.take(')')) {
    if (values.length > 0 && !scanner.take(','))
      fail(scanner.unexpected(), "expected ',' or ')' in the list");
    scanner.skipBlanks();
    values.push(parseLiteral(scanner, 'in the list'));
    scanner.skipBlanks();
  }
  return { kind: 'list', values, span: scanner.span(start) };
}

function parseLiteral(scanner: Scanner, where: string): Literal {
  const start = scanner.at;
  const value = scanner.string();
  if (value === null) fail(scanner.unexpected(), `expected a value ${where}`);
  return { kind: 'literal', value, span: scanner.span(start) };
}

function failAfterCheck(scanner: Scanner, check: Expression): never {
  const isOperator = SIGNS.some((sign) => scanner.peek(/\S+/y)?.startsWith(sign));
  if (check.kind === 'macro' && isOperator)
    fail(check.span, `'${check.name}' is no field: the name of a field has a dot`);
  fail(scanner.unexpected(), "expected 'and', 'or' or the end");
}

function includes(operators: readonly Operator[], operator: Operator): boolean {
  return operators.includes(operator);
}

function fail(span: Span, message: string): never {
  throw new RuleError(problemIn('syntax', message, span));
}
