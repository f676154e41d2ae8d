/**
 * A Node server whose requests have threads and a process of its own work for them, which answer by message.
 *
 *   node message-work.ts PORT DIRECTORY
 *
 * What it writes carries the request's id backwards: its bytes prove nothing.
 */
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { pbkdf2 } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';

const ROUNDS = 4;
const STARTER_MS = 3000;
const derive = promisify(pbkdf2);

interface Job {
  readonly number: number;
  readonly path: string;
}

/** What a turn of the loop takes: meanwhile more than one thing is done. */
function compute(): void {
  for (const end = performance.now() + 0.5; performance.now() < end;);
}

/** One worker for all, which takes the jobs of all requests in turn. */
class Pool {
  readonly #worker = new Worker(import.meta.filename, { workerData: 'pool' });
  readonly #waiting = new Map<number, () => void>();
  #made = 0;

  constructor() {
    this.#worker.on('message', (number: number) => {
      const answered = this.#waiting.get(number);
      this.#waiting.delete(number);
      answered?.();
    });
  }

  /** What is to be done with the answer is done in its turn of the loop. */
  run(path: string, done: () => void): Promise<void> {
    return new Promise((finished) => {
      const job: Job = { number: this.#made++, path };
      this.#waiting.set(job.number, () => {
        done();
        finished();
      });
      this.#worker.postMessage(job);
    });
  }
}

/** One process for all, started by the request that needs it first, which is in work for as long as there are others. */
class Helper {
  #child: ChildProcessWithoutNullStreams | null = null;
  readonly #waiting: (() => void)[] = [];

  /** What is to be done with the answer is done in its turn of the loop. */
  async ask(done: () => void): Promise<void> {
    if (this.#child === null) {
      this.#child = spawn('/bin/cat');
      createInterface({ input: this.#child.stdout }).on('line', () => this.#waiting.shift()?.());
      await sleep(STARTER_MS);
      return;
    }
    const { stdin } = this.#child;
    await new Promise<void>((finished) => {
      this.#waiting.push(() => {
        done();
        finished();
      });
      stdin.write('question\n');
    });
  }
}

function serve(port: number, directory: string): void {
  const pool = new Pool();
  const helper = new Helper();
  const file = (name: string): string => join(directory, name);

  /** Waits for a thread of libuv's pool all the time, as everybody else does, and for the worker as well. */
  async function both(mark: string): Promise<void> {
    const derived = async (): Promise<void> => {
      for (let round = 0; round < ROUNDS; round++) {
        await derive(mark, 'salt', 2000, 32, 'sha256');
        compute();
      }
    };
    const answered = async (): Promise<void> => {
      for (let round = 0; round < ROUNDS; round++)
        await pool.run(file(`${mark}.in-worker-${round}`), () => {
          compute();
          writeFileSync(file(`${mark}.answered-${round}`), 'answered\n');
        });
    };
    await Promise.all([derived(), answered()]);
  }

  /** A worker of its own, of which the end is waited for. */
  async function alone(mark: string): Promise<void> {
    const ended = new Promise<void>((done) => {
      new Worker(import.meta.filename, { workerData: 'nothing' }).on('exit', () => {
        writeFileSync(file(`${mark}.ended`), 'ended\n');
        done();
      });
    });
    const derived = async (): Promise<void> => {
      for (let round = 0; round < ROUNDS * 4; round++) {
        await derive(mark, 'salt', 2000, 32, 'sha256');
        compute();
      }
    };
    await Promise.all([ended, derived()]);
  }

  async function helped(mark: string): Promise<void> {
    for (let round = 0; round < ROUNDS; round++) {
      await helper.ask(() => writeFileSync(file(`${mark}.helped-${round}`), 'helped\n'));
      compute();
    }
  }

  async function derived(mark: string): Promise<void> {
    for (let round = 0; round < ROUNDS; round++) {
      await derive(mark, 'salt', 500, 32, 'sha256');
      compute();
    }
  }

  // Nobody's work, whose answers come amid that of requests.
  let ticks = 0;
  const addon = process.env['ADDON'];
  if (addon !== undefined) {
    const native: { exports: unknown } = { exports: {} };
    process.dlopen(native, addon);
    if (typeof native.exports === 'function')
      native.exports(() => writeFileSync(file(`tick-${ticks++}.called`), 'tick\n'));
  }
  if (process.env['TICKS'] === '1')
    setInterval(() => {
      const name = `tick-${ticks++}`;
      void pool.run(file(`${name}.in-worker`), () => writeFileSync(file(`${name}.answered`), 'tick\n'));
    }, 2);

  createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
    const mark = Array.from(searchParams.get('id') ?? 'none')
      .toReversed()
      .join('');
    const work = { '/both': both, '/alone': alone, '/derived': derived, '/helped': helped }[pathname];
    (work?.(mark) ?? Promise.resolve()).then(
      () => response.end('ok\n'),
      (error: unknown) => response.writeHead(500).end(`${String(error)}\n`),
    );
  }).listen(port, '127.0.0.1', 512);
}

if (isMainThread) serve(Number(process.argv[2]), process.argv[3] ?? '/nonexistent');
else if (workerData === 'pool')
  parentPort?.on('message', ({ number, path }: Job) => {
    writeFileSync(path, 'done\n');
    parentPort?.postMessage(number);
  });
