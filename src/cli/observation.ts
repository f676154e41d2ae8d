import { jsonLine } from '../output/json.ts';
import { problemsNotice } from './alerts/rule-files.ts';
import type { CommandContext } from './command.ts';
import type {
  EngineMessage,
  EngineOptions,
  ProgressMessage,
  RuleProblemsMessage,
  RulesMessage,
  StartedMessage,
} from './contract.ts';
import { lossNotice, progressNotice, rulesNotice, startedNotice, summaryNotice } from './notices.ts';

/** Exit code for rules that have errors. */
const EXIT_RULES = 1;

/** Messages that are results; the others become notices. */
export type ResultMessage = Exclude<
  EngineMessage,
  StartedMessage | ProgressMessage | RulesMessage | RuleProblemsMessage
>;

export interface Observation extends Omit<EngineOptions, 'signal'> {
  readonly isJson: boolean;
  /** Ends so long after it has started; null: when the user ends it. */
  readonly durationMs: number | null;
  /** Lines after the started notice: what to expect, where to look. */
  readonly next: readonly string[];
  /** Show how far it is, where results are rare. */
  readonly showsProgress?: boolean;
  /** What the run so far comes to, in place of its progress; called about once a second. */
  readonly onTick?: () => string | null;
  /** The run is over: shows what was held back, and gives lines for the summary (text that ends with a line feed). */
  readonly onEnd?: () => string;
}

/**
 * Runs the engine until its source ends, the user stops it, the time is over, `show` asks for the end, or nobody reads
 * the results any more. Notices and the summary go to stderr. All of these are a clean end: resolves to exit code 0; to 1
 * where the rules have errors, which were told.
 *
 * @param show prints one message; `stop` ends the run, nothing is shown after that
 */
export async function observe(
  context: CommandContext,
  observation: Observation,
  show: (message: ResultMessage, stop: () => void) => void,
): Promise<number> {
  const { console, engine } = context;
  const { isJson, durationMs, next, showsProgress, onTick, onEnd, ...engineOptions } = observation;
  const ending = new AbortController();
  const stop = () => ending.abort();
  const signal = AbortSignal.any([context.signal, console.closed, ending.signal]);
  let timer: NodeJS.Timeout | undefined;
  let isStarted = false;
  let isRefused = false;

  const onMessage = (message: EngineMessage): void => {
    switch (message.kind) {
      case 'started':
        isStarted = true;
        if (durationMs !== null) timer = setTimeout(stop, durationMs);
        console.notice(startedNotice(message, next, console.stderrTerminal));
        break;
      case 'progress':
        if (onTick !== undefined) {
          const text = onTick();
          if (text !== null) console.progress(text);
        } else if (showsProgress === true) console.progress(progressNotice(message));
        break;
      case 'rules':
        console.notice(rulesNotice(message, console.stderrTerminal));
        break;
      case 'rule-problems':
        isRefused = message.isAtStart;
        console.notice(problemsNotice(message.problems, message.isAtStart));
        break;
      case 'loss':
        console.notice(lossNotice(message, console.stderrTerminal));
        if (isJson) console.json(message);
        break;
      default:
        if (!ending.signal.aborted && !console.closed.aborted) show(message, stop);
    }
  };

  try {
    const summary = await engine.run({ ...engineOptions, signal }, onMessage);
    if (isStarted && !console.closed.aborted) {
      const lines = onEnd?.() ?? '';
      if (lines !== '') console.notice(lines);
      console.notice(summaryNotice(summary, observation.recordTo, console.stderrTerminal));
      // Beside the results, as errors are: whoever asks for three results gets three lines.
      if (isJson) console.notice(jsonLine({ kind: 'summary', ...summary }));
    }
    return 0;
  } catch (error) {
    // It was told already, with all that is wrong.
    if (isRefused) return EXIT_RULES;
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

/** Counts what was shown and stops at the limit (null: none). */
export function limiter(limit: number | null): (stop: () => void) => void {
  let shown = 0;
  return (stop) => {
    shown++;
    if (limit !== null && shown >= limit) stop();
  };
}
