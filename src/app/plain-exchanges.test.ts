import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { SimulatedConnection, SimulatedThread } from '../attribution/testing/simulated-kernel.ts';
import { bytesOf } from '../base/bytes.ts';
import { createProbe } from '../detect/probe/index.ts';
import { requestWith } from '../detect/testing.ts';
import type { RequestMessage } from '../model/request.ts';
import { http1 } from '../protocols/http1/index.ts';
import { Pair } from './testing.ts';

/** Both have said the same of every effect, and counted every request. */
function compare({ lazy, whole }: Pair): void {
  lazy.pipeline.end();
  assert.deepEqual(lazy.effects, whole.effects);
  assert.equal(lazy.pipeline.attributor.counters.requests, whole.pipeline.attributor.counters.requests);
}

describe('plain exchanges of an event loop', () => {
  test('are never read while nothing else happens, and counted all the same', () => {
    const pair = new Pair();
    const { loop, clients } = pair.settledLoop(4);
    for (let round = 0; round < 1000; round++)
      for (const client of clients) {
        pair.kernel.epollWait(loop);
        pair.get(loop, client, `/orders/${round}?customer=bench`);
        pair.ok(loop, client);
      }
    assert.equal(pair.lazy.requests.length < 200, true, `${pair.lazy.requests.length}`);
    pair.lazy.pipeline.end();
    assert.ok(pair.lazy.pipeline.plainCount > 3000);
    assert.equal(pair.lazy.pipeline.attributor.counters.requests, 4080);
    compare(pair);
  });

  test('are read before an effect is placed: the one in flight is its cause', () => {
    const pair = new Pair();
    const { kernel } = pair;
    const { loop, clients } = pair.settledLoop(2);
    const [first, second] = clients;
    assert.ok(first !== undefined && second !== undefined);
    for (let round = 0; round < 300; round++) {
      kernel.epollWait(loop);
      pair.get(loop, first, '/plain');
      pair.ok(loop, first);
    }
    kernel.epollWait(loop);
    pair.get(loop, second, '/works');
    kernel.open(loop, '/srv/x');
    pair.ok(loop, second);
    compare(pair);
    assert.match(pair.lazy.effects.at(-1) ?? '', /^open exact/);
  });

  test('are read before a question is placed that a copy of the server asks', () => {
    const pair = new Pair();
    const { kernel } = pair;
    const { loop, clients } = pair.settledLoop(2);
    const [first, second] = clients;
    assert.ok(first !== undefined && second !== undefined);
    kernel.epollWait(loop);
    pair.get(loop, first, '/a');
    const worker = kernel.fork(loop);
    const service = kernel.client(worker);
    for (let round = 0; round < 100; round++) {
      kernel.epollWait(loop);
      pair.get(loop, second, '/plain');
      pair.ok(loop, second);
    }
    kernel.epollWait(loop);
    pair.get(loop, second, '/b');
    kernel.ask(worker, service, '*2\r\n$3\r\nGET\r\n$4\r\nmark\r\n');
    compare(pair);
    assert.match(pair.whole.effects.at(-1) ?? '', /^query ambiguous/);
  });

  test('a reply by another thread, lost bytes, a close and a pipelined request are all read at once', () => {
    const pair = new Pair();
    const { kernel } = pair;
    const { loop, clients } = pair.settledLoop(3);
    const [first, second, third] = clients;
    assert.ok(first !== undefined && second !== undefined && third !== undefined);
    const helper = kernel.thread(loop);
    kernel.epollWait(loop);
    pair.get(loop, first, '/a');
    pair.get(loop, second, '/b');
    pair.ok(helper, first);
    kernel.open(loop, '/srv/1');
    pair.ok(loop, second);
    kernel.losesPayload = true;
    pair.get(loop, third, '/c');
    kernel.losesPayload = false;
    pair.ok(loop, third);
    pair.get(loop, third, '/d');
    kernel.close(third);
    kernel.open(loop, '/srv/2');
    kernel.read(loop, first, 'GET /e HTTP/1.1\r\n\r\nGET /f HTTP/1.1\r\n\r\n');
    kernel.open(loop, '/srv/3');
    compare(pair);
    assert.equal(pair.lazy.effects.length, 3);
  });

  test('whatever else happens, effects are placed as if everything had been read', () => {
    let left = 0;
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 999 }), { minLength: 100, maxLength: 600, size: 'max' }), (tape) => {
        const pair = new Pair();
        play(pair, tape);
        compare(pair);
        left += pair.lazy.pipeline.plainCount;
      }),
      { numRuns: 150 },
    );
    assert.ok(left > 1000, `${left}`);
  });
});

/** What chance makes of a server with one loop, or two, and a few clients. */
function play(pair: Pair, tape: readonly number[]): void {
  const { kernel } = pair;
  let at = 0;
  const below = (limit: number): number => (tape[at++] ?? 0) % limit;
  // Some runs hold more clients than are remembered, some one.
  const { loop, clients } = pair.settledLoop(1 + below(40));
  const threads = [loop];
  if (below(4) === 0) threads.push(kernel.thread(loop));
  const waiting: SimulatedConnection[] = [];
  const children: SimulatedThread[] = [];
  const isSynchronous = below(2) === 0;
  let effects = below(3) === 0 ? 60 : 8;
  while (at < tape.length) {
    const thread = threads[below(threads.length)] ?? loop;
    if (below(3) > 0) kernel.epollWait(thread, 1 + below(2));
    const index = below(clients.length);
    const client = clients[index];
    if (client === undefined) continue;
    const isWaiting = waiting.includes(client);
    const choice = below(100);
    if (choice < 70) {
      // Plain traffic, in bursts: what is left out has to be enough to be dropped.
      for (let burst = isSynchronous ? below(60) : 0; burst >= 0; burst--) {
        const one = clients[(index + burst) % clients.length] ?? client;
        if (waiting.includes(one)) continue;
        pair.get(thread, one, `/plain/${at}?burst=${burst}`);
        if (isSynchronous || below(2) === 0) pair.ok(thread, one);
        else waiting.push(one);
      }
    } else if (choice < 78) {
      const answered = waiting.shift();
      if (answered !== undefined) pair.ok(below(10) === 0 ? loop : thread, answered);
    } else if (choice < 82) {
      if (!isWaiting) pair.get(thread, client, `/odd/%2e%2e/${at}`);
      if (!isWaiting) waiting.push(client);
    } else if (choice < 85) {
      kernel.losesPayload = true;
      pair.ok(thread, client);
      kernel.losesPayload = false;
    } else if (choice < 87 && clients.length > 1) {
      clients.splice(index, 1);
      if (isWaiting) waiting.splice(waiting.indexOf(client), 1);
      kernel.close(client);
      clients.push(kernel.accept(thread));
    } else if (choice < 89) {
      if (!isWaiting) {
        kernel.read(thread, client, 'POST /form HTTP/1.1\r\nContent-Length: 3\r\n\r\na=b');
        waiting.push(client);
      }
    } else if (effects-- > 0) {
      const child = children[below(children.length + 1)];
      if (child !== undefined) kernel.open(child, `/srv/child/${at}`);
      else if (choice < 95) kernel.open(thread, `/srv/plain/${at}`);
      else if (choice < 97) kernel.connect(thread, 5432);
      else {
        const born = kernel.fork(thread);
        kernel.exec(born, ['id', `${at}`]);
        children.push(born);
      }
    }
  }
}

/** Targets and fields of plain bytes that look as much like an attack as such bytes can. */
const word = fc.constantFrom(
  'id',
  'cat',
  'etc',
  'passwd',
  'home',
  'proc',
  'a',
  '1',
  '.',
  '-',
  '_',
  '~',
  '/',
  '//',
  '/etc/passwd',
  '.env',
  'sleep',
  '10',
  'file',
  'x.php',
);
const path = fc.array(word, { maxLength: 8 }).map((words) => `/${words.join('')}`);
const query = fc
  .array(
    fc.constantFrom('id', 'cat', '=', '&', '+', ',', '-l', '.', 'cmd', 'sleep', '10', '~', 'a', 'whoami'),
    { maxLength: 10 },
  )
  .map((words) => (words.length > 0 ? `?${words.join('')}` : ''));
const value = fc
  .array(
    fc.constantFrom(
      'id',
      ';',
      ' ',
      '/etc/passwd',
      '/',
      '(',
      ')',
      '&',
      '&&',
      '<',
      '>',
      '"',
      "'",
      '\\',
      'cat ',
      '.',
      '@',
      '#',
      '*',
      '=',
      'sh -c',
    ),
    {
      maxLength: 10,
    },
  )
  .map((words) => words.join(''));

test('the probe has nothing to say about what is plain', () => {
  const probe = createProbe();
  let plainCount = 0;
  fc.assert(
    fc.property(path, query, value, value, (where, what, agent, cookie) => {
      const text = `GET ${where}${what} HTTP/1.1\r\nHost: a\r\nUser-Agent: ${agent}\r\nCookie: c=${cookie}\r\n\r\n`;
      const bytes = bytesOf(text);
      if (http1.plain?.isRequest(bytes, 0, bytes.length) !== true) return;
      plainCount++;
      let message: RequestMessage | null = null;
      const connection = http1.open({
        requestStarted: (started) => (message = started),
        requestEnded: () => undefined,
        responseStarted: () => undefined,
        responseEnded: () => undefined,
        queryStarted: () => undefined,
        queryEnded: () => undefined,
        described: () => undefined,
      });
      connection.fromClient(bytes, 0);
      assert.ok(message !== null, text);
      assert.deepEqual(probe.onRequest?.({ ...requestWith('x'), message }) ?? [], [], text);
    }),
    { numRuns: 10_000 },
  );
  assert.ok(plainCount > 1000, `${plainCount}`);
});
