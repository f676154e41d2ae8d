import { findField } from './fields/registry.ts';
import type { Rule } from './rule.ts';
import type { Expression, Operand, Term } from './syntax.ts';

/** A field, with its argument in brackets where it has one, also where it is written as a part of the name. */
function keyOf(written: string, inBrackets: string | null): string {
  const found = findField(written);
  const name = found?.field.name ?? written;
  const argument = found?.argument ?? inBrackets;
  return argument === null ? name : `${name}[${argument}]`;
}

/** All fields that a condition asks for, as rules write them: `proc.name`, `proc.aname[2]`. */
export function fieldsOfCondition(condition: Expression): ReadonlySet<string> {
  const fields = new Set<string>();
  const seen = new Set<Expression>();
  const ofTerm = (term: Term): void => {
    if (term.kind === 'field') fields.add(keyOf(term.name, term.argument));
    else for (const inside of term.arguments) if (inside.kind !== 'literal') ofTerm(inside);
  };
  const ofOperand = (operand: Operand | null): void => {
    if (operand?.kind === 'term') ofTerm(operand.term);
  };
  const visit = (part: Expression): void => {
    // Macros are shared: each once.
    if (seen.has(part)) return;
    seen.add(part);
    if (part.kind === 'check') {
      ofTerm(part.left);
      ofOperand(part.right);
    } else if (part.kind === 'not') visit(part.child);
    else if (part.kind !== 'macro') part.children.forEach(visit);
  };
  visit(condition);
  return fields;
}

/** All fields that a rule asks for: in its condition, in its output, and by which it joins events or tells them apart. */
export function fieldsOfRule({ condition, sequence, output }: Rule): ReadonlySet<string> {
  const joining = (sequence?.steps ?? []).flatMap(({ by, count }) => [...by, count?.distinct ?? []].flat());
  return new Set([...fieldsOfCondition(condition), ...output.fields, ...joining.map(({ key }) => key)]);
}
