import type { Place, Span } from './text.ts';

/** What kind of mistake it is: for programs that read the output of a check. */
export type ProblemCode =
  | 'yaml'
  | 'item'
  | 'unknown-key'
  | 'engine-version'
  | 'plugin'
  | 'source'
  | 'syntax'
  | 'too-large'
  | 'unknown-macro'
  | 'unknown-field'
  | 'field-argument'
  | 'unanswered-field'
  | 'partly-answered'
  | 'unanswered-event'
  | 'excludes-nothing'
  | 'operator'
  | 'value'
  | 'transformer'
  | 'output'
  | 'sequence'
  | 'response'
  | 'no-responder'
  | 'event-types'
  | 'never-fires'
  | 'deprecated'
  | 'unused';

/** Something wrong with a rule file, at a place of it. */
export interface RuleProblem {
  readonly code: ProblemCode;
  /** For people; what the file says stands in it in quotes, not escaped: it is for the printer to do so. */
  readonly message: string;
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly column: number;
  /** The offending text; cut where it is long. */
  readonly text: string;
  /** What was probably meant; null where nothing is near. */
  readonly suggestion: string | null;
}

const MAX_TEXT = 80;

/** A mistake that ends the reading of what it stands in: a rule, a macro, a list. */
export class RuleError extends Error {
  override readonly name = 'RuleError';
  readonly problem: RuleProblem;

  constructor(problem: RuleProblem) {
    super(problem.message);
    this.problem = problem;
  }
}

/** @param text the offending text */
export function problemAt(
  code: ProblemCode,
  message: string,
  place: Place,
  text: string,
  suggestion: string | null = null,
): RuleProblem {
  const cut = text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text;
  return {
    code,
    message,
    file: place.source.name,
    ...place.source.position(place.offset),
    text: cut,
    suggestion,
  };
}

export function problemIn(
  code: ProblemCode,
  message: string,
  span: Span,
  suggestion: string | null = null,
): RuleProblem {
  const text = span.in.text.slice(span.start, span.end);
  return problemAt(code, message, span.in.place(span.start), text, suggestion);
}
