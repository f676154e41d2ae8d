import { spawn, type ChildProcess } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { SLOWNESS } from './slowness.ts';

const PROGRAM = join(import.meta.dirname, '..', '..', 'bin', 'throughline');
const ATTACH_TIMEOUT_MS = 30_000 * SLOWNESS;
const MESSAGE_TIMEOUT_MS = 5000 * SLOWNESS;
const STOP_TIMEOUT_MS = 10_000 * SLOWNESS;

/** One line of `--json` output; what else it holds depends on the kind. */
export type JsonMessage = Readonly<Record<string, unknown>> & { readonly kind: string };

export interface StartOptions {
  /** What to start instead of bin/throughline, for tests of this helper. */
  readonly command?: readonly [program: string, ...args: string[]];
  readonly env?: Readonly<Record<string, string>>;
  readonly attachTimeoutMs?: number;
}

export interface EndReport {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stderr: string;
}

/**
 * Starts bin/throughline and resolves when it says that it is attached: a line with "attached" on stderr, or the
 * message `started` on stdout. Rejects with its stderr when it ends, or is not attached in time.
 *
 * @param args such as ['trace', '--json']; without --json no message is collected
 */
export async function startThroughline(
  args: readonly string[],
  options: StartOptions = {},
): Promise<Throughline> {
  const throughline = new Throughline(args, options);
  try {
    await throughline.untilAttached(options.attachTimeoutMs ?? ATTACH_TIMEOUT_MS);
    return throughline;
  } catch (error) {
    await throughline.kill();
    throw error;
  }
}

interface Waiter {
  readonly matches: (message: JsonMessage) => boolean;
  readonly found: (message: JsonMessage) => void;
}

/** A running bin/throughline and what it has printed so far. */
export class Throughline implements AsyncDisposable {
  /** All JSON lines of stdout, in order. */
  readonly messages: JsonMessage[] = [];
  /** Lines of stdout that are not JSON objects with a kind: none, with --json. */
  readonly otherLines: string[] = [];
  readonly #child: ChildProcess;
  readonly #ended: Promise<EndReport>;
  readonly #attached = Promise.withResolvers<void>();
  readonly #waiters = new Set<Waiter>();
  #stderr = '';

  constructor(args: readonly string[], { command = [PROGRAM], env = {} }: StartOptions = {}) {
    const [program, ...before] = command;
    this.#child = spawn(program, [...before, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
    });
    const { stdout, stderr } = this.#child;
    if (!stdout || !stderr) throw new Error('a child with pipes has no pipes');
    createInterface({ input: stdout, crlfDelay: Infinity }).on('line', (line) => this.#receive(line));
    stderr.setEncoding('utf8').on('data', (chunk: string) => {
      this.#stderr += chunk;
      if (/\battached\b/i.test(this.#stderr)) this.#attached.resolve();
    });
    this.#ended = new Promise((done) => {
      // Not 'exit': output may arrive after it.
      this.#child.once('close', (code, signal) => done({ code, signal, stderr: this.#stderr }));
      this.#child.once('error', (error) => done({ code: null, signal: null, stderr: error.message }));
    });
  }

  get hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** All that it wrote to stderr so far. */
  get stderr(): string {
    return this.#stderr;
  }

  ofKind(kind: string): JsonMessage[] {
    return this.messages.filter((message) => message.kind === kind);
  }

  async untilAttached(timeoutMs: number): Promise<void> {
    const endedEarly = this.#ended.then(({ code, signal, stderr }) => {
      throw new Error(`throughline ended with ${signal ?? code} before it was attached:\n${stderr}`);
    });
    await withinTime(Promise.race([this.#attached.promise, endedEarly]), timeoutMs, () => {
      return `throughline is not attached after ${timeoutMs} ms:\n${this.#stderr}`;
    });
  }

  /** The first message, already printed or still to come, that matches. Rejects when it ends before. */
  async waitFor(
    matches: (message: JsonMessage) => boolean,
    timeoutMs = MESSAGE_TIMEOUT_MS,
  ): Promise<JsonMessage> {
    const known = this.messages.find(matches);
    if (known) return known;
    const { promise, resolve } = Promise.withResolvers<JsonMessage>();
    const waiter: Waiter = { matches, found: resolve };
    this.#waiters.add(waiter);
    try {
      const ended = this.#ended.then(({ code, signal }): never => {
        throw new Error(`throughline ended with ${signal ?? code}; ${this.#tail()}`);
      });
      return await withinTime(
        Promise.race([promise, ended]),
        timeoutMs,
        () => `no such message after ${timeoutMs} ms; ${this.#tail()}`,
      );
    } finally {
      this.#waiters.delete(waiter);
    }
  }

  /** Resolves when it has ended by itself, as `replay` does. */
  ended(): Promise<EndReport> {
    return this.#ended;
  }

  /** Ends it with SIGTERM, as systemd does, and rejects unless it then exits with code 0. */
  async stop(timeoutMs = STOP_TIMEOUT_MS): Promise<EndReport> {
    this.#child.kill('SIGTERM');
    const report = await withinTime(this.#ended, timeoutMs, () => {
      this.#child.kill('SIGKILL');
      return `throughline still runs ${timeoutMs} ms after SIGTERM:\n${this.#stderr}`;
    });
    if (report.code !== 0) {
      throw new Error(
        `throughline ended with ${report.signal ?? report.code} after SIGTERM:\n${report.stderr}`,
      );
    }
    return report;
  }

  /** Ends it for sure; does nothing when it has ended. The next agent is not to make a finding of it. */
  async kill(): Promise<void> {
    if (this.#child.pid === undefined) return;
    this.#child.kill('SIGKILL');
    await this.#ended;
    rmSync(`/run/throughline/agent-${this.#child.pid}.json`, { force: true });
  }

  /** For `await using`: a test that failed must not leave it attached. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.kill();
  }

  #receive(line: string): void {
    const message = parse(line);
    if (!message) {
      if (line !== '') this.otherLines.push(line);
      return;
    }
    this.messages.push(message);
    if (message.kind === 'started') this.#attached.resolve();
    for (const waiter of this.#waiters) if (waiter.matches(message)) waiter.found(message);
  }

  #tail(): string {
    const last = this.messages.slice(-5).map((message) => JSON.stringify(message).slice(0, 500));
    return `the last of ${this.messages.length} were:\n${last.join('\n')}\nstderr:\n${this.#stderr.slice(-2000)}`;
  }
}

function parse(line: string): JsonMessage | null {
  try {
    const value: unknown = JSON.parse(line);
    const isMessage =
      typeof value === 'object' && value !== null && 'kind' in value && typeof value.kind === 'string';
    return isMessage ? (value as JsonMessage) : null;
  } catch {
    return null;
  }
}

async function withinTime<T>(promise: Promise<T>, timeoutMs: number, complaint: () => string): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(complaint())), timeoutMs);
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
