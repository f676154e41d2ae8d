import { bindTerm } from '../compile/bind.ts';
import { problemIn, type RuleProblem } from '../problem.ts';
import type { Check, Expression, Term } from '../syntax.ts';

/**
 * Checks that ask for what no event has are false, so what is `not` them is true of every event: an exclusion excludes nothing.
 * That is said for each. Macros must be expanded, and the checks must have been compiled before, so that they are known to be right.
 *
 * @param of who asks, for people: "rule 'x'"
 */
export function undoneNegations(condition: Expression, of: string): readonly RuleProblem[] {
  const found = new Map<Check, readonly Term[]>();
  // Trees that rules share (those of macros) are gone through once for each of the two.
  const seen = { plain: new Set<Expression>(), negated: new Set<Expression>() };
  const visit = (part: Expression, isNegated: boolean): void => {
    const ofKind = isNegated ? seen.negated : seen.plain;
    if (ofKind.has(part)) return;
    ofKind.add(part);
    if (part.kind === 'not') visit(part.child, !isNegated);
    else if (part.kind === 'and' || part.kind === 'or')
      for (const child of part.children) visit(child, isNegated);
    else if (part.kind === 'check' && isNegated) {
      const terms = unansweredTerms(part);
      if (terms.length > 0) found.set(part, terms);
    }
  };
  visit(condition, false);
  return [...found].map(([{ span }, terms]) => {
    const names = terms
      .map(({ span: { in: text, start, end } }) => text.text.slice(start, end))
      .join(' and ');
    const message = `${names} has no value yet, so this is false of every event, and 'not' of it true: it excludes nothing from ${of}`;
    return problemIn('excludes-nothing', message, span);
  });
}

/** The check is asked for often, by each rule with the same macro. */
const known = new WeakMap<Check, readonly Term[]>();

function unansweredTerms(check: Check): readonly Term[] {
  let terms = known.get(check);
  if (terms === undefined) {
    const { left, right } = check;
    const asked = right?.kind === 'term' ? [left, right.term] : [left];
    terms = asked.filter((term) => bindTerm(term, () => {}).isUnanswered);
    known.set(check, terms);
  }
  return terms;
}
