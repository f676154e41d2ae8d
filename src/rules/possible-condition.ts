import { junction, negation, type Check, type Expression } from './syntax.ts';

const TRUE = junction('and', []);
const FALSE = junction('or', []);

/**
 * What is true of every event of which the condition may turn out to be true once the values of some checks are known.
 * Macros must be expanded. The depth of a tree is bounded, so this may recurse.
 */
export function possibleCondition(condition: Expression, isOpen: (check: Check) => boolean): Expression {
  // Trees that rules share (those of macros) are gone through once for each of the two.
  const known = { true: new Map<Expression, Expression>(), false: new Map<Expression, Expression>() };
  /** @param hoped what an open check is taken for */
  const visit = (part: Expression, hoped: 'true' | 'false'): Expression => {
    const before = known[hoped].get(part);
    if (before !== undefined) return before;
    const made = visitNew(part, hoped);
    known[hoped].set(part, made);
    return made;
  };
  const visitNew = (part: Expression, hoped: 'true' | 'false'): Expression => {
    switch (part.kind) {
      case 'macro':
        return part;
      case 'check':
        return isOpen(part) ? (hoped === 'true' ? TRUE : FALSE) : part;
      case 'not':
        return negation(visit(part.child, hoped === 'true' ? 'false' : 'true'));
      case 'and':
      case 'or':
        return junction(
          part.kind,
          part.children.map((child) => visit(child, hoped)),
        );
    }
  };
  return visit(condition, 'true');
}
