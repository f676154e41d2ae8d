import { readFileSync } from 'node:fs';
import { ThroughlineError } from '../base/errors.ts';
import type { Engine } from './contract.ts';

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
}

/**
 * The environment of a real process. SIGINT, SIGTERM and SIGHUP end cleanly; the second one ends at once with 128 plus
 * its number (130 for Ctrl-C).
 */
export function processEnvironment(process: NodeJS.Process, engine: Engine, version: string): CliEnvironment {
  const ending = new AbortController();
  endOnSignals(process, ending);
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
    readRules,
  };
}

function readRules(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    throw new ThroughlineError('TL4001', `${path} (${reason})`, { cause: error });
  }
}

const ENDING_SIGNALS = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const;

function endOnSignals(process: NodeJS.Process, ending: AbortController): void {
  let isEnding = false;
  for (const [name, number] of Object.entries(ENDING_SIGNALS)) {
    process.on(name as keyof typeof ENDING_SIGNALS, () => {
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
