import { answeredBy, EVENT_TYPES } from '../../rules/event-types.ts';
import { loadRules, type LoadedRules } from '../../rules/load/load-rules.ts';
import { RuleError, type RuleProblem } from '../../rules/problem.ts';
import { problemAt } from '../../rules/problem.ts';
import { RulesInForce } from '../../rules/rules-in-force.ts';
import type { Rule } from '../../rules/rule.ts';
import type { RuleTestReport, TestedRule, TestedWork, TestFailure } from '../../rules/test-report.ts';
import type { RuleSource } from '../../rules/text.ts';
import { traceLines } from '../../rules/trace.ts';
import type { Description } from './description.ts';
import { describe, MadeEvents } from './made-events.ts';
import { readTestFile, type OrdinaryWork, type RuleTest } from './test-file.ts';
import { timelineOf, type TimedStep } from './timeline.ts';

/**
 * Loads rules and runs their tests. Never throws for what stands in the files.
 *
 * @param isWanted the files whose rules are reported; all rules see ordinary work
 */
export function runRuleTests(
  rules: readonly RuleSource[],
  tests: readonly RuleSource[],
  isWanted: (file: string) => boolean = () => true,
): RuleTestReport {
  const loaded = loadRules(rules, { isStrict: false });
  const files = tests.map(readTestFile);
  const run = new TestRun(loaded);
  const cases = Map.groupBy(
    files.flatMap((file) => file.rules),
    ({ rule }) => rule,
  );
  const reports = loaded.rules
    .filter(({ place }) => isWanted(place.source.name))
    .map((rule) => run.ofRule(rule, cases.get(rule.name) ?? []));
  const ordinary = files.flatMap((file) => file.ordinary).map((work) => run.ofWork(work));
  const names = new Set(loaded.rules.map(({ name }) => name));
  const lost = files.flatMap((file) => file.rules).filter(({ rule }) => !names.has(rule));
  return {
    rules: reports,
    ordinary,
    errors: [
      ...loaded.files.flatMap(({ errors }) => errors),
      ...files.flatMap(({ errors }) => errors),
      ...lost.map(({ rule, place }) => problemAt('item', `there is no rule '${rule}' to test`, place, rule)),
      ...run.errors,
    ],
  };
}

class TestRun {
  readonly errors: RuleProblem[] = [];
  readonly #events = new MadeEvents();
  readonly #set: RulesInForce;

  constructor({ rules }: LoadedRules) {
    this.#set = new RulesInForce(rules, {
      matching: 'all',
      // A rule that throws is a bug of ours, and no result.
      onBroken: (_, error) => {
        throw error;
      },
    });
  }

  ofRule(rule: Rule, tests: readonly RuleTest[]): TestedRule {
    const fires = tests.flatMap((test) => test.fires);
    const quiet = tests.flatMap((test) => test.quiet);
    const outcomes = fires.map((steps) => this.#mustFire(rule, steps));
    const failures = [
      ...outcomes.flatMap((outcome) => (outcome === null || outcome === 'untold' ? [] : [outcome])),
      ...quiet.flatMap((steps) => this.#mustNotFire(rule, steps)),
    ];
    const waitsFor = [...rule.types].filter((type) => answeredBy(type) === null);
    const untold = outcomes.filter((outcome) => outcome === 'untold').length;
    const isWaiting = untold > 0 && untold === outcomes.length;
    const { source, offset } = rule.place;
    return {
      rule: rule.name,
      file: source.name,
      line: source.position(offset).line,
      fires: fires.length,
      quiet: quiet.length,
      untold,
      outcome:
        failures.length > 0
          ? 'failed'
          : fires.length === 0 || quiet.length === 0
            ? 'untested'
            : isWaiting
              ? 'waits'
              : 'passed',
      waitsFor: untold > 0 ? waitsFor.map((type) => EVENT_TYPES[type] ?? '') : [],
      failures,
    };
  }

  ofWork({ name, steps }: OrdinaryWork): TestedWork {
    const failures = this.#set.rules.flatMap((rule) => this.#mustNotFire(rule, steps));
    return { name, steps: steps.length, outcome: failures.length > 0 ? 'failed' : 'passed', failures };
  }

  /** null: it fired. 'untold': none of the events is told yet. */
  #mustFire(rule: Rule, steps: readonly Description[]): TestFailure | 'untold' | null {
    let failure: TestFailure | 'untold' | null = 'untold';
    for (const step of this.#begin(steps)) {
      const fired = this.#fires(rule, step);
      if (fired === true) return null;
      if (fired === false) failure = this.#failure(rule, step, 'fires');
    }
    return failure;
  }

  #mustNotFire(rule: Rule, steps: readonly Description[]): readonly TestFailure[] {
    return this.#begin(steps).flatMap((step) =>
      this.#fires(rule, step) === true ? [this.#failure(rule, step, 'quiet')] : [],
    );
  }

  /** A case: nothing has happened before it. */
  #begin(steps: readonly Description[]): readonly TimedStep[] {
    this.#set.sequences.forget();
    return this.#guard(() => timelineOf(steps)) ?? [];
  }

  /** null: there is no such event. */
  #fires(rule: Rule, step: TimedStep): boolean | null {
    const event = this.#make(step);
    if (event === null) return null;
    let isFired = false;
    this.#set.evaluate(event, (one) => {
      if (one === rule) isFired = true;
    });
    return isFired;
  }

  #failure(rule: Rule, step: TimedStep, expected: TestFailure['expected']): TestFailure {
    const { source, offset } = step.description.place;
    const event = this.#make(step);
    return {
      file: source.name,
      line: source.position(offset).line,
      expected,
      rule: rule.name,
      event: describe(step.description),
      trace: event === null ? [] : traceLines(rule.condition, event),
    };
  }

  #make({ description, timeNs }: TimedStep) {
    return this.#guard(() => this.#events.make(description, timeNs));
  }

  /** null where it threw a RuleError, which is noted. */
  #guard<Result>(run: () => Result): Result | null {
    try {
      return run();
    } catch (error) {
      if (!(error instanceof RuleError)) throw error;
      if (!this.errors.some(({ file, line }) => file === error.problem.file && line === error.problem.line))
        this.errors.push(error.problem);
      return null;
    }
  }
}
