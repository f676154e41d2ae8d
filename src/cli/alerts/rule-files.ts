import { printableText } from '../../base/printable.ts';
import { ThroughlineError } from '../../base/errors.ts';
import { loadRules } from '../../rules/load/load-rules.ts';
import type { RuleMatching } from '../../rules/rule-set.ts';
import { RuleSource } from '../../rules/text.ts';
import type { CommandContext } from '../command.ts';
import type { RuleFeed, RuleText } from '../contract.ts';
import { problemLine } from '../rules/problem-text.ts';

/** How often the files are looked at. */
const LOOK_MS = 1000;
/** Lines of problems that are shown at once. */
const MAX_LINES = 20;

/**
 * The rule files of a run: read and found right before it begins, and again on SIGHUP and whenever one has changed. Files with
 * errors change nothing: what is wrong is told, and the rules before stay in force.
 */
export class RuleFiles implements RuleFeed {
  readonly matching: RuleMatching;
  readonly #context: CommandContext;
  readonly #paths: readonly string[];
  #files: readonly RuleText[] = [];
  #stamp = '';

  constructor(context: CommandContext, paths: readonly string[], matching: RuleMatching) {
    this.#context = context;
    this.#paths = paths;
    this.matching = matching;
  }

  get files(): readonly RuleText[] {
    return this.#files;
  }

  /** Reads the files. @returns what is wrong with them, one line each, not safe to print; the files before stay then */
  read(): readonly string[] {
    const { ruleGround, readRules } = this.#context;
    try {
      const names = this.#paths.flatMap((path) => ruleGround.list(path));
      this.#stamp = ruleGround.stamp(names);
      const files = names.map((name) => ({ name, text: readRules(name) }));
      const sources = files.map(({ name, text }) => new RuleSource(name, text));
      const errors = loadRules(sources, { isStrict: false }).files.flatMap((file) => file.errors);
      if (errors.length > 0) return errors.map(problemLine);
      this.#files = files;
      return [];
    } catch (error) {
      if (error instanceof ThroughlineError) return [error.message];
      throw error;
    }
  }

  onChange(listener: (files: readonly RuleText[]) => void): () => void {
    const { console, ruleGround } = this.#context;
    const reload = (): void => {
      const problems = this.read();
      if (problems.length === 0) listener(this.#files);
      else console.notice(problemsNotice('the rules before stay in force', problems));
    };
    const timer = setInterval(() => {
      if (this.#currentStamp() !== this.#stamp) reload();
    }, LOOK_MS);
    timer.unref();
    const unsubscribe = ruleGround.onHangup(reload);
    return () => {
      clearInterval(timer);
      unsubscribe();
    };
  }

  #currentStamp(): string {
    const { ruleGround } = this.#context;
    try {
      return ruleGround.stamp(this.#paths.flatMap((path) => ruleGround.list(path)));
    } catch (error) {
      // A folder that is gone is told once, by the attempt to read it.
      return String(error);
    }
  }
}

/** Safe text of some lines. */
export function problemsNotice(what: string, problems: readonly string[]): string {
  const more = problems.length > MAX_LINES ? [`and ${problems.length - MAX_LINES} more`] : [];
  const lines = [`throughline: the rules have errors; ${what}`, ...problems.slice(0, MAX_LINES), ...more];
  return lines.map((line) => `${printableText(line, 1000)}\n`).join('');
}
