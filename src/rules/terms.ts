import { problemIn, RuleError } from './problem.ts';
import type { Scanner } from './scanner.ts';
import { TRANSFORMERS, type FieldTerm, type Literal, type Term, type TransformTerm } from './syntax.ts';

/** Transformers inside of transformers. */
const MAX_TRANSFORM_DEPTH = 32;

/** A field with its argument, or null where there is none. */
export function parseField(scanner: Scanner): FieldTerm | null {
  const start = scanner.at;
  const name = scanner.fieldName();
  if (name === null) return null;
  const argument = scanner.take('[') ? parseArgument(scanner, name) : null;
  return { kind: 'field', name, argument, span: scanner.span(start) };
}

function parseArgument(scanner: Scanner, of: string): string {
  const argument = scanner.fieldArgument();
  if (argument === null) fail(scanner, `expected the argument of ${of}`);
  if (!scanner.take(']')) fail(scanner, `expected ']' after the argument of ${of}`);
  return argument;
}

export function isTransformerAhead(scanner: Scanner): boolean {
  const word = scanner.peek(/[a-z0-9]+(?=\()/y);
  return word !== null && TRANSFORMERS.some((name) => name === word);
}

/** The transformer that isTransformerAhead has seen. */
export function parseTransform(scanner: Scanner, depth = 1): TransformTerm {
  const start = scanner.at;
  if (depth > MAX_TRANSFORM_DEPTH)
    fail(scanner, `transformers are nested deeper than ${MAX_TRANSFORM_DEPTH}`);
  const name = TRANSFORMERS.find((one) => scanner.take(`${one}(`));
  if (name === undefined) fail(scanner, 'expected a transformer');
  const parts: (Term | Literal)[] = [];
  scanner.skipBlanks();
  while (!scanner.take(')')) {
    if (parts.length > 0 && !scanner.take(',')) fail(scanner, `expected ',' or ')' in ${name}(...)`);
    scanner.skipBlanks();
    parts.push(parsePart(scanner, name, depth));
    scanner.skipBlanks();
  }
  const selector = scanner.take('[') ? parseArgument(scanner, `${name}(...)`) : null;
  return { kind: 'transform', name, arguments: parts, selector, span: scanner.span(start) };
}

function parsePart(scanner: Scanner, name: string, depth: number): Term | Literal {
  if (isTransformerAhead(scanner)) return parseTransform(scanner, depth + 1);
  const field = parseField(scanner);
  if (field !== null) return field;
  const start = scanner.at;
  const value = scanner.string();
  if (value === null) fail(scanner, `expected a field or a value in ${name}(...)`);
  return { kind: 'literal', value, span: scanner.span(start) };
}

function fail(scanner: Scanner, message: string): never {
  throw new RuleError(problemIn('syntax', message, scanner.unexpected()));
}
