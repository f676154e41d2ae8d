/** Goroutines and tasks: threads say nothing about them, they say everything about their requests. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { SimulatedConnection, SimulatedThread } from './testing/simulated-kernel.ts';
import { Timeline } from './testing/timeline.ts';

interface Served {
  readonly connection: SimulatedConnection;
  readonly goroutine: SimulatedThread;
}

/** A goroutine of its own reads the request, on whatever thread. */
function begin(timeline: Timeline, thread: SimulatedThread, name: string): Served {
  const { kernel } = timeline;
  const goroutine = kernel.goroutine(thread);
  const connection = kernel.accept(thread);
  kernel.read(goroutine, connection, `> ${name}\n`);
  return { connection, goroutine };
}

/** The same goroutine, on another thread. */
function moved(goroutine: SimulatedThread, thread: SimulatedThread): SimulatedThread {
  return { ...goroutine, tid: thread.tid };
}

describe('goroutines', () => {
  test('each has its own request, on however many threads they take turns', () => {
    const timeline = new Timeline();
    const { kernel } = timeline;
    const main = kernel.process();
    const other = kernel.thread(main);
    const alpha = begin(timeline, main, 'alpha');
    const bravo = begin(timeline, main, 'bravo');
    assert.equal(timeline.open(moved(alpha.goroutine, other)), 'exact alpha');
    assert.equal(timeline.open(moved(bravo.goroutine, other)), 'exact bravo');
    assert.equal(timeline.open(alpha.goroutine), 'exact alpha');
    timeline.spawn(moved(alpha.goroutine, other), '/bin/echo');
    assert.equal(timeline.latest, 'exact alpha');
    kernel.write(moved(bravo.goroutine, other), bravo.connection, '<\n/\n');
    assert.equal(timeline.open(alpha.goroutine), 'exact alpha');
  });

  test('one that has read no request may work for any of them', () => {
    const timeline = new Timeline();
    const main = timeline.kernel.process();
    begin(timeline, main, 'alpha');
    begin(timeline, main, 'bravo');
    const child = timeline.kernel.goroutine(main);
    assert.equal(timeline.open(child), 'ambiguous alpha bravo');
  });

  test('and of the only request, too: it may be older than that one', () => {
    const timeline = new Timeline();
    const main = timeline.kernel.process();
    begin(timeline, main, 'alpha');
    assert.equal(timeline.open(timeline.kernel.goroutine(main)), 'ambiguous alpha');
  });

  test('what it does after its answer is still its own, unless another has answered for it', () => {
    const timeline = new Timeline();
    const { kernel } = timeline;
    const main = kernel.process();
    const alpha = begin(timeline, main, 'alpha');
    const bravo = begin(timeline, main, 'bravo');
    kernel.write(alpha.goroutine, alpha.connection, '<\n/\n');
    assert.equal(timeline.open(alpha.goroutine), 'exact alpha');
    kernel.write(alpha.goroutine, bravo.connection, '<\n/\n');
    assert.equal(timeline.open(bravo.goroutine), 'ambiguous bravo');
  });

  test('one that answers the request of another has taken it over: from then on they prove nothing', () => {
    const timeline = new Timeline();
    const { kernel } = timeline;
    const main = kernel.process();
    const alpha = begin(timeline, main, 'alpha');
    const bravo = begin(timeline, main, 'bravo');
    kernel.write(alpha.goroutine, bravo.connection, '<\n/\n');
    assert.equal(timeline.open(alpha.goroutine), 'ambiguous alpha');
    const charlie = begin(timeline, main, 'charlie');
    assert.equal(timeline.open(charlie.goroutine), 'ambiguous alpha charlie');
  });

  test('the next request on its connection takes over', () => {
    const timeline = new Timeline();
    const { kernel } = timeline;
    const alpha = begin(timeline, kernel.process(), 'alpha');
    kernel.write(alpha.goroutine, alpha.connection, '<\n/\n');
    kernel.read(alpha.goroutine, alpha.connection, '> second\n');
    assert.equal(timeline.open(alpha.goroutine), 'exact second');
  });

  test('two requests in one message: either', () => {
    const timeline = new Timeline();
    const { kernel } = timeline;
    const main = kernel.process();
    const goroutine = kernel.goroutine(main);
    kernel.read(goroutine, kernel.accept(main), '> alpha\n> bravo\n');
    assert.equal(timeline.open(goroutine), 'ambiguous alpha bravo');
  });

  test('one that reads several requests and answers none: an acceptor that hands them on', () => {
    const timeline = new Timeline();
    const { kernel } = timeline;
    const main = kernel.process();
    const goroutine = kernel.goroutine(main);
    kernel.read(goroutine, kernel.accept(main), '> alpha\n');
    kernel.read(goroutine, kernel.accept(main), '> bravo\n');
    assert.equal(timeline.open(goroutine), 'ambiguous alpha bravo');
  });

  test('one that waits in epoll_wait itself is an event loop', () => {
    const timeline = new Timeline();
    const { kernel } = timeline;
    const main = kernel.process();
    const goroutine = kernel.goroutine(main);
    for (const name of ['alpha', 'bravo']) {
      const connection = kernel.accept(main);
      kernel.epollWait(goroutine);
      kernel.read(goroutine, connection, `> ${name}\n`);
    }
    assert.equal(timeline.open(goroutine), 'ambiguous alpha bravo');
  });

  test('a client that has gone does not end the work', () => {
    const timeline = new Timeline();
    const { kernel } = timeline;
    const main = kernel.process();
    const alpha = begin(timeline, main, 'alpha');
    begin(timeline, main, 'bravo');
    kernel.close(alpha.connection);
    assert.equal(timeline.open(alpha.goroutine), 'exact alpha');
  });

  test('goroutines of connections that ended are forgotten', () => {
    const timeline = new Timeline();
    const { kernel } = timeline;
    const main = kernel.process();
    for (let index = 0; index < 3; index++) {
      const { connection, goroutine } = begin(timeline, main, `number${index}`);
      kernel.write(goroutine, connection, '<\n/\n');
      kernel.close(connection);
      assert.equal(timeline.attributor.unitCount, 0);
    }
  });
});

describe('tasks of asyncio', () => {
  test('a task belongs to the request in which it was made, and so do the tasks that it makes', () => {
    const timeline = new Timeline();
    const { kernel } = timeline;
    const loop = kernel.process();
    const [one, two] = ['alpha', 'bravo'].map((name) => kernel.task(begin(timeline, loop, name).goroutine));
    assert.ok(one !== undefined && two !== undefined);
    assert.equal(timeline.open(one), 'linked alpha');
    assert.equal(timeline.open(two), 'linked bravo');
    assert.equal(timeline.open(kernel.onThread(two, kernel.thread(loop))), 'linked bravo');
    timeline.spawn(one, '/bin/echo');
    assert.equal(timeline.latest, 'linked alpha');
  });

  test('a task that another task made may be a worker for all, but for the only request in work', () => {
    const timeline = new Timeline();
    const { kernel } = timeline;
    const loop = kernel.process();
    const first = kernel.task(begin(timeline, loop, 'first').goroutine);
    const worker = kernel.task(first);
    assert.equal(timeline.open(worker), 'linked first');
    begin(timeline, loop, 'second');
    assert.equal(timeline.open(worker), 'ambiguous first second');
    assert.equal(timeline.open(kernel.task(worker)), 'ambiguous first second');
    assert.equal(timeline.open(first), 'linked first');
  });

  test('one that is made on the bare loop belongs to nobody', () => {
    const timeline = new Timeline();
    const { kernel } = timeline;
    const loop = kernel.process();
    const connection = kernel.accept(loop);
    kernel.read(loop, connection, '> first\n');
    kernel.write(loop, connection, '<\n/\n');
    kernel.epollWait(loop);
    kernel.read(loop, connection, '> alpha\n');
    assert.equal(timeline.open(kernel.task(loop)), 'ambiguous alpha');
  });

  test('the one that has answered goes on working for the request; others that outlive it do not', () => {
    const timeline = new Timeline();
    const { kernel } = timeline;
    const loop = kernel.process();
    const { connection, goroutine } = begin(timeline, loop, 'alpha');
    const task = kernel.task(goroutine);
    const pool = kernel.task(task);
    kernel.write(task, connection, '<\n/\n');
    assert.equal(timeline.open(task), 'linked alpha');
    begin(timeline, loop, 'bravo');
    assert.equal(timeline.open(pool), 'ambiguous alpha bravo');
  });

  test('the next request on the connection may have been begun in the task of the one before', () => {
    const timeline = new Timeline();
    const { kernel } = timeline;
    const { connection, goroutine } = begin(timeline, kernel.process(), 'alpha');
    const task = kernel.task(goroutine);
    kernel.write(task, connection, '<\n');
    kernel.read(goroutine, connection, '> bravo\n');
    const next = kernel.task(task);
    assert.equal(timeline.open(next), 'ambiguous alpha bravo');
    kernel.write(task, connection, '/\n');
    assert.equal(timeline.open(next), 'ambiguous alpha bravo');
    assert.equal(timeline.open(task), 'ambiguous alpha bravo');
  });

  test('tasks that answer do not make threads look like moving work', () => {
    const timeline = new Timeline();
    const { kernel } = timeline;
    const loop = kernel.process();
    const { connection, goroutine } = begin(timeline, loop, 'alpha');
    kernel.write(kernel.task(goroutine), connection, '<\n/\n');
    const worker = kernel.thread(loop);
    kernel.read(worker, kernel.accept(loop), '> bravo\n');
    assert.equal(timeline.open(worker), 'exact bravo');
  });
});
