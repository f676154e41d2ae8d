import { problemAt, RuleError } from '../problem.ts';
import { LIST_OPERATORS, type Operator } from '../syntax.ts';
import { RuleText } from '../text.ts';
import type { ExceptionDefinition, RuleDefinition } from './collection.ts';
import type { ExceptionValue } from './items.ts';
import { quoted } from './lists.ts';

/** The condition of a rule with its exceptions: `(condition) and not (exception) and not ...`. */
export function conditionWithExceptions(rule: RuleDefinition): RuleText {
  const parts = new Parts(rule.condition);
  const exceptions = rule.exceptions.filter(({ values }) => values.length > 0);
  if (exceptions.length === 0) return rule.condition;
  parts.add('(', rule.condition, ')');
  for (const exception of exceptions) {
    parts.place = exception.fields[0] ?? parts.place;
    parts.add(' and not (');
    if (exception.isSingle) addSingle(parts, exception);
    else addTuples(parts, exception);
    parts.add(')');
  }
  return parts.text;
}

/** Texts one behind the other; what nobody wrote stands where the latest place is. */
class Parts {
  place: RuleText;
  readonly #parts: RuleText[] = [];

  constructor(place: RuleText) {
    this.place = place;
  }

  add(...parts: readonly (string | RuleText)[]): void {
    for (const part of parts) {
      this.#parts.push(typeof part === 'string' ? RuleText.standingAt(part, this.place.place(0)) : part);
    }
  }

  get text(): RuleText {
    return RuleText.join(this.#parts);
  }
}

/** One field: all values in one list. */
function addSingle(parts: Parts, exception: ExceptionDefinition): void {
  const [comp] = exception.comps ?? [];
  const [field = parts.place] = exception.fields;
  if (comp !== undefined && !isListOperator(comp.operator)) {
    const message = `an exception with one field is compared with ${LIST_OPERATORS.join(', ')}`;
    throw new RuleError(problemAt('operator', message, comp.text.place(0), comp.text.text));
  }
  parts.add(field, ' ', comp?.text ?? 'in', ' (');
  exception.values.forEach((value, index) => {
    if (index > 0) parts.add(', ');
    parts.add(quoted(single(value, exception)));
  });
  parts.add(')');
}

/** Several fields: each value is a tuple, and all of a tuple must be so. */
function addTuples(parts: Parts, exception: ExceptionDefinition): void {
  exception.values.forEach((tuple, index) => {
    if (tuple instanceof RuleText || tuple.length !== exception.fields.length) {
      const message = `a value of exception '${exception.name}' must be a list of ${exception.fields.length}, one for each field`;
      throw new RuleError(problemAt('item', message, exception.place, exception.name));
    }
    parts.add(index > 0 ? ' or (' : '(');
    exception.fields.forEach((field, column) => {
      const comp = exception.comps?.[column];
      if (column > 0) parts.add(' and ');
      parts.add(field, ' ', comp?.text ?? '=', ' ');
      addTupleValue(parts, tuple[column] ?? [], comp?.operator ?? '=', exception);
    });
    parts.add(')');
  });
}

function addTupleValue(
  parts: Parts,
  value: ExceptionValue,
  operator: Operator,
  exception: ExceptionDefinition,
): void {
  if (!(value instanceof RuleText)) {
    parts.add('(');
    value.forEach((item, index) => parts.add(index > 0 ? ', ' : '', quoted(single(item, exception))));
    parts.add(')');
  } else if (isListOperator(operator)) {
    parts.add(...(value.text.startsWith('(') ? [value] : ['(', value, ')']));
  } else {
    parts.add(quoted(value));
  }
}

function single(value: ExceptionValue, exception: ExceptionDefinition): RuleText {
  if (value instanceof RuleText) return value;
  const message = `a value of exception '${exception.name}' must be a text, not a list`;
  throw new RuleError(problemAt('item', message, exception.place, exception.name));
}

function isListOperator(operator: Operator): boolean {
  return LIST_OPERATORS.some((one) => one === operator);
}
