import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startTicksOf } from '../kernel/runtimes/process-memory.ts';

/** Gone with the next boot, which ends every agent. */
const DIRECTORY = '/run/throughline';
const NAME = /^agent-([1-9][0-9]{0,9})\.json$/;
const MAX_FILES = 256;
const MAX_BYTES = 4096;

/** An agent that ended without saying so. */
export interface DeadAgent {
  readonly pid: number;
  /** ISO-8601, as it said itself; '' where it cannot be read. */
  readonly startedAt: string;
}

/**
 * That this agent runs, for whoever starts the next one: who is killed cannot tell it himself. A file for each agent, taken away
 * when it ends in whatever orderly way.
 */
export class RunState implements Disposable {
  /** null where nothing could be written. */
  readonly #path: string | null;
  /** Agents that left their file behind, and are not there any more. */
  readonly dead: readonly DeadAgent[];

  private constructor(path: string | null, dead: readonly DeadAgent[]) {
    this.#path = path;
    this.dead = dead;
  }

  /** Notes that this process runs; where that cannot be written down, nothing is, and nobody is found dead. */
  static begin(directory = DIRECTORY): RunState {
    const path = join(directory, `agent-${process.pid}.json`);
    try {
      mkdirSync(directory, { recursive: true, mode: 0o700 });
      const dead = takeDead(directory);
      const state = {
        pid: process.pid,
        startTicks: startTicksOf(process.pid),
        startedAt: new Date().toISOString(),
      };
      writeFileSync(path, `${JSON.stringify(state)}\n`, { mode: 0o600 });
      return new RunState(path, dead);
    } catch {
      return new RunState(null, []);
    }
  }

  [Symbol.dispose](): void {
    if (this.#path !== null) rmSync(this.#path, { force: true });
  }
}

/** The dead of a directory, each once: their files are taken away. */
function takeDead(directory: string): DeadAgent[] {
  const dead: DeadAgent[] = [];
  for (const name of readdirSync(directory).slice(0, MAX_FILES)) {
    const pid = Number(NAME.exec(name)?.[1] ?? 0);
    if (pid === 0) continue;
    const path = join(directory, name);
    const { startTicks, startedAt } = readState(path);
    if (startTicks !== null && startTicks === startTicksOf(pid)) continue;
    rmSync(path, { force: true });
    if (pid !== process.pid) dead.push({ pid, startedAt });
  }
  return dead;
}

function readState(path: string): { readonly startTicks: number | null; readonly startedAt: string } {
  try {
    const text = readFileSync(path, 'utf8').slice(0, MAX_BYTES);
    const { startTicks, startedAt } = JSON.parse(text) as Record<string, unknown>;
    return {
      startTicks: typeof startTicks === 'number' ? startTicks : null,
      startedAt: typeof startedAt === 'string' && !Number.isNaN(Date.parse(startedAt)) ? startedAt : '',
    };
  } catch {
    return { startTicks: null, startedAt: '' };
  }
}
