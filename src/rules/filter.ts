import { ConditionCompiler } from './compile/condition.ts';
import { generate } from './compile/generate.ts';
import { fieldsOfCondition } from './fields-of.ts';
import type { Predicate } from './compile/test.ts';
import { ListExpansion } from './load/lists.ts';
import { MacroExpansion } from './load/macros.ts';
import { undoneNegations } from './load/undone-negations.ts';
import { parseCondition } from './parser.ts';
import { RuleError, type RuleProblem } from './problem.ts';
import { RuleSource, RuleText } from './text.ts';
import { variablesOfCondition } from './variables.ts';

export type ParsedFilter =
  | {
      readonly isValid: true;
      readonly matches: Predicate;
      readonly warnings: readonly RuleProblem[];
      readonly fields: ReadonlySet<string>;
      /** Of the environment. */
      readonly variables: ReadonlySet<string>;
    }
  | { readonly isValid: false; readonly error: RuleProblem };

/** A condition on its own, without lists and macros: what chooses events on the command line. Never throws. */
export function parseFilter(condition: string): ParsedFilter {
  const offsets = Int32Array.from({ length: condition.length }, (_, index) => index);
  const text = RuleText.of(condition, new RuleSource('condition', condition), offsets);
  const warnings: RuleProblem[] = [];
  try {
    const macros = new MacroExpansion(new Map(), new ListExpansion(new Map()));
    const expression = macros.expand(parseCondition(text), Infinity);
    const compiled = new ConditionCompiler(null, (problem) => warnings.push(problem)).compile(expression);
    warnings.push(...undoneNegations(expression, 'the condition'));
    const matches = compiled.kind === 'constant' ? () => compiled.value : generate(compiled.code);
    const fields = fieldsOfCondition(expression);
    return { isValid: true, matches, warnings, fields, variables: variablesOfCondition(expression) };
  } catch (error) {
    if (!(error instanceof RuleError)) throw error;
    return { isValid: false, error: error.problem };
  }
}

/** Variables of the environment that a condition asks for. */
export function variablesOfFilter(condition: string): readonly string[] {
  const filter = parseFilter(condition);
  return filter.isValid ? [...filter.variables] : [];
}
