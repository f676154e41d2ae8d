import { nearestWord } from '../../base/nearest-word.ts';
import { problemAt, RuleError, type ProblemCode, type RuleProblem } from '../problem.ts';
import type { Response } from '../responses/response.ts';
import { changeSeveral, conditionOfSteps, type SeveralItem } from '../sequences/items.ts';
import { RuleText, type Place } from '../text.ts';
import type { ExceptionItem, ListItem, MacroItem, Priority, RuleFileItem, RuleItem } from './items.ts';

interface DefinitionBase {
  readonly name: string;
  /** Of its first definition. */
  readonly place: Place;
  /** When it was defined first, counted over all files. */
  readonly index: number;
  /** When it was changed last: a macro sees those that were defined before. */
  visibility: number;
}

export interface MacroDefinition extends DefinitionBase {
  condition: RuleText;
}

export interface ListDefinition extends DefinitionBase {
  items: readonly RuleText[];
}

/** A rule as all files together define it. */
export interface RuleDefinition extends DefinitionBase {
  /** Of a sequence what is true of any of its steps. */
  condition: RuleText;
  several: SeveralItem;
  output: RuleText;
  description: string;
  priority: Priority;
  source: RuleText | null;
  isEnabled: boolean;
  tags: readonly string[];
  exceptions: readonly ExceptionDefinition[];
  warnsOfEventTypes: boolean;
  skipsUnknownFilter: boolean;
  capture: boolean;
  captureDurationMs: number | null;
  responses: readonly Response[];
}

export interface ExceptionDefinition extends ExceptionItem {
  readonly fields: readonly RuleText[];
}

/** Everything that the files define, later items applied to what earlier ones said. */
export class RuleCollection {
  readonly macros = new Map<string, MacroDefinition>();
  readonly lists = new Map<string, ListDefinition>();
  readonly rules = new Map<string, RuleDefinition>();
  #count = 0;

  /** @throws RuleError for an item that changes what is not there */
  add(item: RuleFileItem, warnings: RuleProblem[]): void {
    const index = this.#count++;
    switch (item.kind) {
      case 'macro':
        this.#addMacro(item, index);
        return;
      case 'list':
        this.#addList(item, index);
        return;
      case 'rule':
        this.#addRule(item, index, warnings);
        return;
    }
  }

  #addMacro(item: MacroItem, index: number): void {
    const before = this.macros.get(item.name);
    if (changes(item, before)) {
      if (before === undefined) throw nothingBefore(item, this.macros.keys());
      before.visibility = index;
      before.condition = isAppended(item, 'condition')
        ? appended(before.condition, item.condition)
        : item.condition;
      return;
    }
    const { name, place, condition } = item;
    this.macros.set(name, { name, place, index: before?.index ?? index, visibility: index, condition });
  }

  #addList(item: ListItem, index: number): void {
    const before = this.lists.get(item.name);
    if (changes(item, before)) {
      if (before === undefined) throw nothingBefore(item, this.lists.keys());
      before.visibility = index;
      before.items = isAppended(item, 'items') ? [...before.items, ...item.items] : item.items;
      return;
    }
    const { name, place, items } = item;
    this.lists.set(name, { name, place, index: before?.index ?? index, visibility: index, items });
  }

  #addRule(item: RuleItem, index: number, warnings: RuleProblem[]): void {
    const before = this.rules.get(item.name);
    const isSwitch = item.keys.size === 2 && item.isEnabled !== null && item.override.size === 0;
    if (isSwitch || item.isAppend || item.override.size > 0) {
      if (before === undefined) throw nothingBefore(item, this.rules.keys());
      if (isSwitch) warnings.push(oldSwitch(item));
      if (item.isAppend) warnings.push(...leftOut(item));
      before.visibility = index;
      changeRule(before, item);
      return;
    }
    this.rules.set(item.name, {
      ...newRule(item, warnings),
      index: before?.index ?? index,
      visibility: index,
    });
  }
}

/** To replace a macro or a list that is not there is to define it. */
function changes(item: MacroItem | ListItem, before: object | undefined): boolean {
  if (before !== undefined) return item.isAppend || item.override.size > 0;
  return item.isAppend || [...item.override.values()].includes('append');
}

/** `append: true` appends all that can be. */
function isAppended(item: RuleFileItem, key: string): boolean {
  return item.isAppend || item.override.get(key) === 'append';
}

function appended(before: RuleText, more: RuleText): RuleText {
  return RuleText.join([before, RuleText.standingAt(' ', more.place(0)), more]);
}

function newRule(item: RuleItem, warnings: RuleProblem[]): Omit<RuleDefinition, 'index' | 'visibility'> {
  const { output, description, priority, several } = item;
  const condition = conditionOf(item);
  const missing = Object.entries({ condition, output, desc: description, priority }).find(
    ([, value]) => value === null,
  );
  if (condition === null || output === null || description === null || priority === null)
    throw itemError('item', item, `'${missing?.[0] ?? ''}' is missing in rule '${item.name}'`);
  return {
    name: item.name,
    place: item.place,
    condition,
    several,
    output,
    description,
    priority,
    source: item.source,
    isEnabled: item.isEnabled ?? true,
    tags: item.tags ?? [],
    exceptions: newExceptions(item.exceptions ?? [], warnings),
    warnsOfEventTypes: item.warnsOfEventTypes ?? true,
    skipsUnknownFilter: item.skipsUnknownFilter ?? false,
    capture: item.capture ?? false,
    captureDurationMs: item.captureDurationMs,
    responses: item.responses ?? [],
  };
}

function conditionOf(item: RuleItem): RuleText | null {
  const { condition, several } = item;
  if (condition !== null && several.steps !== null)
    throw itemError('sequence', item, `rule '${item.name}' has a condition and a sequence: one of them`);
  return several.steps === null ? condition : conditionOfSteps(several.steps);
}

/** What a rule is cannot be changed, only what it says. */
function checkKind(rule: RuleDefinition, item: RuleItem): void {
  const isSequence = rule.several.steps !== null;
  if (item.isAppend && item.several.steps !== null)
    throw itemError('sequence', item, 'a sequence is replaced, not appended to');
  if (isSequence ? item.condition === null : item.several.steps === null) return;
  const what = isSequence
    ? "a sequence: its steps are replaced as 'sequence'"
    : 'a condition and no sequence';
  throw itemError('sequence', item, `rule '${item.name}' has ${what}`);
}

/** `append: true` appends to condition and exceptions, and to nothing else. */
function changeRule(rule: RuleDefinition, item: RuleItem): void {
  const { output, description, tags, exceptions, several } = item;
  const condition = conditionOf(item);
  checkKind(rule, item);
  if (condition !== null)
    rule.condition = isAppended(item, 'condition') ? appended(rule.condition, condition) : condition;
  if (exceptions !== null)
    rule.exceptions = mergeExceptions(isAppended(item, 'exceptions') ? rule.exceptions : [], exceptions);
  if (item.isAppend) return;
  rule.several = changeSeveral(rule.several, several);
  if (output !== null) rule.output = isAppended(item, 'output') ? appended(rule.output, output) : output;
  if (description !== null)
    rule.description = isAppended(item, 'desc') ? `${rule.description} ${description}` : description;
  if (tags !== null) rule.tags = isAppended(item, 'tags') ? [...rule.tags, ...tags] : tags;
  rule.priority = item.priority ?? rule.priority;
  rule.isEnabled = item.isEnabled ?? rule.isEnabled;
  rule.warnsOfEventTypes = item.warnsOfEventTypes ?? rule.warnsOfEventTypes;
  rule.skipsUnknownFilter = item.skipsUnknownFilter ?? rule.skipsUnknownFilter;
  rule.capture = item.capture ?? rule.capture;
  rule.captureDurationMs = item.captureDurationMs ?? rule.captureDurationMs;
  rule.responses = item.responses ?? rule.responses;
}

const APPENDED_KEYS = ['rule', 'append', 'condition', 'exceptions', 'source'];

function leftOut(item: RuleItem): RuleProblem[] {
  const keys = [...item.keys].filter((key) => !APPENDED_KEYS.includes(key));
  if (keys.length === 0) return [];
  const message = `'append' changes condition and exceptions alone: ${keys.join(', ')} of rule '${item.name}' are left out`;
  return [itemError('deprecated', item, message).problem];
}

/** An exception with a name that is there already brings more values for it; any other is a new one. */
function mergeExceptions(
  before: readonly ExceptionDefinition[],
  more: readonly ExceptionItem[],
): readonly ExceptionDefinition[] {
  const merged = [...before];
  for (const item of more) {
    const at = merged.findIndex(({ name }) => name === item.name);
    const known = merged[at];
    if (known !== undefined) {
      if (item.fields !== null) {
        const message = `exception '${item.name}' is there already: only values can be added to it`;
        throw new RuleError(problemAt('item', message, item.place, item.name));
      }
      merged[at] = { ...known, values: [...known.values, ...item.values] };
      continue;
    }
    merged.push(withFields(item));
  }
  return merged;
}

function newExceptions(
  items: readonly ExceptionItem[],
  warnings: RuleProblem[],
): readonly ExceptionDefinition[] {
  const names = new Set<string>();
  for (const { name, place } of items) {
    if (names.has(name)) {
      const message = `exception '${name}' is there twice: values can be added to the first alone`;
      warnings.push(problemAt('item', message, place, name));
    }
    names.add(name);
  }
  return items.map(withFields);
}

function withFields(item: ExceptionItem): ExceptionDefinition {
  const { fields } = item;
  if (fields !== null) return { ...item, fields };
  const message = `exception '${item.name}' has no 'fields'`;
  throw new RuleError(problemAt('item', message, item.place, item.name));
}

function nothingBefore(item: RuleFileItem, names: Iterable<string>): RuleError {
  const message = `there is no ${item.kind} '${item.name}' before that could be changed`;
  return itemError('item', item, message, nearestWord(item.name, [...names]));
}

function oldSwitch(item: RuleItem): RuleProblem {
  const message = "a rule with nothing but 'enabled' is old: 'override' says what replaces what";
  return itemError('deprecated', item, message).problem;
}

function itemError(
  code: ProblemCode,
  item: RuleFileItem,
  message: string,
  suggestion: string | null = null,
): RuleError {
  return new RuleError(problemAt(code, message, item.place, item.name, suggestion));
}
