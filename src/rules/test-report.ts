import type { RuleProblem } from './problem.ts';

/** What came out of the tests of rules. The texts come from files: not safe to print, but for `trace`. */
export interface RuleTestReport {
  readonly rules: readonly TestedRule[];
  readonly ordinary: readonly TestedWork[];
  /** Mistakes in the rules or the tests themselves. */
  readonly errors: readonly RuleProblem[];
}

export interface TestedRule {
  readonly rule: string;
  readonly file: string;
  readonly line: number;
  /** How many cases there are. */
  readonly fires: number;
  readonly quiet: number;
  /** Of those that must fire: how many have no event that is told today. */
  readonly untold: number;
  /**
   * - untested: no case says when it fires, or none when it does not
   * - waits: nothing failed, but no event of today can make it fire
   */
  readonly outcome: 'passed' | 'failed' | 'untested' | 'waits';
  /** Types of its events that are not told yet, where some of its cases need one. */
  readonly waitsFor: readonly string[];
  readonly failures: readonly TestFailure[];
}

/** What hosts do every day, of which no rule may make an alert. */
export interface TestedWork {
  readonly name: string;
  readonly steps: number;
  readonly outcome: 'passed' | 'failed';
  readonly failures: readonly TestFailure[];
}

export interface TestFailure {
  /** Where the event stands. */
  readonly file: string;
  readonly line: number;
  readonly expected: 'fires' | 'quiet';
  readonly rule: string;
  /** The event in a few words. */
  readonly event: string;
  /** The parts of the condition, with what they came to. */
  readonly trace: readonly string[];
}
