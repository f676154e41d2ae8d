import { bindTerm, type Bound, type Warn } from '../compile/bind.ts';
import type { ValueType } from '../fields/field.ts';
import { FIELDS } from '../fields/registry.ts';
import { problemAt, problemIn, RuleError } from '../problem.ts';
import { Scanner } from '../scanner.ts';
import type { Expression, Term } from '../syntax.ts';
import { isTransformerAhead, parseField, parseTransform } from '../terms.ts';
import type { Place, RuleText } from '../text.ts';
import type { SeveralItem, StepItem } from './items.ts';
import type { SequencePlan, SequenceStep } from './plan.ts';

export interface PlanContext {
  /** Name and place of the rule, for messages. */
  readonly name: string;
  readonly place: Place;
  /** A condition with its lists, macros and exceptions in place. Throws a RuleError. */
  readonly expand: (condition: RuleText) => Expression;
  readonly warn: Warn;
}

/**
 * @param condition that of the rule, which a count counts
 * @returns null for a rule of one event
 * @throws RuleError
 */
export function compilePlan(
  several: SeveralItem,
  condition: Expression,
  context: PlanContext,
): SequencePlan | null {
  const { steps, withinNs, by, count } = several;
  const fail = (message: string): never => {
    throw new RuleError(problemAt('sequence', message, several.place ?? context.place, context.name));
  };
  if (steps === null) {
    if (withinNs !== null || by !== null)
      fail(`'within' and 'by' belong to a 'sequence'; those of a 'count' stand inside of it`);
    if (count === null) return null;
    const step = {
      name: null,
      condition,
      by: count.by.map((text) => bindKey(text, context.warn)),
      count: { moreThan: count.moreThan, distinct: distinctOf(count.distinct, context.warn) },
    };
    return { kind: 'count', steps: [step], withinNs: count.withinNs };
  }
  if (count !== null) fail(`'count' stands inside of a step of the 'sequence'`);
  if (withinNs === null) return fail(`'within' is missing: how long the sequence may take`);
  const compiled = steps.map((step) => compileStep(step, by, context));
  checkNames(steps);
  checkKeys(steps, compiled);
  return { kind: 'sequence', steps: compiled, withinNs };
}

/** Names of steps, in order; null where one has none. */
export function stepNamesOf({ steps }: SeveralItem): readonly (string | null)[] {
  return steps?.map(({ name }) => name?.text ?? null) ?? [];
}

function compileStep(step: StepItem, by: readonly RuleText[] | null, context: PlanContext): SequenceStep {
  const { name, count } = step;
  return {
    name: name?.text ?? null,
    condition: context.expand(step.condition),
    by: (step.by ?? by ?? []).map((text) => bindKey(text, context.warn)),
    count: count && { moreThan: count.moreThan, distinct: distinctOf(count.distinct, context.warn) },
  };
}

function distinctOf(text: RuleText | null, warn: Warn): Bound | null {
  return text === null ? null : bindKey(text, warn);
}

/** A field, or a transformer of one, that has one value. */
function bindKey(text: RuleText, warn: Warn): Bound {
  const term = parseTerm(text);
  const bound = bindTerm(term, warn);
  if (bound.access.shape === 'single' && !bound.isFilterOnly && bound.access.type !== 'network') return bound;
  const message = `${bound.key} has several values: events are joined and told apart by one`;
  throw new RuleError(problemIn('sequence', message, term.span));
}

function parseTerm(text: RuleText): Term {
  const scanner = new Scanner(text);
  scanner.skipBlanks();
  const term = isTransformerAhead(scanner) ? parseTransform(scanner) : parseField(scanner);
  scanner.skipBlanks();
  if (term !== null && scanner.isAtEnd) return term;
  throw new RuleError(problemIn('syntax', 'expected a field', scanner.span(0, text.text.length)));
}

const FIELD_CLASSES = new Set(FIELDS.map(({ name }) => name.slice(0, name.indexOf('.'))));

/** Outputs write them as a field is written: the name of the step in front of that of the field. */
function checkNames(steps: readonly StepItem[]): void {
  const names = new Set<string>();
  for (const { name } of steps) {
    if (name === null) continue;
    const fail = (message: string): never => {
      throw new RuleError(problemAt('sequence', message, name.place(0), name.text));
    };
    if (names.has(name.text)) fail(`there are two steps '${name.text}'`);
    if (FIELD_CLASSES.has(name.text)) fail(`a step cannot be named '${name.text}', which fields begin with`);
    names.add(name.text);
  }
}

/** Values that are written alike are compared with each other. */
const KINDS: Readonly<Record<ValueType, string>> = {
  string: 'text',
  bytes: 'text',
  number: 'number',
  boolean: 'boolean',
  address: 'address',
  network: 'address',
};

function checkKeys(items: readonly StepItem[], steps: readonly SequenceStep[]): void {
  const [first] = steps;
  steps.forEach((step, index) => {
    const { place } = items[index] ?? { place: null };
    const fail = (message: string): void => {
      if (place !== null) throw new RuleError(problemAt('sequence', message, place, ''));
    };
    if (step.by.length !== first?.by.length)
      fail(`step ${index + 1} is joined by ${step.by.length} fields, the first by ${first?.by.length}`);
    step.by.forEach((bound, column) => {
      const other = first?.by[column];
      if (other === undefined || KINDS[bound.access.type] === KINDS[other.access.type]) return;
      fail(`${bound.key} (${bound.access.type}) is never equal to ${other.key} (${other.access.type})`);
    });
  });
}
