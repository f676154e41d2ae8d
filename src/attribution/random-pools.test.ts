/** Servers that hand requests over to threads which answer them: honest ones, and some that lie in every way we know. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { NEEDED_AGREEMENTS, NEEDED_PAUSES } from './answering.ts';
import { tapes, World } from './testing/random-world.ts';
import type { SimulatedConnection, SimulatedThread } from './testing/simulated-kernel.ts';

/** What a pool does beside serving each request from its beginning to its reply. */
interface Habits {
  /** The client goes away, and the work ends without a reply. */
  readonly aborts: boolean;
  /** A request waits for its second stage in the queue, where any worker may take it. */
  readonly hops: boolean;
  /** Jobs that answer nobody. */
  readonly jobs: boolean;
  /** Something is left to do after the reply. */
  readonly leavesOver: boolean;
  /** Some replies are written by the thread that reads, an event loop. */
  readonly handsBack: boolean;
  /** Several requests come at once on one connection. */
  readonly pipelines: boolean;
}

const HONEST: Habits = {
  aborts: false,
  hops: false,
  jobs: false,
  leavesOver: false,
  handsBack: false,
  pipelines: false,
};

interface Job {
  readonly name: string | null;
  readonly connection: SimulatedConnection | null;
  isReplying: boolean;
  steps: number;
  isGone: boolean;
}

interface Worker {
  readonly thread: SimulatedThread;
  job: Job | null;
}

class PoolServer {
  readonly world: World;
  readonly reader: SimulatedThread;
  readonly loop: SimulatedThread;
  readonly workers: readonly Worker[];
  readonly #habits: Habits;
  readonly #queue: Job[] = [];
  readonly #idle: SimulatedConnection[] = [];
  /** Replies that wait for the event loop. */
  readonly #outbox: Job[] = [];

  constructor(world: World, count: number, habits: Habits) {
    this.world = world;
    this.#habits = habits;
    const { kernel } = world;
    this.reader = kernel.process();
    this.loop = kernel.thread(this.reader);
    this.workers = Array.from({ length: count }, () => ({ thread: kernel.thread(this.reader), job: null }));
  }

  /**
   * Honest work by each worker, with pauses. Once tells that requests are handed over at all; more is what a server may
   * have done before it lies for the first time.
   */
  prove(rounds: number): void {
    const { kernel, timeline } = this.world;
    for (let round = 0; round < rounds; round++)
      for (const { thread } of this.workers) {
        kernel.nowNs += 1e6;
        const name = this.world.name();
        const connection = kernel.accept(this.reader);
        kernel.read(this.reader, connection, `> ${name}\n`);
        timeline.open(thread, `/srv/${name}`);
        kernel.write(thread, connection, '<\n/\n');
      }
    kernel.nowNs += 1e6;
  }

  step(): void {
    const { tape, kernel } = this.world;
    if (tape.below(8) === 0) kernel.nowNs += 1e6;
    if (tape.below(4) === 0) this.#read();
    const worker = this.workers[tape.below(this.workers.length)];
    if (worker !== undefined) this.#work(worker);
    if (this.#outbox.length > 0 && tape.below(2) === 0) this.#flush();
  }

  #read(): void {
    const { world } = this;
    const { kernel, tape } = world;
    if (this.#habits.jobs && tape.below(4) === 0) {
      this.#queue.push({
        name: null,
        connection: null,
        isReplying: false,
        steps: tape.below(3),
        isGone: false,
      });
      return;
    }
    const kept = tape.below(2) === 0 ? this.#idle.pop() : undefined;
    const connection = kept ?? kernel.accept(this.reader);
    const names = [world.name()];
    if (this.#habits.pipelines && tape.below(3) === 0) names.push(world.name());
    // Some are read by the worker itself, as Puma does, and put into the queue all the same. A job that runs there while
    // that request is the only one is taken for its work: see "Known limits".
    const [worker] = this.workers;
    const canRead = worker?.job === null && !this.#habits.jobs;
    const reader = canRead && tape.below(4) === 0 ? worker.thread : this.reader;
    kernel.read(reader, connection, names.map((name) => `> ${name}\n`).join(''));
    const jobs = names.map((name) => ({
      name,
      connection,
      isReplying: false,
      steps: tape.below(4),
      isGone: false,
    }));
    this.#queue.push(...jobs);
    if (this.#habits.aborts && tape.below(4) === 0) {
      kernel.close(connection);
      for (const job of jobs) job.isGone = true;
    }
  }

  #work(worker: Worker): void {
    const { tape, kernel } = this.world;
    const { thread } = worker;
    worker.job ??= this.#queue.shift() ?? null;
    const { job } = worker;
    if (job === null) return;
    for (let effects = tape.below(3); effects > 0; effects--) this.world.effect(thread, job.name);
    this.world.runLater();
    if (job.steps-- > 0) {
      if (this.#habits.hops && tape.below(3) === 0) {
        this.#queue.push(job);
        worker.job = null;
      } else if (job.connection !== null && !job.isGone && !job.isReplying && tape.below(6) === 0) {
        job.isReplying = true;
        kernel.write(thread, job.connection, '<\n');
      }
      return;
    }
    worker.job = null;
    if (job.connection === null || job.isGone) return;
    if (this.#habits.handsBack && !job.isReplying && tape.below(2) === 0) {
      this.#outbox.push(job);
      return;
    }
    this.#reply(thread, job, job.connection);
    if (this.#habits.leavesOver && tape.below(3) === 0) this.world.effect(thread, job.name);
  }

  #reply(thread: SimulatedThread, job: Job, connection: SimulatedConnection): void {
    this.world.kernel.write(thread, connection, job.isReplying ? '/\n' : '<\n/\n');
    if (!this.#habits.pipelines && this.world.tape.below(2) === 0) this.#idle.push(connection);
  }

  #flush(): void {
    const job = this.#outbox.shift();
    if (job === undefined || job.connection === null) return;
    this.world.kernel.epollWait(this.loop);
    this.#reply(this.loop, job, job.connection);
  }
}

function play(numbers: readonly number[], count: number, habits: Habits, isProven: boolean): World {
  const world = new World(numbers);
  const server = new PoolServer(world, count, habits);
  server.prove(isProven ? Math.max(NEEDED_AGREEMENTS, NEEDED_PAUSES) + 2 : 1);
  while (!world.tape.isOver) server.step();
  while (world.later.length > 0) world.runLater();
  return world;
}

describe('a random pool that hands requests over', () => {
  for (const habits of [HONEST, { ...HONEST, aborts: true }])
    test(`${namesOf(habits)}, proven: nothing on a wrong request, and most of it right`, () => {
      let right = 0;
      let abstained = 0;
      fc.assert(
        fc.property(tapes, fc.integer({ min: 1, max: 6 }), (numbers, count) => {
          const world = play(numbers, count, habits, true);
          assert.deepEqual(world.mistakes, []);
          assert.equal(world.timeline.attributor.counters.contradictions, 0);
          right += world.right;
          abstained += world.abstained;
        }),
        { numRuns: 150 },
      );
      assert.ok(right > abstained * (habits === HONEST ? 4 : 0.5), `${right} right, ${abstained} abstained`);
    });

  for (const lie of ['hops', 'jobs', 'leavesOver', 'pipelines', 'aborts', 'handsBack'] as const)
    test(`${lie}, from the beginning: nothing on a wrong request`, () => {
      const long = fc.array(fc.nat({ max: 255 }), { minLength: 400, maxLength: 4000, size: 'max' });
      fc.assert(
        fc.property(long, fc.integer({ min: 2, max: 6 }), (numbers, count) => {
          const world = play(numbers, count, { ...HONEST, [lie]: true }, false);
          assert.deepEqual(world.mistakes, []);
        }),
        { numRuns: 60 },
      );
    });
});

function namesOf(habits: Habits): string {
  const names = Object.entries(habits).filter(([, has]) => has === true);
  return names.length === 0 ? 'honest' : names.map(([name]) => name).join(', ');
}
