import { printableText } from '../../base/printable.ts';
import { ThroughlineError } from '../../base/errors.ts';
import type { RuleMatching } from '../../rules/rule-set.ts';
import type { RuleSelection } from '../../rules/selection.ts';
import type { CommandContext } from '../command.ts';
import type { RuleFeed, RuleText } from '../contract.ts';

/** How often the files are looked at. */
const LOOK_MS = 1000;
/** Lines of problems that are shown at once. */
const MAX_LINES = 20;

/**
 * The rule files of a run: read before it begins, and again on SIGHUP and whenever one has changed. Whether they are right the
 * worker says, which loads them: so this thread never loads what reads them.
 */
export class RuleFiles implements RuleFeed {
  readonly matching: RuleMatching;
  readonly selections: readonly RuleSelection[];
  readonly #context: CommandContext;
  readonly #paths: readonly string[];
  #files: readonly RuleText[] = [];
  #stamp = '';

  constructor(
    context: CommandContext,
    paths: readonly string[],
    { matching, selections }: Pick<RuleFeed, 'matching' | 'selections'>,
  ) {
    this.#context = context;
    this.#paths = paths;
    this.matching = matching;
    this.selections = selections;
  }

  get files(): readonly RuleText[] {
    return this.#files;
  }

  /** Reads the files. @returns why they cannot be read, not safe to print; the files before stay then */
  read(): readonly string[] {
    const { ruleGround, readRules } = this.#context;
    try {
      const names = this.#paths.flatMap((path) => ruleGround.list(path));
      this.#stamp = ruleGround.stamp(names);
      this.#files = names.map((name) => ({ name, text: readRules(name) }));
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
      else console.notice(problemsNotice(problems, false));
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
export function problemsNotice(problems: readonly string[], isAtStart: boolean): string {
  const what = isAtStart ? 'nothing was started' : 'the rules before stay in force';
  const more = problems.length > MAX_LINES ? [`and ${problems.length - MAX_LINES} more`] : [];
  const lines = [`throughline: the rules have errors; ${what}`, ...problems.slice(0, MAX_LINES), ...more];
  return lines.map((line) => `${printableText(line, 1000)}\n`).join('');
}
