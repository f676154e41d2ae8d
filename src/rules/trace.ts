import { printable, printableText } from '../base/printable.ts';
import { bindTerm, valuesOf, valueText } from './compile/bind.ts';
import { ConditionCompiler } from './compile/condition.ts';
import { generate } from './compile/generate.ts';
import type { RuleEvent } from './event.ts';
import { checkText } from './explanation.ts';
import type { Check, Expression } from './syntax.ts';

/** Characters of a value that are shown. */
const MAX_VALUE = 200;

/**
 * Why a condition is true or false of an event: its tree, each part with what it came to, each check with the value that it
 * looked at. Of parts that are decided by one of several, those that decide are shown alone. Safe to print.
 */
export function traceLines(condition: Expression, event: RuleEvent): string[] {
  const lines: string[] = [];
  new Trace(event, lines).add(condition, '', '');
  return lines;
}

class Trace {
  readonly #event: RuleEvent;
  readonly #lines: string[];
  readonly #compiler = new ConditionCompiler(null, () => {});

  constructor(event: RuleEvent, lines: string[]) {
    this.#event = event;
    this.#lines = lines;
  }

  add(part: Expression, indent: string, prefix: string): void {
    switch (part.kind) {
      case 'check':
        this.#line(part, indent, `${prefix}${printableText(checkText(part))}${this.#valueOf(part)}`);
        return;
      case 'not':
        this.#line(part, indent, `${prefix}not`);
        this.add(part.child, `${indent}  `, '');
        return;
      case 'and':
      case 'or': {
        const isTrue = this.#isTrue(part);
        this.#line(part, indent, `${prefix}${part.kind === 'and' ? 'all of' : 'any of'}`);
        // One false part decides an `and`, one true part an `or`.
        const decides = part.kind === 'and' ? isTrue : !isTrue;
        for (const child of part.children)
          if (decides || this.#isTrue(child) === isTrue) this.add(child, `${indent}  `, '');
        return;
      }
      case 'macro':
        throw new Error(`macro ${part.name} was not expanded`);
    }
  }

  #line(part: Expression, indent: string, text: string): void {
    this.#lines.push(`${this.#isTrue(part) ? 'true ' : 'false'}  ${indent}${text}`);
  }

  #isTrue(part: Expression): boolean {
    const compiled = this.#compiler.compile(part);
    return compiled.kind === 'constant' ? compiled.value : generate(compiled.code)(this.#event);
  }

  #valueOf({ left }: Check): string {
    const bound = bindTerm(left, () => {});
    if (bound.isFilterOnly) return '';
    const values = valuesOf(bound.access, this.#event);
    const texts = values?.map((value) => printable(valueText(value), MAX_VALUE)) ?? [];
    return texts.length === 0 ? '   (no value)' : `   (${texts.join(', ')})`;
  }
}
