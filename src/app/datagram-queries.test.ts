import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { encodeEvent } from '../abi/testing.ts';
import { SimulatedDatagrams, type SimulatedSocket } from '../attribution/testing/simulated-datagrams.ts';
import {
  SimulatedKernel,
  type SimulatedConnection,
  type SimulatedThread,
} from '../attribution/testing/simulated-kernel.ts';
import { bytesOf } from '../base/bytes.ts';
import type { Effect, QueryEffect } from '../model/effect.ts';
import type { KernelEvent } from '../model/event.ts';
import { message, name, REPLY } from '../protocols/dns/testing/messages.ts';
import { Pipeline } from './pipeline.ts';
import { PROTOCOLS } from './registry.ts';

const question = (id: number, text: string): Uint8Array => message({ id, questions: [[name(text), 1]] });
const reply = (id: number, text: string): Uint8Array =>
  message({
    id,
    flags: REPLY,
    questions: [[name(text), 1]],
    answers: [{ type: 1, data: Uint8Array.of(192, 0, 2, 7) }],
  });

/** The whole brain on a simulated kernel. */
class Bench {
  readonly effects: Effect[] = [];
  readonly ignored: number[] = [];
  readonly answered: QueryEffect[] = [];
  readonly kernel = new SimulatedKernel((event) => this.#feed(event));
  readonly datagrams = new SimulatedDatagrams(this.kernel, (event) => this.#feed(event));
  readonly #pipeline = new Pipeline({
    protocols: PROTOCOLS,
    detectors: [
      {
        name: 'spy',
        onEffect: (effect) => {
          this.effects.push(effect);
          return [];
        },
      },
    ],
    wants: { findings: true, requests: true, events: false },
    output: {
      event: () => undefined,
      finding: () => undefined,
      request: () => undefined,
      lateEffect: () => undefined,
      orphan: () => undefined,
      loss: () => undefined,
      answered: (effect) => this.answered.push(effect),
      ignoreConnection: (connection) => this.ignored.push(connection),
      failed: (error) => {
        throw error;
      },
    },
  });

  constructor() {
    this.#pipeline.fact({ kind: 'clock', bootNs: 1, wallMs: 1 });
  }

  /** A thread that is known as an event loop. */
  loop(): SimulatedThread {
    const loop = this.kernel.process();
    const client = this.kernel.accept(loop);
    for (let round = 0; round < 2; round++) {
      this.kernel.epollWait(loop);
      this.get(loop, '/warm', client);
      this.kernel.write(loop, client, 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    }
    this.kernel.epollWait(loop);
    return loop;
  }

  get(thread: SimulatedThread, target: string, client?: SimulatedConnection): void {
    const connection = client ?? this.kernel.accept(thread);
    if (thread.state?.isLoop === true) this.kernel.epollWait(thread);
    this.kernel.read(thread, connection, `GET ${target} HTTP/1.1\r\nHost: app\r\n\r\n`);
  }

  open(thread: SimulatedThread): string {
    this.kernel.open(thread, '/srv/x');
    return this.latest;
  }

  get query(): QueryEffect {
    const query = this.effects.findLast((effect) => effect.type === 'query');
    assert.ok(query?.type === 'query');
    return query;
  }

  /** Grade and target of the newest effect. */
  get latest(): string {
    const attribution = this.effects.at(-1)?.attribution;
    return `${attribution?.grade} ${attribution?.request?.message.target ?? ''}`.trim();
  }

  #feed(event: KernelEvent): void {
    const bytes = encodeEvent(event);
    this.#pipeline.event(bytes, new DataView(bytes.buffer), 0, bytes.length);
  }
}

describe('questions in datagrams', () => {
  test('are effects of the request that asks, with what was answered', () => {
    const bench = new Bench();
    const worker = bench.kernel.process();
    bench.get(worker, '/a');
    const socket = bench.datagrams.socket();
    bench.datagrams.ask(worker, socket, question(1, 'Shop.test'));
    assert.equal(bench.latest, 'exact /a');
    assert.equal(bench.query.endedNs, null);
    assert.equal(bench.answered.length, 0);
    bench.datagrams.answer(worker, socket, reply(1, 'shop.TEST'));
    const { query, remote, outcome, endedNs } = bench.query;
    assert.deepEqual([query.protocol, query.operation, query.statement], ['dns', 'A', 'Shop.test']);
    assert.deepEqual(remote, { address: '127.0.0.53', port: 53 });
    assert.deepEqual(outcome?.answers, ['192.0.2.7']);
    assert.equal(typeof endedNs, 'number');
    assert.deepEqual(bench.answered, [bench.query]);
  });

  test('on a shared socket the answer names by its number who goes on', () => {
    const bench = new Bench();
    const loop = bench.loop();
    const socket = bench.datagrams.socket();
    bench.get(loop, '/a');
    bench.datagrams.ask(loop, socket, question(1, 'a.test'));
    bench.get(loop, '/b');
    bench.datagrams.ask(loop, socket, question(2, 'b.test'));
    assert.equal(bench.latest, 'linked /b');
    bench.kernel.epollWait(loop);
    bench.datagrams.answer(loop, socket, reply(2, 'b.test'));
    assert.equal(bench.open(loop), 'linked /b');
    bench.datagrams.ask(loop, socket, question(3, 'c.test'));
    bench.kernel.epollWait(loop);
    bench.datagrams.answer(loop, socket, reply(1, 'a.test'));
    assert.equal(bench.open(loop), 'linked /a');
  });

  test('answers that are read all at once leave open who goes on', () => {
    const bench = new Bench();
    const loop = bench.loop();
    const socket = bench.datagrams.socket();
    for (const [index, target] of ['/a', '/b', '/c'].entries()) {
      bench.get(loop, target);
      bench.datagrams.ask(loop, socket, question(index, 'x.test'));
    }
    bench.kernel.epollWait(loop);
    bench.datagrams.answer(loop, socket, reply(0, 'x.test'));
    bench.datagrams.answer(loop, socket, reply(1, 'x.test'));
    assert.equal(bench.open(loop), 'ambiguous');
    // By the kernel already: what is handed over now is lent to nobody.
    assert.equal(bench.effects.at(-1)?.attribution.reason, 'an event loop ran it after it had waited');
    bench.datagrams.answer(loop, socket, reply(2, 'x.test'));
    assert.equal(bench.open(loop), 'ambiguous');
  });

  test('nor does an answer that nobody asked for, or that two asked for with one number', () => {
    const bench = new Bench();
    const loop = bench.loop();
    const socket = bench.datagrams.socket();
    bench.get(loop, '/a');
    bench.datagrams.ask(loop, socket, question(1, 'a.test'));
    bench.kernel.epollWait(loop);
    bench.datagrams.answer(loop, socket, reply(9, 'a.test'));
    assert.equal(bench.open(loop), 'ambiguous');
    bench.get(loop, '/b');
    bench.datagrams.ask(loop, socket, question(1, 'b.test'));
    bench.kernel.epollWait(loop);
    bench.datagrams.answer(loop, socket, reply(1, 'a.test'));
    assert.equal(bench.open(loop), 'ambiguous');
  });

  test('who got no answer in time may go on without one', () => {
    const bench = new Bench();
    const loop = bench.loop();
    bench.get(loop, '/a');
    bench.datagrams.ask(loop, bench.datagrams.socket(), question(1, 'a.test'));
    bench.get(loop, '/b');
    assert.equal(bench.open(loop), 'linked /b');
    bench.kernel.nowNs += 0.3e9;
    assert.equal(bench.open(loop), 'ambiguous');
  });

  test('a host in a parameter decides, in whatever case it is asked for', () => {
    const bench = new Bench();
    const loop = bench.loop();
    bench.get(loop, '/a?url=http://Shop.Test:8080/x');
    bench.get(loop, '/b?host=other.test.');
    bench.kernel.epollWait(loop);
    bench.datagrams.ask(loop, bench.datagrams.socket(), question(1, 'sHOP.tESt'));
    assert.equal(bench.latest, 'matched /a?url=http://Shop.Test:8080/x');
    bench.datagrams.ask(loop, bench.datagrams.socket(), question(1, 'OTHER.test'));
    assert.equal(bench.latest, 'matched /b?host=other.test.');
    bench.datagrams.ask(loop, bench.datagrams.socket(), question(1, 'third.test'));
    assert.equal(bench.latest, 'ambiguous');
  });

  test('an address in a parameter decides about a connection', () => {
    const bench = new Bench();
    const loop = bench.loop();
    bench.get(loop, '/a?to=10.20.30.40');
    bench.get(loop, '/b?to=10.20.30.4');
    bench.kernel.epollWait(loop);
    bench.kernel.connect(loop, 80, '\x0a\x14\x1e\x28');
    assert.equal(bench.latest, 'matched /a?to=10.20.30.40');
    bench.kernel.connect(loop, 80, '\x0a\x14\x1e\x29');
    assert.equal(bench.latest, 'ambiguous');
  });

  test('of a socket that was given up say nothing, and put nothing in doubt', () => {
    const bench = new Bench();
    const loop = bench.loop();
    bench.get(loop, '/a');
    const [forgotten, ...others] = Array.from({ length: 1025 }, () => bench.datagrams.socket());
    assert.ok(forgotten !== undefined);
    for (const socket of [forgotten, ...others]) bench.datagrams.ask(loop, socket, question(1, 'a.test'));
    const before = bench.effects.length;
    bench.datagrams.answer(loop, forgotten, reply(1, 'a.test'));
    bench.datagrams.ask(loop, forgotten, question(2, 'a.test'));
    assert.equal(bench.effects.length, before);
    assert.equal(bench.open(loop), 'exact /a');
  });

  test('a socket of something else is no longer captured', () => {
    const bench = new Bench();
    const worker = bench.kernel.process();
    bench.get(worker, '/a');
    const socket = bench.datagrams.socket();
    for (let count = 0; count < 9; count++)
      bench.datagrams.ask(worker, socket, bytesOf('\0\x01\x01\0\0\x01 no message of DNS'));
    assert.deepEqual(bench.ignored, [socket.id]);
    assert.equal(bench.effects.length, 0);
  });
});

/** A request that a random server works on. */
interface Work {
  readonly target: string;
  readonly client: SimulatedConnection;
  readonly socket: SimulatedSocket;
  /** Numbers of its questions that are not answered yet. */
  readonly open: Set<number>;
}

const turns = fc.array(
  fc.oneof(
    // Somebody asks for something: on the shared socket or on one of his own, one question or two.
    fc.record({
      step: fc.constant('begin' as const),
      isShared: fc.boolean(),
      questions: fc.integer({ min: 1, max: 2 }),
    }),
    // So many answers have come; they are read all at once before anything is done with them, or one by one.
    fc.record({
      step: fc.constant('answers' as const),
      count: fc.integer({ min: 1, max: 4 }),
      isBatch: fc.boolean(),
    }),
  ),
  { maxLength: 40 },
);

test('random resolvers on an event loop: nothing is on a wrong request', () => {
  let placed = 0;
  const check = fc.property(turns, (steps) => {
    const bench = new Bench();
    const loop = bench.loop();
    const shared = bench.datagrams.socket();
    const truth = new Map<string, string>();
    const working: Work[] = [];
    let next = 0;
    const act = (work: Work): void => {
      const path = `/srv/${(next += 1)}`;
      truth.set(path, work.target);
      bench.kernel.open(loop, path);
    };
    const ask = (work: Work): void => {
      const number = (next += 1);
      work.open.add(number);
      truth.set(`n${number}.test`, work.target);
      bench.datagrams.ask(loop, work.socket, question(number, `n${number}.test`));
    };
    const goOn = (work: Work): void => {
      if (work.open.size > 0) return;
      act(work);
      working.splice(working.indexOf(work), 1);
      bench.kernel.write(loop, work.client, 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    };
    for (const turn of steps) {
      bench.kernel.epollWait(loop);
      if (turn.step === 'begin') {
        const socket = turn.isShared ? shared : bench.datagrams.socket();
        const work: Work = {
          target: `/${(next += 1)}`,
          client: bench.kernel.accept(loop),
          socket,
          open: new Set(),
        };
        bench.get(loop, work.target, work.client);
        working.push(work);
        act(work);
        for (let count = 0; count < turn.questions; count++) ask(work);
        continue;
      }
      const read: Work[] = [];
      for (let count = 0; count < turn.count; count++) {
        const work = working.find(
          ({ open, socket }) => open.size > 0 && (!turn.isBatch || socket === shared),
        );
        const [number] = work?.open ?? [];
        if (work === undefined || number === undefined) break;
        work.open.delete(number);
        bench.datagrams.answer(loop, work.socket, reply(number, `n${number}.test`));
        if (turn.isBatch) read.push(work);
        else goOn(work);
      }
      for (const work of new Set(read)) goOn(work);
    }
    for (const { type, attribution, ...effect } of bench.effects) {
      const name = 'query' in effect ? effect.query.statement : 'path' in effect ? effect.path : '';
      const target = attribution.request?.message.target;
      if (target === undefined) continue;
      placed++;
      assert.equal(target, truth.get(name), `${type} ${name}`);
    }
  });
  fc.assert(check, { numRuns: 200 });
  assert.ok(placed > 1000, `${placed} effects were placed`);
});
