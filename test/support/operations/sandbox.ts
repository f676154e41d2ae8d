import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, copyFileSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import type { Readable, Writable } from 'node:stream';
import { basename, join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { Suite } from '../../../scripts/debian/suite.ts';
import { compileProgram } from '../compile.ts';
import { SLOWNESS } from '../slowness.ts';

const PROGRAMS = join(import.meta.dirname, '..', '..', 'operations', 'programs');
/** Where packages are from that ordinary work installs. */
const SUITE = 'bookworm';
const LINE_TIMEOUT_MS = 120_000 * SLOWNESS;
const UNSHARED = ['--mount', '--uts', '--ipc', '--net', '--pid', '--fork', '--kill-child'];

/** How a script ended, and what it printed if that was not well. */
export interface ScriptEnd {
  readonly status: number;
  readonly output: string;
}

/**
 * A root of its own above the host's, of which nothing is written to, with processes, network and devices of its own, where
 * scripts may do what nobody should: see test/operations/programs/sandbox.sh. It is no child of ours, so that nobody
 * who runs the tests is an ancestor of what happens in it.
 */
export class Sandbox implements AsyncDisposable {
  readonly #output: Readable;
  readonly #input: Writable;
  readonly #reader: Interface;
  readonly #lines: AsyncIterator<string>;
  readonly #directory: string;
  #errors = '';

  private constructor(child: ChildProcess, directory: string) {
    const [, stdout, stderr, input] = child.stdio;
    if (!stdout || !stderr || !input) throw new Error('a child with pipes has no pipes');
    this.#output = stdout;
    this.#input = input as Writable;
    this.#directory = directory;
    this.#reader = createInterface({ input: this.#output });
    this.#lines = this.#reader[Symbol.asyncIterator]();
    stderr.setEncoding('utf8').on('data', (chunk: string) => {
      this.#errors = (this.#errors + chunk).slice(-4000);
    });
  }

  /**
   * @param scripts text of each by its name: files of /ops/scripts
   * @param packages names of Debian packages, whose archives are fetched: files of /ops/packages
   * @throws Error when it does not start, with what it says
   */
  static async start(
    scripts: ReadonlyMap<string, string>,
    packages: readonly string[] = [],
  ): Promise<Sandbox> {
    const directory = mkdtempSync(join(tmpdir(), 'throughline-sandbox-'));
    const files = join(directory, 'files');
    const place = join(directory, 'place');
    cpSync(PROGRAMS, files, { recursive: true });
    mkdirSync(join(files, 'scripts'));
    mkdirSync(place);
    for (const [name, text] of scripts) writeFileSync(join(files, 'scripts', name), text);
    if (packages.length > 0) copyPackages(packages, join(files, 'packages'));
    for (const name of ['act', 'udf'])
      compileProgram(name, files, name === 'udf' ? ['-shared', '-fPIC'] : [], PROGRAMS);
    chmodSync(directory, 0o755);
    const program = join(files, 'sandbox.sh');
    const args = [...UNSHARED, '/bin/sh', program, place, files, randomBytes(32).toString('hex')];
    // 'setsid --fork' leaves at once what it starts, which is then a child of the first process of the host.
    const child = spawn('/usr/bin/setsid', ['--fork', '/usr/bin/unshare', ...args], {
      cwd: '/',
      // Not its standard input: that is closed when 'setsid' ends.
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    });
    const sandbox = new Sandbox(child, directory);
    try {
      const line = await sandbox.#next();
      if (line !== 'ready') throw new Error(`the sandbox says ${line}`);
      return sandbox;
    } catch (error) {
      await sandbox[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Runs one of the scripts to its end. */
  async run(name: string): Promise<ScriptEnd> {
    this.#input.write(`/ops/scripts/${name}\n`);
    let output = '';
    for (;;) {
      const line = await this.#next();
      const end = /^ended (\d+)$/.exec(line);
      if (end !== null) return { status: Number(end[1]), output };
      output += `${line.replace(/^output /, '')}\n`;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Its output ends when the last of its processes has.
    const ended = this.#output.closed ? null : once(this.#output, 'close');
    this.#input.end();
    this.#output.resume();
    await ended;
    this.#reader.close();
    rmSync(this.#directory, { recursive: true, force: true });
  }

  async #next(): Promise<string> {
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(
      () => late.reject(new Error(`the sandbox says nothing:\n${this.#errors}`)),
      LINE_TIMEOUT_MS,
    );
    try {
      const { value, done } = await Promise.race([this.#lines.next(), late.promise]);
      if (done === true) throw new Error(`the sandbox has ended:\n${this.#errors}`);
      return value;
    } finally {
      clearTimeout(timer);
    }
  }
}

function copyPackages(names: readonly string[], folder: string): void {
  mkdirSync(folder);
  const suite = new Suite(SUITE);
  for (const name of names) {
    const path = suite.fetch(name);
    copyFileSync(path, join(folder, basename(path)));
  }
}
