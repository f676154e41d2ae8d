import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { encodeEvent } from '../abi/testing.ts';
import {
  SimulatedKernel,
  type SimulatedConnection,
  type SimulatedThread,
} from '../attribution/testing/simulated-kernel.ts';
import { NEEDED_AGREEMENTS, NEEDED_PAUSES } from '../attribution/answering.ts';
import type { Detector } from '../detect/contract.ts';
import type { Effect } from '../model/effect.ts';
import type { HashQuestion } from '../model/executable.ts';
import type { Fact, KernelEvent } from '../model/event.ts';
import type { Finding } from '../model/finding.ts';
import type { Request } from '../model/request.ts';
import { GuardedSink } from './guarded-sink.ts';
import { Pipeline } from './pipeline.ts';
import { createDetectors, PROTOCOLS } from './registry.ts';

const WANTS_ALL = { findings: true, requests: true, events: true };

/** A pipeline that is fed with the bytes of a simulated kernel's events; what it says is kept. */
class Bench {
  readonly findings: Finding[] = [];
  readonly requests: Request[] = [];
  readonly late: string[] = [];
  readonly orphans: Effect[] = [];
  readonly kinds: string[] = [];
  readonly losses: Fact[] = [];
  readonly ignored: number[] = [];
  readonly reports: string[] = [];
  readonly questions: HashQuestion[] = [];
  readonly pipeline: Pipeline;
  readonly guarded: GuardedSink;
  readonly kernel = new SimulatedKernel((event) => this.#feed(event));
  readonly server = this.kernel.process(4000);

  constructor(detectors: readonly Detector[] = createDetectors(), wants = WANTS_ALL) {
    this.pipeline = new Pipeline({
      protocols: PROTOCOLS,
      detectors,
      wants,
      output: {
        event: (event) => this.kinds.push(event.kind),
        finding: (finding) => this.findings.push(finding),
        request: (request) => this.requests.push(request),
        lateEffect: (request, effect) => this.late.push(`${request.id} ${effect.type}`),
        orphan: (effect) => this.orphans.push(effect),
        loss: (loss) => this.losses.push(loss),
        ignoreConnection: (connection) => this.ignored.push(connection),
        askHash: (question) => this.questions.push(question),
        failed: (error) => this.guarded.failed(error),
      },
    });
    this.guarded = new GuardedSink(this.pipeline, (text) => this.reports.push(text));
    const facts: Fact[] = [
      { kind: 'host', hostname: 'h', kernel: '6.1', architecture: 'x64', sessionId: 'abcdefgh-rest' },
      { kind: 'clock', bootNs: 1e9, wallMs: 1_700_000_000_000 },
      { kind: 'user', uid: 33, name: 'www-data' },
      {
        kind: 'process',
        pid: 4000,
        parentPid: 1,
        startTicks: this.server.process.startTicks,
        comm: 'node',
        executable: '/usr/bin/node',
        argv: ['node', 'server.js'],
        workingDirectory: '/srv/app',
        uid: 33,
        gid: 33,
        cgroupId: 1,
      },
    ];
    for (const fact of facts) this.guarded.fact(fact);
  }

  #feed(event: KernelEvent): void {
    const bytes = encodeEvent(event);
    this.guarded.event(bytes, new DataView(bytes.buffer), 0, bytes.length);
  }

  get(thread: SimulatedThread, target: string): SimulatedConnection {
    const connection = this.kernel.accept(thread);
    this.kernel.read(thread, connection, `GET ${target} HTTP/1.1\r\nHost: app\r\n\r\n`);
    return connection;
  }

  reply(thread: SimulatedThread, connection: SimulatedConnection, status = 200): void {
    this.kernel.write(thread, connection, `HTTP/1.1 ${status} X\r\nContent-Length: 2\r\n\r\nok`);
  }

  /** The server runs a program as system(3) and popen(3) do: with a shell. */
  shell(thread: SimulatedThread, command: string): SimulatedThread {
    const child = this.kernel.fork(thread);
    this.kernel.exec(child, ['sh', '-c', command], '/bin/sh');
    return child;
  }

  program(parent: SimulatedThread, ...argv: string[]): SimulatedThread {
    const child = this.kernel.fork(parent);
    this.kernel.exec(child, argv);
    return child;
  }

  get verdicts(): string[] {
    return this.findings.map(({ verdict, class: attackClass }) => `${verdict} ${attackClass}`);
  }
}

describe('a command injection', () => {
  const attack = '/ping?host=127.0.0.1%3B%20cat%20%2Fetc%2Fpasswd';

  test('is exactly one finding, with its whole story', () => {
    const bench = new Bench();
    const { kernel, server } = bench;
    const connection = bench.get(server, attack);
    const shell = bench.shell(server, 'ping -c1 127.0.0.1; cat /etc/passwd');
    const ping = bench.program(shell, 'ping', '-c1', '127.0.0.1');
    kernel.exit(ping);
    const cat = bench.program(shell, 'cat', '/etc/passwd');
    kernel.open(cat, '/etc/passwd');
    kernel.exit(cat);
    kernel.connect(shell, 4444);
    kernel.exit(shell);
    bench.reply(server, connection);
    kernel.close(connection);
    bench.pipeline.end();
    assert.deepEqual(bench.verdicts, ['EXPLOITED command-injection']);
    const [finding] = bench.findings;
    assert.ok(finding?.request);
    assert.equal(finding.id, 'abcdefgh-f1');
    assert.equal(finding.request.message.target, attack);
    assert.equal(finding.request.connection.client.address, '203.0.113.9');
    assert.equal(finding.effect?.attribution.grade, 'exact');
    assert.equal(finding.effect.process.userName, 'www-data');
    assert.ok(finding.evidence.length > 0);
    assert.ok(Math.abs(finding.timeMs - 1_700_000_000_000) < 1000);
    assert.deepEqual(
      finding.story.map(({ type }) => type),
      ['exec', 'exec', 'exit', 'exec', 'open', 'exit', 'connect', 'exit'],
    );
    assert.equal(bench.pipeline.desk.counters.findings, 1);
    assert.deepEqual(bench.reports, []);
  });

  test('handled safely it is at most an attempt', () => {
    const bench = new Bench();
    const { server } = bench;
    const connection = bench.get(server, attack);
    const ping = bench.program(server, 'ping', '-c1', '127.0.0.1; cat /etc/passwd');
    bench.kernel.exit(ping, 2);
    bench.reply(server, connection, 500);
    bench.pipeline.end();
    assert.ok(bench.findings.length <= 1);
    for (const { verdict } of bench.findings) assert.equal(verdict, 'PROBED');
  });

  test('an ordinary request is nothing', () => {
    const bench = new Bench();
    const { server } = bench;
    const connection = bench.get(server, '/ping?host=192.0.2.7');
    const shell = bench.shell(server, 'ping -c1 192.0.2.7');
    bench.program(shell, 'ping', '-c1', '192.0.2.7');
    bench.reply(server, connection);
    bench.pipeline.end();
    assert.deepEqual(bench.verdicts, []);
  });

  test('among others in flight it is the attack that is named', () => {
    const bench = new Bench();
    const { kernel, server } = bench;
    const threads = Array.from({ length: 20 }, () => kernel.thread(server));
    const connections = threads.map((thread, index) =>
      bench.get(thread, index === 7 ? attack : `/ping?host=192.0.2.${index}`),
    );
    const shells = threads.map((thread, index) =>
      bench.shell(thread, index === 7 ? 'ping -c1 127.0.0.1; cat /etc/passwd' : `ping -c1 192.0.2.${index}`),
    );
    for (const shell of shells) bench.program(shell, 'ping');
    threads.forEach((thread, index) => {
      const connection = connections[index];
      if (connection !== undefined) bench.reply(thread, connection);
    });
    bench.pipeline.end();
    assert.deepEqual(bench.verdicts, ['EXPLOITED command-injection']);
    assert.equal(bench.findings[0]?.request?.message.target, attack);
    assert.equal(bench.requests.length, 20);
    for (const { effects } of bench.requests)
      assert.deepEqual(
        effects.map(({ type }) => type),
        ['exec', 'exec'],
      );
    assert.deepEqual(bench.orphans, []);
  });
});

describe('a proxy and the application behind it', () => {
  const attack = '/ping?host=127.0.0.1%3B%20id';

  test('are one finding, of the client of the proxy', () => {
    const bench = new Bench();
    const { kernel } = bench;
    const proxy = kernel.process(4100);
    const downstream = bench.get(proxy, attack);
    const client = kernel.client(proxy);
    kernel.ask(proxy, client, `GET ${attack} HTTP/1.0\r\nHost: app\r\nX-Forwarded-For: 192.0.2.66\r\n\r\n`);
    const upstream = kernel.accept(bench.server, false, client);
    kernel.read(
      bench.server,
      upstream,
      `GET ${attack} HTTP/1.0\r\nHost: app\r\nX-Forwarded-For: 192.0.2.66\r\n\r\n`,
    );
    const shell = bench.shell(bench.server, 'ping -c1 127.0.0.1; id');
    bench.program(shell, 'id');
    bench.reply(bench.server, upstream);
    kernel.answer(proxy, client, 'HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok');
    bench.reply(proxy, downstream);
    bench.pipeline.end();
    assert.deepEqual(bench.verdicts, ['EXPLOITED command-injection']);
    const [finding] = bench.findings;
    const hop = finding?.request?.hop;
    assert.equal(finding?.request?.process.pid, 4000, 'the request that has the effects');
    assert.equal(hop?.proxy.pid, 4100);
    assert.equal(hop?.front?.connection.client.address, '203.0.113.9', 'and no claim of the message');
    assert.equal(bench.requests.length, 2);
    const front = bench.requests.find((request) => request === hop.front);
    const [query] = front?.effects ?? [];
    assert.ok(query?.type === 'query' && query.servedAs === finding?.request);
    assert.deepEqual(bench.reports, []);
  });
});

describe('requests', () => {
  test('a finished one is shown with its effects once they have settled, later ones after it', () => {
    const bench = new Bench();
    const { kernel, server } = bench;
    const connection = bench.get(server, '/report');
    kernel.open(server, '/srv/report');
    const child = bench.program(server, 'convert');
    bench.reply(server, connection, 404);
    kernel.open(child, '/tmp/soon');
    assert.equal(bench.requests.length, 0);
    kernel.nowNs += 300e6;
    kernel.open(child, '/tmp/late');
    const [request] = bench.requests;
    assert.ok(request);
    assert.equal(request.status, 404);
    assert.deepEqual(
      request.effects.map(({ type }) => type),
      ['open', 'exec', 'open', 'open'],
    );
    assert.deepEqual(bench.late, ['abcdefgh-75.1 open']);
  });

  test('the connection that closes before a reply ends its request', () => {
    const bench = new Bench();
    const connection = bench.get(bench.server, '/slow');
    bench.kernel.close(connection);
    bench.guarded.tick(bench.kernel.nowNs + 1e9);
    assert.equal(bench.requests.length, 1);
    assert.equal(bench.requests[0]?.status, null);
  });

  test('so does the end of the process', () => {
    const bench = new Bench();
    bench.get(bench.server, '/crash');
    bench.kernel.exit(bench.server, 139);
    bench.pipeline.end();
    assert.equal(bench.requests.length, 1);
    assert.deepEqual(
      bench.requests[0]?.effects.map(({ type }) => type),
      ['exit'],
    );
  });

  test('what cannot be placed is told as such, with its candidates', () => {
    const bench = new Bench();
    const { kernel, server } = bench;
    bench.get(server, '/first');
    bench.get(server, '/second');
    kernel.open(server, '/srv/x');
    assert.equal(bench.orphans.length, 1);
    assert.equal(bench.orphans[0]?.attribution.candidates.length, 2);
    kernel.open(kernel.process(), '/srv/y');
    assert.equal(bench.orphans.length, 1);
  });

  test('nothing is collected that nobody wants', () => {
    const bench = new Bench(createDetectors(), { findings: false, requests: false, events: false });
    const connection = bench.get(bench.server, '/ping?host=;id');
    bench.shell(bench.server, 'ping ;id');
    bench.reply(bench.server, connection);
    bench.pipeline.end();
    assert.deepEqual([bench.findings, bench.requests, bench.orphans, bench.kinds], [[], [], [], []]);
    assert.equal(bench.pipeline.attributor.counters.exact, 1);
  });
});

describe('what is not read', () => {
  test('a connection that speaks something else is given up', () => {
    const bench = new Bench();
    const { kernel, server } = bench;
    const connection = kernel.accept(server);
    kernel.read(server, connection, 'SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n');
    assert.deepEqual(bench.ignored, [connection.id]);
    kernel.open(server, '/srv/x');
    assert.deepEqual(bench.requests, []);
    assert.deepEqual(bench.orphans, []);
  });

  test('unknown and malformed events are counted and skipped', () => {
    const bench = new Bench();
    for (const size of [0, 10, 56, 100]) {
      const bytes = new Uint8Array(size);
      bench.guarded.event(bytes, new DataView(bytes.buffer), 0, size);
    }
    const { malformed, unknownVersion } = bench.pipeline.decoder.counters;
    assert.equal(malformed + unknownVersion, 4);
    assert.equal(bench.guarded.errorCount, 0);
  });

  test('losses are told and added up; a loop is not believed right after', () => {
    const bench = new Bench();
    const { kernel, server } = bench;
    const first = bench.get(server, '/first');
    bench.reply(server, first);
    kernel.epollWait(server);
    bench.get(server, '/second');
    kernel.epollWait(server);
    const third = kernel.accept(server);
    kernel.epollWait(server);
    kernel.read(server, third, 'GET /third HTTP/1.1\r\n\r\n');
    for (const reasons of [{ 'payload-ring-full': 2 }, { 'payload-ring-full': 1, 'scratch-buffer-busy': 1 }])
      bench.guarded.fact({ kind: 'loss', timeNs: kernel.nowNs, reasons });
    assert.deepEqual(bench.pipeline.losses, { 'payload-ring-full': 3, 'scratch-buffer-busy': 1 });
    assert.equal(bench.losses.length, 2);
  });

  test('what was lost of security events is a finding, with the container that it was of', () => {
    const bench = new Bench();
    const { kernel } = bench;
    const id = 'ab'.repeat(32);
    bench.guarded.fact({ kind: 'cgroup', cgroupId: 909, paths: [`/docker/${id}`] });
    bench.guarded.fact({
      kind: 'blind',
      timeNs: kernel.nowNs,
      reason: 'cgroup-budget',
      cgroupId: 909,
      events: 12_000,
      fromNs: kernel.nowNs,
      untilNs: kernel.nowNs + 50e6,
    });
    bench.pipeline.tick(kernel.nowNs + 60e6);
    assert.deepEqual(
      bench.findings.map((finding) => [finding.class, finding.title]),
      [['blind', `Blind for 50 ms: 12,000 events lost (container ${id} had used up its budget)`]],
    );
    assert.match(bench.findings[0]?.id ?? '', /-f1$/);
  });

  for (const reason of [
    'payload-ring-full',
    'security-ring-full',
    'connection-table-full',
    'scratch-buffer-busy',
  ])
    test(`after ${reason} there may be requests that we know nothing of`, () => {
      const bench = new Bench();
      const { kernel, server } = bench;
      const connection = bench.get(server, '/first');
      bench.reply(server, connection);
      kernel.epollWait(server);
      kernel.read(server, connection, 'GET /second HTTP/1.1\r\n\r\n');
      bench.guarded.fact({ kind: 'loss', timeNs: kernel.nowNs, reasons: { [reason]: 1 } });
      kernel.open(server, '/srv/x');
      assert.equal(bench.orphans.length, 1);
    });
});

describe('bytes were lost', () => {
  for (const [whose, reasons, isDoubted] of [
    ['its own', { 'payload-ring-full': 1 }, true],
    ["another process's", { 'payload-ring-full': 1, 'tls-plaintext-unplaced': 3 }, false],
    ["another process's, and more", { 'payload-ring-full': 1, 'scratch-buffer-busy': 1 }, true],
    ['nobody knows whose', { 'payload-ring-full': 1 }, true],
    ["a process's that is not known", { 'payload-ring-full': 1 }, true],
  ] as const)
    test(`${whose}: requests ${isDoubted ? 'may be' : 'are not'} missing`, () => {
      const bench = new Bench();
      const { kernel, server } = bench;
      const other = kernel.process();
      kernel.accept(other);
      const connection = bench.get(server, '/first');
      bench.reply(server, connection);
      kernel.epollWait(server);
      kernel.read(server, connection, 'GET /second HTTP/1.1\r\n\r\n');
      const readers = {
        'its own': [other.tid, server.tid],
        'nobody knows whose': undefined,
        "a process's that is not known": [4_000_000],
      } as Record<string, readonly number[] | undefined>;
      const known = whose in readers ? readers[whose] : [other.tid];
      bench.guarded.fact({
        kind: 'loss',
        timeNs: kernel.nowNs,
        reasons,
        ...(known === undefined ? {} : { readers: known }),
      });
      kernel.open(server, '/srv/x');
      assert.equal(bench.orphans.length, isDoubted ? 1 : 0);
    });
});

describe('a detector that throws', () => {
  test('costs only its own event: counted, told a few times, and everybody goes on', () => {
    const broken: Detector = {
      name: 'broken',
      onEffect: () => {
        throw new Error('a bug');
      },
    };
    const bench = new Bench([...createDetectors(), broken]);
    const { server } = bench;
    for (let index = 0; index < 10; index++) {
      const connection = bench.get(server, `/run?x=1%3Bid%20${index}`);
      bench.shell(server, `echo 1;id ${index}`);
      bench.reply(server, connection);
    }
    bench.pipeline.end();
    assert.equal(bench.guarded.errorCount, 10);
    assert.equal(bench.reports.length, 5);
    assert.match(bench.reports[0] ?? '', /a bug/);
    assert.equal(bench.verdicts.filter((verdict) => verdict === 'EXPLOITED command-injection').length, 10);
    assert.equal(bench.requests.length, 10);
  });

  test('in a request does not cost the reply', () => {
    const broken: Detector = {
      name: 'broken',
      onRequest: () => {
        throw new Error('a bug');
      },
    };
    const bench = new Bench([broken]);
    const connection = bench.get(bench.server, '/first');
    bench.reply(bench.server, connection);
    const second = bench.get(bench.server, '/second');
    bench.reply(bench.server, second);
    bench.pipeline.end();
    assert.equal(bench.guarded.errorCount, 2);
    assert.deepEqual(
      bench.requests.map(({ status }) => status),
      [200, 200],
    );
  });
});

describe('effects that a reply decides about', () => {
  /** A reader that hands requests to a worker, who has proved to answer what he has worked on. */
  function provenPool(wants = WANTS_ALL): { bench: Bench; worker: SimulatedThread; seen: Effect[] } {
    const seen: Effect[] = [];
    const detector: Detector = {
      name: 'seen',
      onEffect(effect) {
        seen.push(effect);
        return [];
      },
    };
    const bench = new Bench([detector], wants);
    const { kernel, server } = bench;
    const worker = kernel.thread(server);
    for (let round = 0; round < NEEDED_AGREEMENTS + NEEDED_PAUSES; round++) {
      kernel.nowNs += 1e6;
      const connection = bench.get(server, `/?q=proof-${round}-x`);
      kernel.open(worker, `/srv/proof-${round}-x`);
      bench.reply(worker, connection);
    }
    kernel.nowNs += 1e9;
    bench.get(server, '/other');
    seen.length = 0;
    bench.orphans.length = 0;
    return { bench, worker, seen };
  }

  test('are shown with their request, and judged once, when it is settled', () => {
    const { bench, worker, seen } = provenPool();
    const { kernel, server } = bench;
    const connection = bench.get(server, '/alpha');
    kernel.open(worker, '/srv/x');
    const child = bench.program(worker, 'convert');
    kernel.exit(child);
    assert.equal(seen.length, 0);
    bench.reply(worker, connection);
    assert.deepEqual(
      seen.map(
        ({ type, attribution }) => `${type} ${attribution.grade} ${attribution.request?.message.target}`,
      ),
      ['open linked /alpha', 'exec linked /alpha', 'exit linked /alpha'],
    );
    bench.pipeline.end();
    const alpha = bench.requests.find(({ message }) => message.target === '/alpha');
    assert.deepEqual(
      alpha?.effects.map(({ type }) => type),
      ['open', 'exec', 'exit'],
    );
    assert.deepEqual([bench.orphans, bench.late], [[], []]);
  });

  test('in order of time, though bytes have decided about some before', () => {
    const { bench, worker } = provenPool();
    const { kernel, server } = bench;
    const connection = bench.get(server, '/?q=alpha-1');
    kernel.open(worker, '/srv/first');
    kernel.open(worker, '/srv/alpha-1');
    kernel.open(worker, '/srv/last');
    bench.reply(worker, connection);
    bench.pipeline.end();
    const alpha = bench.requests.find(({ message }) => message.target === '/?q=alpha-1');
    assert.deepEqual(
      alpha?.effects.map(
        (effect) => `${effect.attribution.grade} ${effect.type === 'open' ? effect.path : ''}`,
      ),
      ['linked /srv/first', 'matched /srv/alpha-1', 'linked /srv/last'],
    );
  });

  test('are waited for a while only', () => {
    const { bench, worker, seen } = provenPool();
    const { kernel, server } = bench;
    const connection = bench.get(server, '/slow');
    kernel.open(worker, '/srv/x');
    bench.pipeline.tick(kernel.nowNs + 1.9e9);
    assert.equal(seen.length, 0);
    bench.pipeline.tick(kernel.nowNs + 2.1e9);
    assert.deepEqual(
      seen.map(({ attribution }) => attribution.grade),
      ['ambiguous'],
    );
    assert.equal(bench.orphans.length, 1);
    kernel.nowNs += 3e9;
    bench.reply(worker, connection);
    assert.equal(seen.length, 1, 'asked once');
    assert.equal(seen[0]?.attribution.grade, 'ambiguous');
  });

  test('and shown as they are when nothing follows', () => {
    const { bench, worker, seen } = provenPool();
    bench.get(bench.server, '/alpha');
    bench.kernel.open(worker, '/srv/x');
    bench.pipeline.end();
    assert.deepEqual(
      seen.map(({ attribution }) => attribution.grade),
      ['ambiguous'],
    );
    assert.equal(bench.orphans.length, 1);
  });

  test('likewise where only findings are wanted', () => {
    const { bench, worker, seen } = provenPool({ findings: true, requests: false, events: false });
    const connection = bench.get(bench.server, '/alpha');
    bench.kernel.open(worker, '/srv/x');
    bench.reply(worker, connection);
    assert.deepEqual(
      seen.map(({ attribution }) => attribution.grade),
      ['linked'],
    );
  });
});

describe('hashes of programs', () => {
  const attack = '/ping?host=127.0.0.1%3B%20id';
  const SHA256 = 'ab'.repeat(32);

  function attacked(isAnswered: boolean): Bench {
    const bench = new Bench();
    const { kernel, server } = bench;
    if (isAnswered) bench.guarded.fact({ kind: 'hashing' });
    bench.get(server, attack);
    bench.reply(server, kernel.accept(server));
    // The attempt alone: nothing is run.
    bench.pipeline.tick(kernel.nowNs + 2e9);
    return bench;
  }

  test('a finding waits for that of its process, which is asked for once', () => {
    const bench = attacked(true);
    const { pid, startTicks } = bench.server.process;
    assert.deepEqual(bench.questions, [
      {
        key: `process ${pid}:${startTicks}`,
        executed: null,
        path: '/usr/bin/node',
        mountNamespace: 0,
        pid,
        startTicks,
        relatives: [],
      },
    ]);
    assert.deepEqual(bench.verdicts, []);
    const [question] = bench.questions;
    bench.guarded.fact({ kind: 'hash', file: question?.key ?? '', sha256: SHA256, problem: '' });
    bench.pipeline.tick(bench.kernel.nowNs + 2.01e9);
    assert.deepEqual(bench.verdicts, ['PROBED command-injection']);
    assert.deepEqual(bench.findings[0]?.request?.process.file?.hash, { sha256: SHA256, problem: null });
  });

  test('a moment at most', () => {
    const bench = attacked(true);
    bench.pipeline.tick(bench.kernel.nowNs + 3e9);
    assert.deepEqual(bench.verdicts, ['PROBED command-injection']);
    assert.equal(bench.findings[0]?.request?.process.file?.hash, null);
  });

  test('where nobody answers, nothing is asked and nothing waits', () => {
    const bench = attacked(false);
    assert.deepEqual(bench.questions, []);
    assert.deepEqual(bench.verdicts, ['PROBED command-injection']);
  });
});
