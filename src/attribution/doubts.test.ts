/** Ways in which effects came to stand on a wrong request once: each of them is doubted now. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  SimulatedKernel,
  type SimulatedConnection,
  type SimulatedThread,
} from './testing/simulated-kernel.ts';
import { Timeline } from './testing/timeline.ts';

/** A loop that is known as one, with nothing in flight. */
function knownLoop(timeline: Timeline): SimulatedThread {
  const { kernel } = timeline;
  const loop = kernel.process();
  const connection = kernel.accept(loop);
  for (let round = 0; round < 2; round++) {
    kernel.epollWait(loop);
    kernel.read(loop, connection, `> warm${round}\n`);
    kernel.write(loop, connection, '<\n/\n');
  }
  kernel.epollWait(loop);
  return loop;
}

function begin(timeline: Timeline, loop: SimulatedThread, name: string): SimulatedConnection {
  const connection = timeline.kernel.accept(loop);
  timeline.kernel.epollWait(loop);
  timeline.kernel.read(loop, connection, `> ${name}\n`);
  return connection;
}

function isOn(latest: string, wrong: string): boolean {
  return ['exact', 'linked', 'matched'].some((grade) => latest === `${grade} ${wrong}`);
}

describe('no wrong request', () => {
  test('Promise.all of two queries over a pool of two: the second one is asked in the turn of whoever gives a place back', () => {
    const timeline = new Timeline();
    const { kernel } = timeline;
    const loop = knownLoop(timeline);
    const [c1, c2] = [kernel.client(loop), kernel.client(loop)];
    begin(timeline, loop, 'bravo');
    kernel.ask(loop, c1, '?');
    begin(timeline, loop, 'alpha');
    kernel.ask(loop, c2, '?'); // alpha's first query; its second one waits for a place
    kernel.epollWait(loop);
    kernel.answer(loop, c1, '!'); // bravo's answer; the pool hands c1 to alpha's second query
    kernel.ask(loop, c1, '?');
    assert.ok(!isOn(timeline.latest, 'bravo'), `alpha's query: ${timeline.latest}`);
  });

  test('likewise while the pool makes one more connection: nobody can have that one yet', () => {
    const timeline = new Timeline();
    const { kernel } = timeline;
    const loop = knownLoop(timeline);
    const c1 = kernel.client(loop);
    begin(timeline, loop, 'bravo');
    kernel.ask(loop, c1, '?');
    kernel.openClient(loop);
    begin(timeline, loop, 'alpha');
    kernel.submit(loop); // alpha's file; its query waits for a place
    kernel.epollWait(loop);
    kernel.answer(loop, c1, '!'); // bravo's answer; the pool hands c1 to alpha
    kernel.ask(loop, c1, '?');
    assert.ok(!isOn(timeline.latest, 'bravo'), `alpha's query: ${timeline.latest}`);
  });

  test('and all that alpha does with the answer follows', () => {
    const timeline = new Timeline();
    const { kernel } = timeline;
    const loop = knownLoop(timeline);
    const [c1, c2, c3] = [kernel.client(loop), kernel.client(loop), kernel.client(loop)];
    begin(timeline, loop, 'bravo');
    kernel.ask(loop, c1, '?');
    begin(timeline, loop, 'alpha');
    kernel.ask(loop, c2, '?');
    kernel.epollWait(loop);
    kernel.answer(loop, c1, '!');
    kernel.ask(loop, c1, '?'); // alpha's
    kernel.ask(loop, c3, '?'); // bravo's next, elsewhere
    kernel.epollWait(loop);
    kernel.answer(loop, c1, '!'); // alpha's answer, while alpha waits for c2
    assert.ok(!isOn(timeline.open(loop), 'bravo'), `alpha's file: ${timeline.latest}`);
  });

  test('a suspect that has replied meanwhile is still a suspect', () => {
    const timeline = new Timeline();
    const { kernel } = timeline;
    const loop = knownLoop(timeline);
    const client = kernel.client(loop);
    const alpha = begin(timeline, loop, 'alpha');
    begin(timeline, loop, 'bravo');
    kernel.ask(loop, client, '?'); // alpha's, handed a place by bravo: ambiguous, and so is what follows
    assert.equal(timeline.latest, 'ambiguous alpha bravo');
    kernel.write(loop, alpha, '<\n/\n'); // alpha replies before the answer has come
    kernel.epollWait(loop);
    kernel.answer(loop, client, '!');
    assert.ok(!isOn(timeline.open(loop), 'bravo'), `alpha's file: ${timeline.latest}`);
  });

  test('what is ambiguous on the loop after the reply is not linked in its pool', () => {
    const timeline = new Timeline();
    const { kernel } = timeline;
    const loop = knownLoop(timeline);
    const helper = kernel.thread(loop);
    const alpha = begin(timeline, loop, 'alpha');
    kernel.write(loop, alpha, '<\n/\n'); // it goes on when bravo gives a lock back
    const bravo = begin(timeline, loop, 'bravo');
    kernel.write(loop, bravo, '<\n/\n');
    assert.match(timeline.open(loop), /^ambiguous/);
    const object = kernel.submit(loop); // alpha's fs.open()
    kernel.runWork(helper, object);
    assert.ok(!isOn(timeline.open(helper), 'bravo'), `alpha's file: ${timeline.latest}`);
  });

  test('likewise when payload was lost', () => {
    const timeline = new Timeline();
    const { kernel } = timeline;
    const loop = knownLoop(timeline);
    const helper = kernel.thread(loop);
    kernel.losesPayload = true;
    begin(timeline, loop, 'alpha');
    kernel.losesPayload = false;
    timeline.attributor.payloadLost(kernel.nowNs);
    begin(timeline, loop, 'bravo');
    assert.match(timeline.open(loop), /^ambiguous/);
    const object = kernel.submit(loop); // alpha's, which bravo has handed a place
    kernel.runWork(helper, object);
    assert.ok(!isOn(timeline.open(helper), 'bravo'), `alpha's file: ${timeline.latest}`);
  });

  test('a client connection of several requests at once whose answers come in pieces (HTTP/2, one Redis connection)', () => {
    const timeline = new Timeline();
    const { kernel } = timeline;
    const loop = knownLoop(timeline);
    const [shared, database] = [kernel.client(loop), kernel.client(loop)];
    begin(timeline, loop, 'alpha');
    kernel.ask(loop, shared, '?');
    kernel.ask(loop, database, '?'); // Promise.all
    kernel.epollWait(loop);
    kernel.answer(loop, shared, 'WINDOW_UPDATE, or the first piece');
    begin(timeline, loop, 'bravo');
    kernel.ask(loop, shared, '?');
    kernel.epollWait(loop);
    kernel.answer(loop, shared, "alpha's answer");
    assert.ok(!isOn(timeline.open(loop), 'bravo'), `alpha's file: ${timeline.latest}`);
  });

  test('likewise of a request that replied before its answer came', () => {
    const timeline = new Timeline();
    const { kernel } = timeline;
    const loop = knownLoop(timeline);
    const shared = kernel.client(loop);
    const alpha = begin(timeline, loop, 'alpha');
    kernel.ask(loop, shared, '?');
    kernel.epollWait(loop);
    kernel.answer(loop, shared, 'first piece');
    kernel.write(loop, alpha, '<\n/\n');
    begin(timeline, loop, 'bravo');
    kernel.ask(loop, shared, '?');
    kernel.epollWait(loop);
    kernel.answer(loop, shared, "the rest of alpha's answer");
    assert.ok(!isOn(timeline.open(loop), 'bravo'), `alpha's file: ${timeline.latest}`);
  });

  test('a connection that is reset gives back whoever waits for it', () => {
    const timeline = new Timeline();
    const { kernel } = timeline;
    const loop = knownLoop(timeline);
    const client = kernel.client(loop);
    begin(timeline, loop, 'alpha');
    kernel.ask(loop, client, '?');
    begin(timeline, loop, 'bravo');
    // Same epoll_wait: alpha's upstream was reset.
    kernel.end(loop, client);
    assert.ok(!isOn(timeline.open(loop), 'bravo'), `alpha's file: ${timeline.latest}`);
  });

  test('a connection whose accept event was lost once is unknown for ever, but doubted for five seconds only', () => {
    const timeline = new Timeline();
    const { kernel, attributor } = timeline;
    const loop = knownLoop(timeline);
    const lost: SimulatedConnection = { ...new SimulatedKernel(() => undefined).accept(loop), id: 99_999 };
    attributor.payloadLost(kernel.nowNs);
    kernel.nowNs += 60e9;
    kernel.epollWait(loop);
    kernel.read(loop, lost, '> alpha\n'); // alpha waits for a lock that bravo holds
    begin(timeline, loop, 'bravo');
    assert.ok(!isOn(timeline.open(loop), 'bravo'), `alpha's file: ${timeline.latest}`);
  });

  test('who answered is a suspect until the loop has turned to another, which only the stamp may show', () => {
    const timeline = new Timeline();
    const { kernel } = timeline;
    const loop = knownLoop(timeline);
    const [client, other] = [kernel.client(loop), kernel.client(loop)];
    const alpha = begin(timeline, loop, 'alpha');
    const bravo = begin(timeline, loop, 'bravo');
    kernel.ask(loop, client, '?');
    kernel.epollWait(loop);
    kernel.readPair(loop, { connection: alpha.id, sequence: alpha.sequence });
    kernel.ask(loop, other, '?');
    kernel.epollWait(loop);
    kernel.answer(loop, client, '!');
    kernel.write(loop, bravo, '<\n/\n'); // bravo's own turn ends with its reply
    assert.ok(!isOn(timeline.open(loop), 'alpha'), timeline.latest);
    kernel.readPair(loop, { connection: alpha.id, sequence: alpha.sequence });
    assert.equal(timeline.open(loop), 'exact alpha');
  });
});
