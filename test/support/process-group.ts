import { spawn, type ChildProcess } from 'node:child_process';
import { get, type IncomingMessage } from 'node:http';
import { get as getSecured } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';

const STOP_TIMEOUT_MS = 5000;

export interface GroupOptions {
  readonly program: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** uid and gid to run as; default: our own. */
  readonly id?: number;
  /** Name that the program sees as its own; default: its path. */
  readonly name?: string;
}

/** A started program with a process group of its own, so that ending it reaches workers that it leaves behind. */
export class ProcessGroup implements AsyncDisposable {
  readonly #child: ChildProcess;
  #errors = '';

  constructor({ program, args, env, cwd, id, name }: GroupOptions) {
    this.#child = spawn(program, args, {
      env,
      cwd,
      detached: true,
      stdio: ['ignore', 'ignore', 'pipe'],
      ...(name === undefined ? {} : { argv0: name }),
      ...(id === undefined ? {} : { uid: id, gid: id }),
    });
    this.#child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
      this.#errors = (this.#errors + chunk).slice(-4000);
    });
    this.#child.on('error', (error) => {
      this.#errors += error.message;
    });
  }

  /** 0 when it could not be started. */
  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** The last few thousand characters of what it wrote to stderr. */
  get errors(): string {
    return this.#errors;
  }

  get hasEnded(): boolean {
    return this.pid === 0 || this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /**
   * Resolves when `isReady` says so. Rejects with what it wrote to stderr when it ends before, or after the time.
   *
   * @param name what it is called in the error
   */
  async untilReady(name: string, isReady: () => Promise<boolean>, timeoutMs: number): Promise<void> {
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      if (await isReady()) return;
      if (this.hasEnded) throw new Error(`${name} ended: ${this.#errors}`);
      if (Date.now() > deadline) throw new Error(`${name} does not answer: ${this.#errors}`);
      await sleep(20);
    }
  }

  /** SIGTERM, then SIGKILL to what is left of the group. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.pid === 0) return;
    const ended = this.hasEnded
      ? Promise.resolve()
      : new Promise<void>((done) => this.#child.once('exit', () => done()));
    this.#signal('SIGTERM');
    const isStopped = await Promise.race([
      ended.then(() => true),
      sleep(STOP_TIMEOUT_MS, false, { ref: false }),
    ]);
    this.#signal('SIGKILL');
    if (!isStopped) await ended;
    // Workers that outlived their parent end by themselves now. Bounded: where nobody reaps them, they stay zombies.
    for (let waits = 0; waits < 50 && this.#signal(0); waits += 1) await sleep(20);
  }

  /** Returns whether the group has a process. Signal 0 only asks. */
  #signal(signal: NodeJS.Signals | 0): boolean {
    try {
      process.kill(-this.pid, signal);
      return true;
    } catch {
      return false;
    }
  }
}

/** Whether a GET of this address is answered with 200, whoever signed its certificate. */
export function answers(url: string): Promise<boolean> {
  return new Promise((done) => {
    const options = { agent: false, timeout: 1000 } as const;
    const answered = (response: IncomingMessage): void =>
      void response.resume().on('end', () => done(response.statusCode === 200));
    const request = url.startsWith('https:')
      ? getSecured(url, { ...options, rejectUnauthorized: false }, answered)
      : get(url, options, answered);
    request.on('timeout', () => request.destroy());
    request.on('error', () => done(false));
  });
}
