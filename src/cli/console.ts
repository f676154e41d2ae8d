import { jsonLine } from '../output/json.ts';
import { createTerminal, type Terminal } from '../output/text/terminal.ts';
import type { CliEnvironment } from './environment.ts';

/**
 * Where a command writes: results to stdout, notices for people to stderr, and one progress line on a terminal that
 * makes way for both. When the reader of stdout is gone (`| head`), results are dropped and `closed` aborts.
 */
export class CliConsole {
  readonly #environment: CliEnvironment;
  readonly #closing = new AbortController();
  #progress = '';
  readonly version: string;
  readonly stdoutTerminal: Terminal;
  readonly stderrTerminal: Terminal;

  constructor(environment: CliEnvironment) {
    this.#environment = environment;
    this.version = environment.version;
    this.stdoutTerminal = terminalFor(environment, environment.isTty.stdout);
    this.stderrTerminal = terminalFor(environment, environment.isTty.stderr);
    const { signal } = environment;
    signal.addEventListener('abort', () => {
      if (isBrokenPipe(signal.reason)) this.#closing.abort();
    });
  }

  /** Nobody reads the results any more. */
  get closed(): AbortSignal {
    return this.#closing.signal;
  }

  /** Writes a result, ready-made text with its line feed. */
  result(text: string): void {
    if (this.#closing.signal.aborted) return;
    this.#clearProgress();
    try {
      this.#environment.stdout(text);
    } catch (error) {
      if (!isBrokenPipe(error)) throw error;
      this.#closing.abort();
    }
  }

  json(value: object): void {
    this.result(jsonLine(value));
  }

  /** Writes a notice, safe text with its line feed. */
  notice(text: string): void {
    this.#clearProgress();
    this.#toStderr(text);
  }

  /** Replaces the progress line by safe text without a line feed. Nothing where stderr is no terminal. */
  progress(text: string): void {
    if (!this.#environment.isTty.stderr || this.#environment.variables['TERM'] === 'dumb') return;
    this.#clearProgress();
    this.#progress = text;
    this.#toStderr(text);
  }

  #clearProgress(): void {
    if (this.#progress === '') return;
    this.#progress = '';
    this.#toStderr('\r\x1b[K');
  }

  #toStderr(text: string): void {
    try {
      this.#environment.stderr(text);
    } catch (error) {
      if (!isBrokenPipe(error)) throw error;
    }
  }
}

function terminalFor(environment: CliEnvironment, isTty: boolean): Terminal {
  const { variables, timeZone } = environment;
  return createTerminal({
    isTty,
    columns: isTty ? () => environment.columns : null,
    variables,
    ...(timeZone ? { timeZone } : {}),
  });
}

function isBrokenPipe(error: unknown): boolean {
  return (
    error instanceof Error &&
    'code' in error &&
    (error.code === 'EPIPE' || error.code === 'ERR_STREAM_DESTROYED')
  );
}
