import { spawn, type SpawnOptions } from 'node:child_process';
import type { EventView } from '../../src/output/views.ts';
import { startThroughline, type Throughline } from './throughline.ts';

type TypeOfEvent = EventView['type'];
type EventOf<Type extends TypeOfEvent> = Extract<EventView, { type: Type }>;

export interface Ended {
  readonly pid: number;
  readonly stdout: string;
}

/** A running `events --json`, asked for what single processes did. */
export class EventLog implements AsyncDisposable {
  readonly agent: Throughline;

  private constructor(agent: Throughline) {
    this.agent = agent;
  }

  /** @param types of events and names of actions; a busy host may have more of all than can be told */
  static async start(types: readonly string[] = []): Promise<EventLog> {
    const filter = types.length === 0 ? [] : ['--type', types.join(',')];
    return new EventLog(await startThroughline(['events', '--json', ...filter]));
  }

  /** Runs a program to its end and waits until all that it did has been told. Rejects when it fails. */
  async run(program: string, args: readonly string[], options: SpawnOptions = {}): Promise<Ended> {
    const ended = await runToEnd(program, args, options);
    await this.untilExit(ended.pid);
    return ended;
  }

  /** Events come in order of time: with its exit, everything of a process has been told. */
  async untilExit(pid: number): Promise<EventOf<'exit'>> {
    const message = await this.agent.waitFor(
      (one) => one.kind === 'event' && one['type'] === 'exit' && one['pid'] === pid,
    );
    return message as unknown as EventOf<'exit'>;
  }

  /** What a process did so far, in order. */
  of(pid: number): EventView[] {
    return (this.agent.messages as unknown as EventView[]).filter(
      (event) => event.kind === 'event' && event.pid === pid,
    );
  }

  ofType<Type extends TypeOfEvent>(pid: number, type: Type): EventOf<Type>[] {
    return this.of(pid).filter((event): event is EventOf<Type> => event.type === type);
  }

  /** The newest program that the process started. */
  execOf(pid: number): EventOf<'exec'> {
    const event = this.ofType(pid, 'exec').at(-1);
    if (event === undefined) throw new Error(`no exec of process ${pid} was told`);
    return event;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.agent.stop();
  }
}

export function runToEnd(
  program: string,
  args: readonly string[],
  options: SpawnOptions = {},
): Promise<Ended> {
  return new Promise((done, failed) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
    let stdout = '';
    let stderr = '';
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => (stdout += chunk));
    child.stderr?.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk));
    child.once('error', failed);
    child.once('close', (code, signal) => {
      if (code === 0) done({ pid: child.pid ?? 0, stdout });
      else failed(new Error(`${program} ended with ${signal ?? code}: ${stderr}`));
    });
  });
}
