import type { Check, Expression } from './syntax.ts';

/** Characters of a check that are shown: lists may be long. */
const MAX_CHECK = 160;

/** A condition as a tree, one line for each part, two blanks deeper for each level. Not safe to print. */
export function conditionLines(condition: Expression): string[] {
  const lines: string[] = [];
  add(condition, '', '', lines);
  return lines;
}

function add(part: Expression, indent: string, prefix: string, lines: string[]): void {
  switch (part.kind) {
    case 'check':
      lines.push(`${indent}${prefix}${checkText(part)}`);
      return;
    case 'macro':
      lines.push(`${indent}${prefix}${part.name}`);
      return;
    case 'not':
      add(part.child, indent, `${prefix}not `, lines);
      return;
    case 'and':
    case 'or':
      lines.push(`${indent}${prefix}${part.kind === 'and' ? 'all of' : 'any of'}`);
      for (const child of part.children) add(child, `${indent}  `, '', lines);
      return;
  }
}

/** As it stands in the rule, lists in place of their names. */
export function checkText({ span }: Check): string {
  const text = span.in.text.slice(span.start, span.end).replace(/\s+/g, ' ');
  return text.length > MAX_CHECK ? `${text.slice(0, MAX_CHECK)}…` : text;
}
