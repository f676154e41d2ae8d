import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { AgentReport } from '../cli/contract.ts';
import { startTicksOf } from '../kernel/runtimes/process-memory.ts';

/** Gone with the next boot, which ends every agent. */
const DIRECTORY = '/run/throughline';
const NAME = /^agent-([1-9][0-9]{0,9})\.json$/;
const MAX_FILES = 256;
const MAX_BYTES = 64 * 1024;

interface State {
  readonly pid: number;
  readonly startTicks: number | null;
  readonly startedAt: string;
}

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
  readonly #state: State;
  /** Agents that left their file behind, and are not there any more. */
  readonly dead: readonly DeadAgent[];

  private constructor(path: string | null, state: State, dead: readonly DeadAgent[]) {
    this.#path = path;
    this.#state = state;
    this.dead = dead;
  }

  /** Notes that this process runs; where that cannot be written down, nothing is, and nobody is found dead. */
  static begin(directory = DIRECTORY): RunState {
    const path = join(directory, `agent-${process.pid}.json`);
    const state = {
      pid: process.pid,
      startTicks: startTicksOf(process.pid),
      startedAt: new Date().toISOString(),
    };
    try {
      mkdirSync(directory, { recursive: true, mode: 0o700 });
      const dead = takeDead(directory);
      writeFileSync(path, `${JSON.stringify(state)}\n`, { mode: 0o600 });
      return new RunState(path, state, dead);
    } catch {
      return new RunState(null, state, []);
    }
  }

  /**
   * Says how this agent does, for `throughline status`.
   * @returns whether its file was gone: whoever takes it away wants nobody to hear of what comes then
   */
  update(report: AgentReport): boolean {
    if (this.#path === null) return false;
    const wasGone = !existsSync(this.#path);
    try {
      mkdirSync(dirname(this.#path), { recursive: true, mode: 0o700 });
      // Whoever reads meanwhile reads the one before.
      writeFileSync(`${this.#path}.new`, `${JSON.stringify({ ...this.#state, report })}\n`, { mode: 0o600 });
      renameSync(`${this.#path}.new`, this.#path);
    } catch {
      // A full disk: what stands there gets old, which shows.
    }
    return wasGone;
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

/** Agents that run, and what each said of itself last; null: nothing yet. */
export function runningAgents(
  directory = DIRECTORY,
): { readonly pid: number; readonly startedAt: string; readonly report: AgentReport | null }[] {
  let names: string[];
  try {
    names = readdirSync(directory);
  } catch {
    return [];
  }
  return names.slice(0, MAX_FILES).flatMap((name) => {
    const pid = Number(NAME.exec(name)?.[1] ?? 0);
    if (pid === 0) return [];
    const { startTicks, startedAt, report } = readState(join(directory, name));
    return startTicks !== null && startTicks === startTicksOf(pid) ? [{ pid, startedAt, report }] : [];
  });
}

/** Only root can write there, and an agent has: what it says is believed. */
function readState(path: string): Omit<State, 'pid'> & { readonly report: AgentReport | null } {
  try {
    const text = readFileSync(path, 'utf8').slice(0, MAX_BYTES);
    const { startTicks, startedAt, report } = JSON.parse(text) as Record<string, unknown>;
    return {
      startTicks: typeof startTicks === 'number' ? startTicks : null,
      startedAt: typeof startedAt === 'string' && !Number.isNaN(Date.parse(startedAt)) ? startedAt : '',
      report: typeof report === 'object' ? ((report ?? null) as AgentReport | null) : null,
    };
  } catch {
    return { startTicks: null, startedAt: '', report: null };
  }
}
