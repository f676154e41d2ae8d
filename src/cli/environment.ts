import type { Engine } from './contract.ts';
import { readRuleText } from './rules/regular-file.ts';
import { listRuleFiles, stampOf, type RuleGround } from './rules/rule-ground.ts';

/** Everything that the command line takes from the outside, so that tests can run it on made-up ground. */
export interface CliEnvironment {
  readonly engine: Engine;
  readonly version: string;
  /** Writes text as it is. May throw an error with code EPIPE: nobody reads any more. */
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
  readonly isTty: { readonly stdout: boolean; readonly stderr: boolean };
  /** Width of the terminal behind stdout; null where it is none. */
  readonly columns: number | null;
  readonly variables: Readonly<Record<string, string | undefined>>;
  /** Aborts when the user wants a clean end (Ctrl-C, SIGTERM), or, with the error as reason, when stdout broke. */
  readonly signal: AbortSignal;
  readonly timeZone?: 'local' | 'UTC';
  /** The text of a rule file. Throws TL4001. */
  readonly readRules: (path: string) => string;
  readonly ruleGround: RuleGround;
}

/**
 * The environment of a real process. SIGINT, SIGTERM and SIGHUP end cleanly; the second one ends at once with 128 plus
 * its number (130 for Ctrl-C). SIGHUP ends nothing where somebody listens to it and the process has no terminal: then it
 * does not say that the terminal is gone.
 * @param defaultRules the folder of rules that come with the program; null: there is none
 */
export function processEnvironment(
  process: NodeJS.Process,
  engine: Engine,
  version: string,
  defaultRules: string | null,
): CliEnvironment {
  const ending = new AbortController();
  const hangups = new Set<() => void>();
  const hasTerminal = [process.stdin, process.stdout, process.stderr].some(({ isTTY }) => isTTY === true);
  endOnSignals(process, ending, hasTerminal ? new Set() : hangups);
  return {
    engine,
    version,
    stdout: safeWriter(process.stdout, (error) => ending.abort(error)),
    // Notices that nobody reads are no reason to end.
    stderr: safeWriter(process.stderr, () => {}),
    isTty: { stdout: process.stdout.isTTY === true, stderr: process.stderr.isTTY === true },
    // Asked again and again: a window changes its width.
    get columns() {
      return process.stdout.isTTY === true ? process.stdout.columns : null;
    },
    variables: process.env,
    signal: ending.signal,
    readRules: readRuleText,
    ruleGround: {
      defaultFolder: defaultRules,
      list: listRuleFiles,
      stamp: stampOf,
      onHangup(listener) {
        hangups.add(listener);
        return () => hangups.delete(listener);
      },
    },
  };
}

const ENDING_SIGNALS = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const;

function endOnSignals(
  process: NodeJS.Process,
  ending: AbortController,
  hangups: ReadonlySet<() => void>,
): void {
  let isEnding = false;
  for (const [name, number] of Object.entries(ENDING_SIGNALS)) {
    process.on(name as keyof typeof ENDING_SIGNALS, () => {
      if (name === 'SIGHUP' && hangups.size > 0 && !isEnding) {
        for (const listener of hangups) listener();
        return;
      }
      if (isEnding) process.exit(128 + number);
      isEnding = true;
      ending.abort();
    });
  }
}

/** A broken pipe arrives as an event after the write; later writes throw it. */
function safeWriter(stream: NodeJS.WriteStream, onBroken: (error: Error) => void): (text: string) => void {
  let broken: Error | null = null;
  stream.on('error', (error: Error) => {
    broken = error;
    onBroken(error);
  });
  return (text) => {
    if (broken !== null) throw broken;
    stream.write(text);
  };
}
