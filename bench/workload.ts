import { execFile } from 'node:child_process';

/** One thing that is measured of a workload. */
export interface Metric {
  readonly key: string;
  readonly title: string;
  readonly unit: string;
  /** Decimal places that mean something. */
  readonly decimals: number;
  /** More is better (a rate), or less is (a latency). */
  readonly better: 'more' | 'less';
}

/** Something to do with and without the agent. Setting it up is the factory's part, so that it is done once. */
export interface Workload extends AsyncDisposable {
  readonly name: string;
  /** For people, with the sizes: "HTTP, 32 connections, 6 s". */
  readonly title: string;
  readonly metrics: readonly Metric[];
  /** Does it once; returns the value of each metric by its key. */
  run(signal: AbortSignal): Promise<Readonly<Record<string, number>>>;
}

/** Runs a program to its end and returns what it printed; its failure is an error with its stderr. */
export function runProgram(program: string, args: readonly string[], signal: AbortSignal): Promise<string> {
  return new Promise((done, failed) => {
    execFile(program, args, { signal, killSignal: 'SIGKILL' }, (error, stdout, stderr) => {
      if (!error) return done(stdout);
      if (signal.aborted) return failed(error);
      failed(new Error(`${program}: ${stderr.trim() || error.message}`, { cause: error }));
    });
  });
}

/** The programs of bench/programs print one number. */
export function parseRate(output: string): number {
  const rate = Number(output.trim());
  if (!(rate > 0)) throw new Error(`not a rate: ${JSON.stringify(output)}`);
  return rate;
}
