import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Attribution } from '../model/effect.ts';
import { Answering, NEEDED_AGREEMENTS, NEEDED_PAUSES } from './answering.ts';
import type { RequestState } from './request-state.ts';
import type { SimulatedConnection, SimulatedThread } from './testing/simulated-kernel.ts';
import { textOf, Timeline } from './testing/timeline.ts';

const ROUNDS = Math.max(NEEDED_AGREEMENTS, NEEDED_PAUSES) + 2;

/** A server in which one thread reads all requests, and others do the work and answer. */
class Pool {
  readonly timeline = new Timeline();
  readonly reader = this.kernel.process();
  readonly workers = [this.kernel.thread(this.reader), this.kernel.thread(this.reader)] as const;

  get kernel() {
    return this.timeline.kernel;
  }

  get counters() {
    return this.timeline.attributor.counters;
  }

  pause(): void {
    this.kernel.nowNs += 1e6;
  }

  request(name: string, connection = this.kernel.accept(this.reader)): SimulatedConnection {
    this.kernel.read(this.reader, connection, `> ${name}\n`);
    return connection;
  }

  /** An effect of which the bytes say nothing. @returns says how it is placed by now */
  act(thread: SimulatedThread, path = '/srv/x'): () => string {
    this.timeline.open(thread, path);
    const placed = this.timeline.effects.at(-1);
    assert.ok(placed);
    return () => textOf(placed.attribution);
  }

  reply(thread: SimulatedThread, connection: SimulatedConnection): void {
    this.kernel.write(thread, connection, '<\n/\n');
  }

  /** Work whose bytes agree with who answers, by both workers, with a pause before each. */
  prove(rounds = ROUNDS): this {
    for (let round = 0; round < rounds; round++)
      for (const [index, worker] of this.workers.entries()) {
        this.pause();
        const name = `proof-${round}-${index}`;
        const connection = this.request(name);
        this.act(worker, `/srv/${name}`);
        this.reply(worker, connection);
      }
    this.pause();
    return this;
  }
}

describe('who answers, served', () => {
  test('without proof what a pool does stays ambiguous', () => {
    const pool = new Pool();
    const [worker] = pool.workers;
    pool.reply(worker, pool.request('warm'));
    const [alpha] = [pool.request('alpha'), pool.request('bravo')];
    const effect = pool.act(worker);
    assert.equal(pool.timeline.provisionalCount, 0);
    pool.reply(worker, alpha);
    assert.equal(effect(), 'ambiguous alpha bravo');
  });

  test('with proof it is provisional until the reply tells', () => {
    const pool = new Pool().prove();
    const [one, two] = pool.workers;
    const alpha = pool.request('alpha');
    const bravo = pool.request('bravo');
    const { ambiguous, linked } = pool.counters;
    const [first, second] = [pool.act(one), pool.act(two)];
    assert.equal(first(), 'ambiguous alpha bravo');
    assert.equal(pool.timeline.provisionalCount, 2);
    pool.reply(two, alpha);
    assert.deepEqual([first(), second()], ['ambiguous alpha bravo', 'linked alpha']);
    pool.reply(one, bravo);
    assert.equal(first(), 'linked bravo');
    assert.equal(pool.timeline.provisionalCount, 0);
    assert.equal(pool.counters.settled, 2);
    assert.deepEqual([pool.counters.ambiguous, pool.counters.linked], [ambiguous, linked + 2]);
  });

  test('proof needs enough agreements, and pauses in which nothing was done', () => {
    const few = new Pool().prove(NEEDED_AGREEMENTS / 2 - 1);
    few.request('alpha');
    few.act(few.workers[0]);
    assert.equal(few.timeline.provisionalCount, 0);

    // Never at rest: the next request is always there before the reply.
    const busy = new Pool();
    const [worker] = busy.workers;
    let next = busy.request('busy-0');
    for (let round = 1; round < 3 * ROUNDS; round++) {
      const [name, current] = [`busy-${round - 1}`, next];
      next = busy.request(`busy-${round}`);
      busy.act(worker, `/srv/${name}`);
      busy.reply(worker, current);
    }
    busy.act(worker);
    assert.equal(busy.timeline.provisionalCount, 0);
    assert.equal(busy.counters.contradictions, 0);
  });

  test('requests on a connection that is kept, and whoever reads its own', () => {
    const pool = new Pool().prove();
    const [one, two] = pool.workers;
    const connection = pool.request('alpha');
    pool.request('other');
    const first = pool.act(one);
    pool.reply(one, connection);
    pool.pause();
    pool.kernel.read(two, connection, '> bravo\n');
    const second = pool.act(two);
    pool.reply(two, connection);
    assert.deepEqual([first(), second()], ['linked alpha', 'linked bravo']);
  });

  test('what is done between the beginning of a reply and its end', () => {
    const pool = new Pool().prove();
    const [worker] = pool.workers;
    const [alpha] = [pool.request('alpha'), pool.request('bravo')];
    pool.kernel.write(worker, alpha, '<\n');
    const effect = pool.act(worker);
    pool.kernel.write(worker, alpha, '/\n');
    assert.equal(effect(), 'linked alpha');
  });

  test('a thread that was never seen to answer may have begun with anything', () => {
    const pool = new Pool().prove();
    const newcomer = pool.kernel.thread(pool.reader);
    const [alpha] = [pool.request('alpha'), pool.request('bravo')];
    const effect = pool.act(newcomer);
    pool.reply(newcomer, alpha);
    assert.equal(effect(), 'ambiguous alpha bravo');
    assert.equal(pool.counters.contradictions, 0);
  });

  test('bytes that contradict end the belief for ever', () => {
    const pool = new Pool().prove();
    const [one, two] = pool.workers;
    const [alpha, bravo] = [pool.request('alpha'), pool.request('bravo')];
    const effect = pool.act(one);
    assert.equal(pool.act(one, '/srv/bravo')(), 'matched bravo');
    pool.reply(one, alpha);
    assert.equal(effect(), 'ambiguous alpha bravo');
    assert.equal(pool.counters.contradictions, 1);
    const later = pool.act(two);
    pool.reply(two, bravo);
    pool.prove();
    pool.act(one);
    assert.equal(later(), 'ambiguous bravo');
    assert.equal(pool.timeline.provisionalCount, 0);
    assert.equal(pool.counters.contradictions, 1);
  });
});

describe('work that is handed on', () => {
  test('one stage on one thread, the next and the reply on another', () => {
    const pool = new Pool().prove();
    const [one, two] = pool.workers;
    const alpha = pool.request('alpha');
    const stage = pool.act(one);
    pool.act(two);
    pool.reply(two, alpha);
    const zulu = pool.request('zulu');
    pool.act(one); // the second stage of zulu
    pool.reply(one, zulu);
    assert.notEqual(stage(), 'linked zulu');
    assert.equal(pool.counters.contradictions, 1);
  });

  test('a background job on the same pool', () => {
    const pool = new Pool().prove();
    const [worker] = pool.workers;
    const job = pool.act(worker);
    assert.equal(job(), 'none');
    const alpha = pool.request('alpha');
    pool.reply(worker, alpha);
    assert.equal(pool.counters.contradictions, 1);
  });

  test('what is left over after a reply', () => {
    const pool = new Pool().prove();
    const [worker] = pool.workers;
    const [alpha] = [pool.request('alpha'), pool.request('bravo')];
    pool.reply(worker, alpha);
    const audit = pool.act(worker);
    pool.reply(worker, pool.request('zulu'));
    assert.equal(audit(), 'ambiguous bravo');
    assert.equal(pool.counters.contradictions, 1);
  });

  test('a client that has gone, whose work ended without a reply', () => {
    const pool = new Pool().prove();
    const [one, two] = pool.workers;
    const [alpha, bravo] = [pool.request('alpha'), pool.request('bravo')];
    const effect = pool.act(one); // alpha's
    pool.kernel.close(alpha);
    const other = pool.act(two);
    pool.reply(one, bravo);
    assert.equal(effect(), 'ambiguous alpha bravo');
    pool.reply(two, pool.request('charlie'));
    assert.equal(other(), 'ambiguous alpha bravo');
    assert.equal(pool.counters.contradictions, 0, 'neither is a contradiction');
  });

  test('bytes of a client that has gone do not contradict either', () => {
    const pool = new Pool().prove();
    const [one] = pool.workers;
    const [alpha, bravo] = [pool.request('alpha'), pool.request('bravo')];
    pool.act(one, '/srv/alpha');
    const effect = pool.act(one);
    pool.kernel.close(alpha);
    pool.reply(one, bravo);
    assert.equal(effect(), 'ambiguous alpha bravo');
    assert.equal(pool.counters.contradictions, 0);
  });

  test('two pipelined requests that are answered in one write', () => {
    const pool = new Pool().prove();
    const [worker] = pool.workers;
    const connection = pool.kernel.accept(pool.reader);
    pool.kernel.read(pool.reader, connection, '> alpha\n> bravo\n');
    const effect = pool.act(worker);
    pool.kernel.write(worker, connection, '<\n/\n<\n/\n');
    assert.equal(effect(), 'ambiguous alpha bravo');
    assert.equal(pool.counters.contradictions, 0);
  });

  test('the reply of a pipelined request that waited for the one before, written by whoever wrote that', () => {
    const pool = new Pool().prove();
    const [one, two] = pool.workers;
    const connection = pool.kernel.accept(pool.reader);
    pool.kernel.read(pool.reader, connection, '> alpha\n> bravo\n');
    const zulu = pool.request('zulu');
    pool.act(one);
    const effect = pool.act(two); // bravo's
    pool.reply(one, connection);
    pool.reply(one, connection);
    pool.reply(two, zulu);
    assert.equal(effect(), 'ambiguous alpha bravo zulu');
  });
});

describe('replies that prove nothing', () => {
  test('an event loop writes them all', () => {
    const pool = new Pool();
    const { kernel, reader } = pool;
    for (let round = 0; round < 2 * ROUNDS; round++) {
      pool.pause();
      const [worker] = pool.workers;
      const connection = kernel.accept(reader);
      kernel.epollWait(reader);
      kernel.read(reader, connection, `> proof-${round}\n`);
      pool.act(worker, `/srv/proof-${round}`);
      kernel.epollWait(reader);
      pool.reply(reader, connection);
    }
    pool.request('alpha');
    pool.act(reader);
    pool.act(pool.workers[0]);
    assert.equal(pool.timeline.provisionalCount, 0);
  });

  test('an event loop writes this one, which the worker had handed back', () => {
    const pool = new Pool().prove();
    const { kernel } = pool;
    const [worker] = pool.workers;
    const loop = kernel.thread(pool.reader);
    kernel.epollWait(loop);
    const [alpha, bravo] = [pool.request('alpha'), pool.request('bravo')];
    const effect = pool.act(worker); // alpha's
    kernel.epollWait(loop);
    pool.reply(loop, alpha);
    pool.reply(worker, bravo);
    assert.equal(effect(), 'ambiguous alpha bravo');
  });

  test('whoever has nothing to do writes the rest of a reply', () => {
    const pool = new Pool().prove();
    const [one, two] = pool.workers;
    const [alpha] = [pool.request('alpha'), pool.request('bravo')];
    const effect = pool.act(one);
    pool.kernel.write(one, alpha, '<\n');
    pool.kernel.write(two, alpha, '/\n');
    assert.equal(effect(), 'linked alpha');
    assert.equal(pool.counters.contradictions, 0);
  });

  test('whoever works for another writes the rest of a reply', () => {
    const pool = new Pool().prove();
    const [one, two] = pool.workers;
    const [alpha, bravo] = [pool.request('alpha'), pool.request('bravo')];
    pool.kernel.write(one, alpha, '<\n');
    const effect = pool.act(two);
    pool.kernel.write(two, alpha, '/\n');
    pool.reply(two, bravo);
    assert.equal(effect(), 'ambiguous alpha bravo');
    assert.equal(pool.counters.contradictions, 1);
  });

  test('one thread writes several replies by turns', () => {
    const pool = new Pool().prove();
    const [worker] = pool.workers;
    const [alpha, bravo] = [pool.request('alpha'), pool.request('bravo')];
    pool.kernel.write(worker, alpha, '<\n');
    pool.kernel.write(worker, bravo, '<\n');
    pool.kernel.write(worker, alpha, '/\n');
    assert.equal(pool.counters.contradictions, 1);
  });

  test('an interim reply is no reply', () => {
    const pool = new Pool().prove();
    const [one, two] = pool.workers;
    const [alpha, bravo] = [pool.request('alpha'), pool.request('bravo')];
    const effect = pool.act(one);
    pool.kernel.write(one, alpha, '100 Continue\n');
    assert.equal(effect(), 'ambiguous alpha bravo');
    pool.reply(two, alpha);
    pool.reply(one, bravo);
    assert.equal(effect(), 'linked bravo');
  });

  test('a reply to something that was not seen', () => {
    const pool = new Pool().prove();
    const [worker] = pool.workers;
    const { kernel } = pool;
    const unseen = kernel.accept(pool.reader);
    const alpha = pool.request('alpha');
    const effect = pool.act(worker); // for what was not seen
    kernel.write(worker, unseen, '<\n/\n');
    const own = pool.act(worker);
    pool.reply(worker, alpha);
    assert.deepEqual([effect(), own()], ['ambiguous alpha', 'linked alpha']);
  });

  test('after a loss of bytes replies are believed from the next one on', () => {
    const pool = new Pool().prove();
    const [worker] = pool.workers;
    const [alpha, bravo] = [pool.request('alpha'), pool.request('bravo')];
    const before = pool.act(worker);
    pool.timeline.attributor.payloadLost(pool.kernel.nowNs);
    const between = pool.act(worker);
    pool.reply(worker, alpha);
    const after = pool.act(worker);
    pool.reply(worker, bravo);
    assert.deepEqual(
      [before(), between(), after()].map((text) => text.split(' ')[0]),
      ['ambiguous', 'ambiguous', 'linked'],
    );
  });

  test('while a connection is open whose protocol nobody reads', () => {
    const pool = new Pool().prove();
    const [worker] = pool.workers;
    const { kernel, timeline } = pool;
    const strange = kernel.accept(pool.reader);
    timeline.attributor.unreadable(strange.id, timeline.processOf(pool.reader));
    const [alpha, bravo] = [pool.request('alpha'), pool.request('bravo')];
    const first = pool.act(worker);
    pool.reply(worker, alpha);
    const second = pool.act(worker);
    kernel.close(strange);
    pool.reply(worker, bravo);
    assert.deepEqual([first(), second()], ['ambiguous alpha bravo', 'ambiguous bravo']);
    pool.request('other');
    const charlie = pool.request('charlie');
    const third = pool.act(worker);
    pool.reply(worker, charlie);
    assert.equal(third(), 'linked charlie');
  });
});

describe('programs that are started meanwhile', () => {
  test('are provisional with all that they do, and settled with it', () => {
    const pool = new Pool().prove();
    const { kernel, timeline } = pool;
    const [worker] = pool.workers;
    const [alpha] = [pool.request('alpha'), pool.request('bravo')];
    const child = kernel.fork(worker);
    kernel.exec(child, ['sh']);
    const grandchild = kernel.fork(child);
    kernel.exec(grandchild, ['cat']);
    kernel.open(grandchild, '/etc/hosts');
    const placed = timeline.effects.slice(-3);
    assert.equal(timeline.provisionalCount, 3);
    pool.reply(worker, alpha);
    assert.deepEqual(
      placed.map(({ attribution }) => textOf(attribution)),
      Array(3).fill('linked alpha'),
    );
    assert.equal(timeline.open(child), 'linked alpha');
    assert.equal(timeline.open(grandchild), 'linked alpha');
    kernel.exit(grandchild);
    assert.equal(timeline.latest, 'linked alpha');
    assert.equal(timeline.open(kernel.fork(child)), 'linked alpha');
  });

  test("their bytes are checked like the starter's", () => {
    const pool = new Pool().prove();
    const { timeline } = pool;
    const [worker] = pool.workers;
    const [alpha] = [pool.request('alpha'), pool.request('bravo')];
    const effect = pool.act(worker);
    timeline.spawn(worker, 'echo', 'bravo');
    assert.equal(timeline.latest, 'matched bravo');
    pool.reply(worker, alpha);
    assert.equal(effect(), 'ambiguous alpha bravo');
    assert.equal(pool.counters.contradictions, 1);
  });

  test('and prove it as well', () => {
    const pool = new Pool();
    for (let round = 0; round < ROUNDS; round++) {
      for (const [index, worker] of pool.workers.entries()) {
        pool.pause();
        const connection = pool.request(`proof-${round}-${index}`);
        pool.timeline.spawn(worker, 'echo', `proof-${round}-${index}`);
        pool.reply(worker, connection);
      }
    }
    pool.pause();
    const [alpha] = [pool.request('alpha'), pool.request('bravo')];
    const effect = pool.act(pool.workers[0]);
    pool.reply(pool.workers[0], alpha);
    assert.equal(effect(), 'linked alpha');
  });

  test('a forked copy of the server is judged as before', () => {
    const pool = new Pool().prove();
    const [worker] = pool.workers;
    const [alpha] = [pool.request('alpha'), pool.request('bravo')];
    const copy = pool.kernel.fork(worker);
    const effect = pool.act(copy);
    pool.reply(worker, alpha);
    assert.equal(effect(), 'ambiguous alpha bravo');
  });

  test('the end of the server settles nothing', () => {
    const pool = new Pool().prove();
    pool.request('alpha');
    pool.request('bravo');
    const effect = pool.act(pool.workers[0]);
    pool.kernel.exit(pool.reader);
    assert.equal(effect(), 'ambiguous alpha bravo');
    assert.equal(pool.timeline.provisionalCount, 0);
  });
});

describe('a task for each connection', () => {
  interface Bound {
    readonly connection: SimulatedConnection;
    readonly reading: SimulatedThread;
    readonly task: SimulatedThread;
  }

  /** A handle reads in a context of its own, a task that was made before handles and answers. */
  function bound(pool: Pool): Bound {
    const { kernel, reader } = pool;
    const connection = kernel.accept(reader);
    return { connection, reading: kernel.goroutine(reader), task: kernel.goroutine(reader) };
  }

  function begin(pool: Pool, { reading, connection }: Bound, name: string): void {
    pool.pause();
    pool.kernel.read(reading, connection, `> ${name}\n`);
  }

  test('what it does between two replies is of the request in flight there', () => {
    const pool = new Pool();
    const bounds = Array.from({ length: 20 }, () => bound(pool));
    for (const round of [1, 2, 3])
      for (const [index, one] of bounds.entries()) {
        begin(pool, one, `proof-${round}-${index}`);
        pool.act(one.task, `/srv/proof-${round}-${index}`);
        pool.reply(one.task, one.connection);
      }
    const [one, two] = bounds;
    const fresh = bound(pool);
    assert.ok(one && two);
    begin(pool, one, 'alpha');
    begin(pool, two, 'bravo');
    begin(pool, fresh, 'charlie');
    const effects = [one, two, fresh].map(({ task }) => pool.act(task));
    for (const { task, connection } of [fresh, two, one]) pool.reply(task, connection);
    assert.deepEqual(
      effects.map((effect) => effect()),
      ['linked alpha', 'linked bravo', 'linked charlie'],
    );
  });

  test('so is what it starts meanwhile, but not what goes on after its reply', () => {
    const pool = new Pool();
    const { kernel } = pool;
    const bounds = Array.from({ length: ROUNDS }, () => bound(pool));
    for (const round of [1, 2])
      for (const [index, one] of bounds.entries()) {
        begin(pool, one, `proof-${round}-${index}`);
        pool.act(kernel.task(one.task), `/srv/proof-${round}-${index}`);
        pool.reply(one.task, one.connection);
      }
    const [one, two] = bounds;
    const fresh = { ...bound(pool), task: kernel.task(bound(pool).task) };
    assert.ok(one && two);
    begin(pool, one, 'alpha');
    begin(pool, two, 'bravo');
    begin(pool, fresh, 'charlie');
    const background = kernel.task(one.task);
    const effects = [background, kernel.task(two.task), fresh.task].map((task) => pool.act(task));
    for (const { task, connection } of [fresh, two, one]) pool.reply(task, connection);
    assert.deepEqual(
      effects.map((effect) => effect()),
      ['linked alpha', 'linked bravo', 'linked charlie'],
    );
    begin(pool, one, 'delta');
    begin(pool, two, 'echo');
    const late = pool.act(background);
    pool.reply(one.task, one.connection);
    assert.equal(late(), 'ambiguous delta echo');
    assert.equal(pool.counters.contradictions, 0);
  });

  test('one that does things while nothing is in flight there', () => {
    const pool = new Pool();
    const [one, two] = [bound(pool), bound(pool)];
    begin(pool, one, 'alpha');
    pool.reply(one.task, one.connection);
    pool.act(one.task);
    begin(pool, two, 'bravo');
    pool.act(two.task);
    pool.reply(two.task, two.connection);
    pool.act(two.task, '/after/the/reply');
    begin(pool, two, 'charlie');
    pool.reply(two.task, two.connection);
    assert.equal(pool.counters.contradictions, 1);
  });
});

describe('what was not seen whole contradicts nothing', () => {
  /** A worker answers another request than the one whose bytes stand in what it has done. */
  function contradict(pool: Pool): void {
    const [worker] = pool.workers;
    const [alpha, bravo] = [pool.request('contradicted'), pool.request('contradicting')];
    const before = pool.counters.contradictions;
    pool.act(worker, '/srv/contradicted');
    pool.reply(worker, bravo);
    assert.equal(pool.counters.contradictions, before + 1);
    pool.reply(worker, alpha);
    pool.pause();
  }

  /** @returns how what a worker does is placed once it has answered alpha, with others in flight */
  function settled(pool: Pool): string {
    const [worker] = pool.workers;
    const [alpha, bravo] = [pool.request('alpha'), pool.request('bravo')];
    const effect = pool.act(worker);
    pool.reply(worker, alpha);
    const text = effect();
    pool.reply(worker, bravo);
    return text;
  }

  /** A pool whose workers are goroutines, which is known from the first event of one on. */
  class Goroutines extends Pool {
    override readonly workers = [
      this.kernel.goroutine(this.reader),
      this.kernel.goroutine(this.reader),
    ] as const;
  }

  test('threads that turn out to run goroutines: the proof begins anew with them', () => {
    const pool = new Goroutines();
    const { kernel } = pool;
    // Goroutines move between threads, and it is not known yet that they do.
    const [one, two] = [kernel.thread(pool.reader), kernel.thread(pool.reader)];
    const asThreads = (): void => {
      const [alpha, bravo] = [pool.request('thread-a'), pool.request('thread-b')];
      pool.act(one, '/srv/thread-a');
      pool.reply(one, bravo);
      pool.reply(two, alpha);
    };
    pool.reply(one, pool.request('warm'));
    for (let round = 0; round < 3; round++) asThreads();
    assert.equal(pool.counters.contradictions, 1);
    pool.prove();
    assert.equal(settled(pool), 'linked alpha');
  });

  test('but only with the first of them', () => {
    const pool = new Goroutines().prove();
    contradict(pool);
    pool.prove();
    assert.equal(settled(pool), 'ambiguous alpha bravo');
  });

  test('what was in flight then is neither settled nor does it contradict, and what it may have caused is not settled either', () => {
    const pool = new Goroutines();
    const { kernel } = pool;
    const thread = kernel.thread(pool.reader);
    const [early, streaming] = [pool.request('early'), pool.request('streaming')];
    pool.reply(thread, pool.request('warm'));
    kernel.write(thread, streaming, '<\n');
    const [one] = pool.workers;
    pool.act(one, '/srv/early');
    kernel.write(one, streaming, '/\n');
    pool.prove();
    assert.equal(pool.counters.contradictions, 0);
    assert.equal(settled(pool), 'ambiguous alpha bravo early');
    const late = pool.act(one);
    pool.reply(one, early);
    assert.equal(late(), 'ambiguous early');
    assert.equal(settled(pool), 'linked alpha');
  });

  test('bytes of which a loss is told a moment later', () => {
    const pool = new Pool().prove();
    for (let time = 0; time < 3; time++) {
      contradict(pool);
      pool.kernel.nowNs += 0.3e9;
      pool.timeline.attributor.payloadLost(pool.kernel.nowNs);
      assert.equal(settled(pool), 'ambiguous alpha bravo');
      pool.prove();
      assert.equal(settled(pool), 'linked alpha');
    }
    // Whoever makes losses does not get it believed in the end.
    contradict(pool);
    pool.timeline.attributor.payloadLost(pool.kernel.nowNs);
    pool.prove();
    assert.equal(settled(pool), 'ambiguous alpha bravo');
  });

  test('a loss much later explains nothing', () => {
    const pool = new Pool().prove();
    contradict(pool);
    pool.kernel.nowNs += 2e9;
    pool.timeline.attributor.payloadLost(pool.kernel.nowNs);
    pool.prove();
    assert.equal(settled(pool), 'ambiguous alpha bravo');
  });

  test('a loss amid a reply', () => {
    const pool = new Pool().prove();
    const [worker] = pool.workers;
    const streaming = pool.request('streaming');
    pool.kernel.write(worker, streaming, '<\n');
    pool.timeline.attributor.payloadLost(pool.kernel.nowNs);
    pool.kernel.write(worker, streaming, 'more\n');
    pool.kernel.write(worker, streaming, '/\n');
    assert.equal(pool.counters.contradictions, 0);
    assert.equal(settled(pool), 'linked alpha');
  });

  test('a server that was there before the agent: in the first seconds it serves what was not seen', () => {
    const pool = new Pool();
    pool.timeline.attributor.attached(pool.reader.process.startTicks * 1e7 + 1);
    pool.kernel.nowNs = pool.reader.process.startTicks * 1e7 + 1e9;
    const [worker] = pool.workers;
    pool.reply(worker, pool.request('warm'));
    pool.act(worker); // for a request that was there before
    pool.pause();
    pool.reply(worker, pool.request('next'));
    assert.equal(pool.counters.contradictions, 0);
    pool.kernel.nowNs += 5e9;
    pool.prove();
    assert.equal(settled(pool), 'linked alpha');
  });
});

describe('bounds', () => {
  test('what one thread does beyond a thousand things stays ambiguous', () => {
    const pool = new Pool().prove();
    const [worker] = pool.workers;
    const [alpha, bravo] = [pool.request('alpha'), pool.request('bravo')];
    const effects = Array.from({ length: 1030 }, () => pool.act(worker));
    pool.reply(worker, alpha);
    assert.equal(pool.timeline.provisionalCount, 0);
    assert.deepEqual(new Set(effects.map((effect) => effect())), new Set(['ambiguous alpha bravo']));
    const next = pool.act(worker);
    pool.reply(worker, bravo);
    assert.equal(next(), 'linked bravo');
  });

  test('of units that never answer the oldest are forgotten', () => {
    const pool = new Pool();
    pool.request('alpha');
    pool.act(pool.kernel.goroutine(pool.reader));
    pool.prove();
    for (let index = 0; index < 5000; index++) pool.act(pool.kernel.goroutine(pool.reader));
    assert.ok(pool.timeline.provisionalCount <= 4096);
    assert.ok(pool.timeline.provisionalCount > 4000);
  });
});

test('units of a pool that is never idle are not believed for having begun', () => {
  const answering = new Answering({ contradictions: 0 }, () => {});
  const units = Array.from({ length: 2 * NEEDED_PAUSES }, (_, index) => 2 ** 40 + index);
  let now = 1_000_000;
  const serve = (unit: number): void => {
    now += 10;
    const request = {
      answerer: 0,
      startedNs: now,
      message: { protocol: 'http' },
      connection: unit,
    } as unknown as RequestState;
    const attribution = { grade: 'matched', request, candidates: [request] } as unknown as Attribution;
    answering.acted(unit, now + 1, attribution, null);
    answering.replied(unit, request, now + 2);
  };
  for (const unit of units) serve(unit);
  assert.ok(answering.isBelieved, 'each serves one request, and is new');
  serve(units[0] ?? 0);
  assert.ok(!answering.isBelieved, 'they were no new ones');
  for (const unit of units) serve(unit);
  assert.ok(!answering.isBelieved);
});

test('where each task answers once, the thousandth is as new as the first; one that was forgotten is not', () => {
  const answering = new Answering({ contradictions: 0 }, () => {});
  const first = 2 ** 40;
  let now = 1_000_000;
  const begin = (): RequestState => {
    now += 10;
    return {
      answerer: 0,
      startedNs: now,
      message: { protocol: 'http' },
      connection: now,
    } as unknown as RequestState;
  };
  const isSettled = (unit: number): boolean => {
    const [request, other] = [begin(), begin()];
    const attribution = { grade: 'ambiguous', candidates: [request, other] } as unknown as Attribution;
    const question = answering.acted(unit, now + 1, attribution, null);
    answering.replied(unit, request, now + 2);
    return question?.answer?.request === request;
  };
  const count = 10_000;
  for (let unit = first; unit < first + count; unit++) {
    const request = begin();
    const attribution = { grade: 'matched', request, candidates: [request] } as unknown as Attribution;
    answering.acted(unit, now + 1, attribution, null);
    answering.replied(unit, request, now + 2);
  }
  assert.ok(answering.isBelieved);
  assert.ok(isSettled(first + count), 'a new one');
  // It has answered before, and what it did since then may be of anybody.
  assert.ok(!isSettled(first), 'one that was forgotten');
});
