import { ConditionCompiler } from '../compile/condition.ts';
import { answeredBy, EVENT_TYPES, toldAs } from '../event-types.ts';
import { eventTypesOf } from '../event-type-set.ts';
import { parseOutput } from '../output.ts';
import { MAX_DEPTH, parseCondition } from '../parser.ts';
import { problemAt, RuleError, type RuleProblem } from '../problem.ts';
import type { Rule } from '../rule.ts';
import type { SequencePlan } from '../sequences/plan.ts';
import type { Expression } from '../syntax.ts';
import type { RuleSource } from '../text.ts';
import { compilePlan, stepNamesOf } from '../sequences/compile-plan.ts';
import { RuleCollection, type RuleDefinition } from './collection.ts';
import { conditionWithExceptions } from './exceptions.ts';
import { ListExpansion } from './lists.ts';
import { MacroExpansion } from './macros.ts';
import { readRuleFile } from './rule-file.ts';
import { undoneNegations } from './undone-negations.ts';

export interface RuleFileReport {
  readonly file: string;
  /** Items that the file defines or changes. */
  readonly rules: number;
  readonly macros: number;
  readonly lists: number;
  readonly errors: readonly RuleProblem[];
  readonly warnings: readonly RuleProblem[];
}

export interface LoadedRules {
  /** All that are right, enabled or not, in order. */
  readonly rules: readonly Rule[];
  readonly files: readonly RuleFileReport[];
  readonly hasErrors: boolean;
}

export interface LoadOptions {
  /** What asks for what no event has is an error, not a warning. */
  readonly isStrict: boolean;
}

/** Warnings that are errors where the user wants to be strict. */
const STRICT: readonly RuleProblem['code'][] = [
  'unanswered-field',
  'partly-answered',
  'unanswered-event',
  'excludes-nothing',
  'never-fires',
];

/** A rule that runs on more types costs much, and is mostly a mistake. */
const MANY_TYPES = 100;
const MAX_SIZE = 200_000;

/** Loads rule files as one whole, later ones on top of earlier ones. Never throws for what stands in them. */
export function loadRules(sources: readonly RuleSource[], options: LoadOptions): LoadedRules {
  const problems = new Problems(options);
  const collection = new RuleCollection();
  const counts = sources.map((source) => {
    const file = readRuleFile(source);
    file.errors.forEach((problem) => problems.error(problem));
    file.warnings.forEach((problem) => problems.warning(problem));
    const count = { rule: 0, macro: 0, list: 0 };
    for (const item of file.items) {
      count[item.kind]++;
      problems.guard(() => collection.add(item, problems.warnings));
    }
    return count;
  });
  const rules = new RuleLoader(collection, problems).load();
  const files = sources.map(({ name }, index) => ({
    file: name,
    rules: counts[index]?.rule ?? 0,
    macros: counts[index]?.macro ?? 0,
    lists: counts[index]?.list ?? 0,
    errors: problems.errors.filter(({ file }) => file === name),
    warnings: problems.warnings.filter(({ file }) => file === name),
  }));
  return { rules, files, hasErrors: problems.errors.length > 0 };
}

/** Each problem once: a macro is compiled for every rule that names it. */
class Problems {
  readonly errors: RuleProblem[] = [];
  readonly warnings: RuleProblem[] = [];
  readonly #options: LoadOptions;
  readonly #seen = new Set<string>();

  constructor(options: LoadOptions) {
    this.#options = options;
  }

  error(problem: RuleProblem): void {
    if (this.#isNew(problem)) this.errors.push(problem);
  }

  warning(problem: RuleProblem): void {
    if (this.#options.isStrict && STRICT.includes(problem.code)) this.error(problem);
    else if (this.#isNew(problem)) this.warnings.push(problem);
  }

  /** @returns null where it threw a RuleError, which is noted */
  guard<Result>(run: () => Result): Result | null {
    try {
      return run();
    } catch (error) {
      if (!(error instanceof RuleError)) throw error;
      this.error(error.problem);
      return null;
    }
  }

  #isNew({ file, line, column, code, message }: RuleProblem): boolean {
    const key = JSON.stringify([file, line, column, code, message]);
    if (this.#seen.has(key)) return false;
    this.#seen.add(key);
    return true;
  }
}

class RuleLoader {
  readonly #collection: RuleCollection;
  readonly #problems: Problems;
  readonly #lists: ListExpansion;
  readonly #macros: MacroExpansion;
  readonly #compiler: ConditionCompiler;

  constructor(collection: RuleCollection, problems: Problems) {
    this.#collection = collection;
    this.#problems = problems;
    this.#lists = new ListExpansion(collection.lists);
    this.#macros = new MacroExpansion(collection.macros, this.#lists);
    this.#compiler = new ConditionCompiler(null, (problem) => problems.warning(problem));
  }

  load(): readonly Rule[] {
    // Macros that no rule names may be wrong as well.
    for (const macro of this.#collection.macros.values()) {
      this.#problems.guard(() => this.#compiler.compile(this.#macros.resolve(macro)));
    }
    const rules = [...this.#collection.rules.values()].toSorted((a, b) => a.index - b.index);
    const loaded = rules.flatMap((rule) => this.#loadRule(rule) ?? []);
    this.#warnOfUnused();
    return loaded;
  }

  #loadRule(definition: RuleDefinition): Rule | null {
    const { source } = definition;
    if (source !== null && source.text !== 'syscall') {
      const message = `rule '${definition.name}' is left out: there is no source '${source.text}' here`;
      this.#problems.warning(problemAt('source', message, source.place(0), source.text));
      return null;
    }
    try {
      return this.#compileRule(definition);
    } catch (error) {
      if (!(error instanceof RuleError)) throw error;
      const { problem } = error;
      if (!definition.skipsUnknownFilter || problem.code !== 'unknown-field') {
        this.#problems.error(problem);
        return null;
      }
      const message = `rule '${definition.name}' is left out, as it asks: ${problem.message}`;
      this.#problems.warning({ ...problem, message });
      return null;
    }
  }

  #compileRule(definition: RuleDefinition): Rule {
    const condition = this.#expand(definition);
    if (condition.size > MAX_SIZE || condition.depth > MAX_DEPTH) {
      const message = `the condition of rule '${definition.name}' is too large once its macros are expanded`;
      throw new RuleError(problemAt('too-large', message, definition.place, definition.name));
    }
    const warn = (problem: RuleProblem) => this.#problems.warning(problem);
    const compiled = this.#compiler.compile(condition);
    const sequence = compilePlan(definition.several, condition, {
      name: definition.name,
      place: definition.place,
      expand: (text) => this.#expand({ ...definition, condition: text }),
      warn,
    });
    undoneNegations(condition, `rule '${definition.name}'`).forEach(warn);
    const output = parseOutput(definition.output, warn, stepNamesOf(definition.several));
    const types = eventTypesOf(condition);
    if ((compiled.kind === 'constant' && !compiled.value) || this.#lacksStep(sequence))
      warn(this.#about(definition, 'never-fires', 'can never fire: what it asks for has no value yet'));
    else {
      this.#warnOfTypes(definition, types, warn);
      this.#warnOfSteps(definition, sequence, warn);
    }
    const { name, description, priority, tags, isEnabled, responses, capture, captureDurationMs, place } =
      definition;
    return {
      name,
      description,
      priority,
      tags,
      condition,
      sequence,
      output,
      types,
      isEnabled,
      responses,
      capture,
      captureDurationMs,
      place,
    };
  }

  #expand(definition: RuleDefinition): Expression {
    const text = this.#lists.expand(conditionWithExceptions(definition));
    // Rules see all macros; a macro sees those that were defined before it.
    return this.#macros.expand(parseCondition(text), Infinity);
  }

  /** A step that is never done, or one that no event can be joined by. */
  #lacksStep(sequence: SequencePlan | null): boolean {
    return (sequence?.steps ?? []).some(({ condition, by, count }) => {
      const compiled = this.#compiler.compile(condition);
      const isNever = compiled.kind === 'constant' && !compiled.value;
      return isNever || [...by, ...(count?.distinct ? [count.distinct] : [])].some((one) => one.isUnanswered);
    });
  }

  #warnOfTypes(
    definition: RuleDefinition,
    types: ReadonlySet<number>,
    warn: (problem: RuleProblem) => void,
  ): void {
    if (types.size === 0) {
      warn(this.#about(definition, 'event-types', 'can never fire: no event type is left'));
    } else if (types.size > MANY_TYPES && definition.warnsOfEventTypes) {
      warn(
        this.#about(definition, 'event-types', `runs on ${types.size} event types: name those it is about`),
      );
    } else if (![...types].some((type) => answeredBy(type) !== null)) {
      const names = [...types].map((type) => EVENT_TYPES[type] ?? '');
      const others = new Set([...types].flatMap((type) => toldAs(type) ?? []));
      const advice = others.size > 0 ? `: ask for ${[...others].join(', ')}, as which they are told` : '';
      const message = `can never fire: events of type ${names.slice(0, 5).join(', ')} are not told yet${advice}`;
      const problem = this.#about(definition, 'unanswered-event', message);
      warn({ ...problem, suggestion: [...others][0] ?? null });
    }
  }

  #warnOfSteps(
    definition: RuleDefinition,
    sequence: SequencePlan | null,
    warn: (problem: RuleProblem) => void,
  ): void {
    definition.several.steps?.forEach(({ place }, index) => {
      const condition = sequence?.steps[index]?.condition;
      if (condition === undefined) return;
      if ([...eventTypesOf(condition)].some((type) => answeredBy(type) !== null)) return;
      const message = `rule '${definition.name}' can never fire: events of step ${index + 1} are not told yet`;
      warn(problemAt('unanswered-event', message, place, definition.name));
    });
  }

  #warnOfUnused(): void {
    for (const macro of this.#collection.macros.values()) {
      if (this.#macros.used.has(macro.name)) continue;
      const message = `macro '${macro.name}' is not used`;
      this.#problems.warning(problemAt('unused', message, macro.place, macro.name));
    }
    for (const list of this.#collection.lists.values()) {
      if (this.#lists.used.has(list.name)) continue;
      const message = `list '${list.name}' is not used`;
      this.#problems.warning(problemAt('unused', message, list.place, list.name));
    }
  }

  #about(definition: RuleDefinition, code: RuleProblem['code'], what: string): RuleProblem {
    return problemAt(code, `rule '${definition.name}' ${what}`, definition.place, definition.name);
  }
}
