import { textFromByteString } from '../base/bytes.ts';
import { checksOf } from './event-type-set.ts';
import { fieldsOfCondition, fieldsOfRule } from './fields-of.ts';
import { isAncestorStep } from './fields/environment-fields.ts';
import type { Rule } from './rule.ts';
import type { Check, Expression } from './syntax.ts';

/** Variables of the environment that a rule asks for, by name. */
export function variablesOfRule(rule: Rule): ReadonlySet<string> {
  return new Set([...namedIn(fieldsOfRule(rule)), ...mentionedIn(rule.condition)]);
}

/** Those that a condition asks for. */
export function variablesOfCondition(condition: Expression): ReadonlySet<string> {
  return new Set([...namedIn(fieldsOfCondition(condition)), ...mentionedIn(condition)]);
}

/** Of `proc.env[PATH]`, PATH. */
function namedIn(fields: ReadonlySet<string>): readonly string[] {
  return [...fields].flatMap((field) => {
    const [, name = '', variable] = /^proc\.(a?env)\[(.+)\]$/s.exec(field) ?? [];
    return variable === undefined || (name === 'aenv' && isAncestorStep(variable)) ? [] : variable;
  });
}

/** Who looks for LD_PRELOAD in all of the environment means the variable: of `proc.env contains "LD_PRELOAD=x"`, LD_PRELOAD. */
function mentionedIn(condition: Expression): readonly string[] {
  return checksOf(condition, /^proc\.a?env$/).flatMap((check) => {
    const words = textsOf(check).flatMap(
      (text) => /^ *([A-Za-z_][A-Za-z0-9_]+)(?:=|$)/.exec(text)?.[1] ?? [],
    );
    if (!IN_ANY_CASE.has(check.operator)) return words;
    return words.flatMap((word) => [word, word.toUpperCase(), word.toLowerCase()]);
  });
}

const IN_ANY_CASE: ReadonlySet<Check['operator']> = new Set(['icontains', 'iglob']);

/** The texts that a check of the whole environment compares it with. */
function textsOf({ left, right }: Check): readonly string[] {
  const isWhole = left.kind === 'field' && (left.argument === null || isAncestorStep(left.argument));
  if (!isWhole || right === null || right.kind === 'term') return [];
  const literals = right.kind === 'list' ? right.values : [right];
  return literals.map(({ value }) => textFromByteString(value));
}
