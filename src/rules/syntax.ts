import type { Span } from './text.ts';

/** The tree of a condition. */
export type Expression = Junction | Negation | Check | MacroUse;

interface ExpressionBase {
  /** Longest way to a leaf, 1 for a leaf: what reads the tree may recurse. */
  readonly depth: number;
  /** Number of its nodes. */
  readonly size: number;
}

export interface Junction extends ExpressionBase {
  readonly kind: 'and' | 'or';
  readonly children: readonly Expression[];
}

export interface Negation extends ExpressionBase {
  readonly kind: 'not';
  readonly child: Expression;
}

/** The name of a macro; gone once they are expanded. */
export interface MacroUse extends ExpressionBase {
  readonly kind: 'macro';
  readonly name: string;
  readonly span: Span;
}

export interface Check extends ExpressionBase {
  readonly kind: 'check';
  readonly left: Term;
  readonly operator: Operator;
  readonly operatorSpan: Span;
  readonly modifier: ListModifier | null;
  /** null for `exists`. */
  readonly right: Operand | null;
  readonly span: Span;
}

/** What has a value of its own on each event. */
export type Term = FieldTerm | TransformTerm;

export interface FieldTerm {
  readonly kind: 'field';
  readonly name: string;
  /** What stands between the brackets, unescaped. */
  readonly argument: string | null;
  readonly span: Span;
}

export interface TransformTerm {
  readonly kind: 'transform';
  readonly name: Transformer;
  readonly arguments: readonly (Term | Literal)[];
  /** Of `getopt(...)[t]`. */
  readonly selector: string | null;
  readonly span: Span;
}

export interface Literal {
  readonly kind: 'literal';
  readonly value: string;
  readonly span: Span;
}

export type Operand =
  | Literal
  | { readonly kind: 'list'; readonly values: readonly Literal[]; readonly span: Span }
  | { readonly kind: 'term'; readonly term: Term; readonly span: Span };

export const NUMBER_OPERATORS = ['<=', '<', '>=', '>'] as const;
export const STRING_OPERATORS = [
  '==',
  '=',
  '!=',
  'glob',
  'iglob',
  'contains',
  'icontains',
  'bcontains',
  'startswith',
  'bstartswith',
  'endswith',
  'regex',
] as const;
export const LIST_OPERATORS = ['in', 'intersects', 'pmatch'] as const;
export const LIST_MODIFIERS = ['oneof', 'anyof', 'allof'] as const;
export const TRANSFORMERS = [
  'tolower',
  'toupper',
  'b64',
  'basename',
  'len',
  'join',
  'concat',
  'getopt',
] as const;

type NumberOperator = (typeof NUMBER_OPERATORS)[number];
type StringOperator = (typeof STRING_OPERATORS)[number];
type ListOperator = (typeof LIST_OPERATORS)[number];
export type Operator = 'exists' | NumberOperator | StringOperator | ListOperator;
export type ListModifier = (typeof LIST_MODIFIERS)[number];
export type Transformer = (typeof TRANSFORMERS)[number];

export const OPERATORS: readonly Operator[] = [
  'exists',
  ...NUMBER_OPERATORS,
  ...STRING_OPERATORS,
  ...LIST_OPERATORS,
];

/** Joins expressions; one alone stays what it is, and a junction inside of one of its kind dissolves into it. */
export function junction(kind: 'and' | 'or', parts: readonly Expression[]): Expression {
  const [only] = parts;
  if (parts.length === 1 && only !== undefined) return only;
  const children = parts.flatMap((part) => (part.kind === kind ? part.children : [part]));
  let depth = 0;
  let size = 1;
  for (const child of children) {
    depth = Math.max(depth, child.depth);
    size += child.size;
  }
  return { kind, children, depth: depth + 1, size };
}

export function negation(child: Expression): Expression {
  return child.kind === 'not'
    ? child.child
    : { kind: 'not', child, depth: child.depth + 1, size: child.size + 1 };
}
