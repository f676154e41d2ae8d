/** TLS in Go, whose goroutines move between threads, whose stacks move, and whose memory is used again without notice. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { createServer, connect as connectPlain } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from 'node:tls';
import { promisify } from 'node:util';
import type { EffectView, RequestView } from '../../src/output/views.ts';
import { makeCertificate } from '../support/certificate.ts';
import { requireKernel } from '../support/kernel.ts';
import { sendLoad, type LoadResult } from '../support/load.ts';
import { freePort } from '../support/ports.ts';
import { answers, ProcessGroup } from '../support/process-group.ts';
import { untilProbed } from '../support/secured.ts';
import { buildGo } from '../support/server-kinds.ts';
import { startServer, whyUnavailable, type TestServer } from '../support/server.ts';
import { startThroughline, type Throughline } from '../support/throughline.ts';
import { figures, idIn, judge, traceOf, untilTraced, type Verdicts } from '../support/truth.ts';

requireKernel();

const run = promisify(execFile);
const SOURCE = join(import.meta.dirname, 'programs', 'go-tls.go');
const LATE_MS = 150;
const ATTEMPTS = 3;
const LOAD = { requests: 300, concurrency: 50 } as const;
/** Each allocation is near a collection, so that a connection's memory is soon another's. */
const COLLECTED = { GOGC: '1' } as const;

suite('TLS of Go', { skip: whyUnavailable('go') ?? false }, () => {
  let agent: Throughline;
  before(async () => {
    agent = await startThroughline(['trace', '--json']);
  });
  after(async () => {
    await agent.stop();
  });

  /** Sends the load until nothing was lost meanwhile. @returns what was traced of it */
  async function observe(send: () => Promise<LoadResult[]>): Promise<{
    load: LoadResult[];
    requests: RequestView[];
    verdicts: () => Verdicts;
    orphans: EffectView[];
  }> {
    for (let attempt = 1; ; attempt++) {
      const first = agent.messages.length;
      const load = await send();
      assert.deepEqual(new Set(load.map(({ status, error }) => `${status} ${error}`)), new Set(['200 null']));
      const isTraced = await untilTraced(agent, load).then(
        () => true,
        () => false,
      );
      await sleep(LATE_MS);
      const messages = agent.messages.slice(first);
      const ids = new Set(load.map(({ id }) => id));
      const trace = traceOf(messages);
      const requests = trace.requests.filter(({ target }) => ids.has(idIn(target) ?? ''));
      const losses = messages.filter(({ kind }) => kind === 'loss');
      if (losses.length > 0 && attempt < ATTEMPTS) continue;
      assert.ok(isTraced, `requests are missing: ${JSON.stringify(losses)}\n${agent.stderr}`);
      return {
        load,
        requests,
        verdicts: () => judge(trace, load),
        orphans: trace.orphans.map(({ effect }) => effect),
      };
    }
  }

  for (const [name, env] of [
    ['many threads', { GOMAXPROCS: '8' }],
    ['one thread, memory used again', { GOMAXPROCS: '1', ...COLLECTED }],
    ['many threads, memory used again', { GOMAXPROCS: '8', ...COLLECTED }],
  ] as const)
    test(`server, ${name}: effects are on their requests`, async (t) => {
      await using server = await startServer('go', 64, true, env);
      await untilProbed(agent, server);
      // What was in flight while it was being looked at stays possible.
      await sleep(1000);
      for (const keepAlive of [true, false]) {
        const { verdicts } = await observe(() => sendWork(server, keepAlive));
        const judged = verdicts();
        t.diagnostic(`${keepAlive ? 'keep-alive' : 'close'}: ${figures(judged)}`);
        assert.equal(judged.wrong, 0, judged.examples.join('\n'));
        assert.equal(judged.misled, 0, judged.examples.join('\n'));
        assert.ok(judged.right >= 0.99 * judged.expected, figures(judged));
      }
    });

  function sendWork(server: TestServer, keepAlive: boolean): Promise<LoadResult[]> {
    const target = (id: string, port: number): string => `/work?id=${id}&port=${port}&carry=reversed`;
    return sendLoad({ url: server.url, ...LOAD, keepAlive, sinkPorts: server.sinkPorts, target });
  }

  test('HTTP/2: handlers run in goroutines that have read nothing, so their effects are nobody else’s', async (t) => {
    await using server = await startServer('go', 1, true);
    await untilProbed(agent, server);
    for (const protocol of ['--http1.1', '--http2']) {
      const first = agent.messages.length;
      const words = Array.from({ length: 24 }, (_, index) => `word${protocol.slice(-1)}${index + 100}`);
      const { stdout } = await run('curl', [
        ...['--silent', '--show-error', '--insecure', '--parallel', '--parallel-max', '8', protocol],
        ...words.map((word) => `${server.url}/run?cmd=${word}`),
      ]);
      assert.equal(stdout.trim().split('\n').length, words.length);
      const traced = (): RequestView[] =>
        traceOf(agent.messages.slice(first)).requests.filter(({ target }) => target.startsWith('/run'));
      await agent.waitFor(() => traced().length >= words.length);
      await sleep(LATE_MS);
      assert.deepEqual(
        traced()
          .map(({ target, status }) => `${target} ${status}`)
          .toSorted(),
        words.map((word) => `/run?cmd=${word} 200`),
      );
      let right = 0;
      for (const { target, effects } of traced())
        for (const effect of effects) {
          if (effect.type !== 'exec') continue;
          assert.ok(effect.argv.join(' ').includes(target.slice('/run?cmd='.length)), JSON.stringify(effect));
          right++;
        }
      t.diagnostic(`${protocol}: ${right} of ${2 * words.length} programs are on their requests`);
      if (protocol === '--http1.1') assert.equal(right, 2 * words.length);
    }
  });

  test('a request, with the client’s goodbye behind it in one segment', async () => {
    await using server = await startServer('go', 1, true);
    await untilProbed(agent, server);
    const first = agent.messages.length;
    await sendAndLeave(server.port, 'GET /run?cmd=goodbye HTTP/1.1\r\nHost: a\r\n\r\n');
    const traced = (): RequestView[] =>
      traceOf(agent.messages.slice(first)).requests.filter(({ target }) => target === '/run?cmd=goodbye');
    await agent.waitFor(() => traced().length > 0);
    await sleep(LATE_MS);
    const programs = traced().flatMap(({ effects }) => effects.filter(({ type }) => type === 'exec'));
    assert.deepEqual(new Set(programs.map(({ grade }) => grade)), new Set(['exact']));
  });

  suite('what it asks others', () => {
    let programs: GoPrograms;
    before(async () => {
      programs = await startPrograms();
      await untilProbed(agent, programs.upstream);
      await sleep(1000);
    });
    after(async () => {
      await programs[Symbol.asyncDispose]();
    });

    /** Questions that are on a request: how many carry that request's id. Nobody's may be on another one. */
    const ask = async (
      t: TestContext,
      path: string,
      keepAlive: boolean,
      carry: 'plain' | 'reversed' = 'reversed',
    ): Promise<Map<string, number>> => {
      const mark = carry === 'plain' ? (id: string) => id : reversed;
      const { load, requests, orphans } = await observe(() =>
        sendLoad({
          url: programs.server.url,
          requests: 100,
          concurrency: 20,
          keepAlive,
          target: (id) => `${path}?id=${id}&carry=${carry}`,
        }),
      );
      for (const { id, body } of load) assert.ok(body.includes(mark(id)), body);
      const grades = new Map<string, number>();
      for (const { target, effects } of requests) {
        if (!target.startsWith(path)) continue;
        for (const effect of effects) {
          if (effect.type !== 'query') continue;
          assert.ok(JSON.stringify(effect).includes(mark(idIn(target) ?? '')), JSON.stringify(effect));
          grades.set(effect.grade, (grades.get(effect.grade) ?? 0) + 1);
        }
      }
      const asked = new Set(
        orphans.filter(({ type }) => type === 'query').map((effect) => idIn(JSON.stringify(effect))),
      );
      t.diagnostic(`${path}: ${JSON.stringify([...grades])} on their requests, ${asked.size} ambiguous`);
      const told = [...grades.values()].reduce((sum, count) => sum + count, 0) + asked.size;
      assert.ok(told >= 0.95 * load.length, `${told} questions are told`);
      return grades;
    };

    for (const keepAlive of [true, false])
      test(`in the request's goroutine, ${keepAlive ? 'keep-alive' : 'close'}`, async (t) => {
        const grades = await ask(t, '/dial', keepAlive);
        assert.ok((grades.get('exact') ?? 0) >= 99, JSON.stringify([...grades]));
      });

    for (const path of ['/ask', '/ask2'])
      test(`through net/http, ${path}: by other goroutines, never on another request`, async (t) => {
        await ask(t, path, true);
        const grades = await ask(t, path, true, 'plain');
        assert.ok((grades.get('matched') ?? 0) >= 95, JSON.stringify([...grades]));
      });
  });

  test('stacks that grow in the middle of a call, while memory is used again', async (t) => {
    await using programs = await startPrograms({ ...COLLECTED, GOMAXPROCS: '4' });
    await untilProbed(agent, programs.upstream);
    for (const keepAlive of [true, false]) {
      const { load, requests } = await observe(() =>
        sendLoad({
          url: programs.upstream.url,
          requests: 200,
          concurrency: 40,
          keepAlive,
          target: (id) => `/deep?id=${id}`,
        }),
      );
      for (const { id, body } of load)
        assert.equal(body, [0, 1, 2, 3].map((piece) => `${id} ${piece}\n`).join(''));
      let right = 0;
      assert.equal(requests.length, load.length);
      for (const { target, status, anomalies, effects } of requests) {
        assert.deepEqual([status, anomalies], [200, []]);
        const id = reversed(idIn(target) ?? '');
        for (const effect of effects) {
          if (effect.type !== 'open' || !effect.path.endsWith('.txt')) continue;
          assert.ok(effect.path.endsWith(`${id}.txt`), effect.path);
          right++;
        }
      }
      t.diagnostic(`${right} of ${load.length} files are on their requests`);
      assert.ok(right >= 0.99 * load.length);
    }
    assert.ok(!programs.upstream.group.hasEnded, programs.upstream.group.errors);
  });
});

function reversed(text: string): string {
  return Array.from(text).toReversed().join('');
}

interface GoProgram {
  readonly url: string;
  readonly port: number;
  readonly group: ProcessGroup;
}

/** A server on TLS without symbols, and one with symbols that asks it. */
interface GoPrograms extends AsyncDisposable {
  readonly server: GoProgram;
  readonly upstream: GoProgram;
}

async function startPrograms(env: Readonly<Record<string, string>> = {}): Promise<GoPrograms> {
  await using cleanup = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), 'throughline-tls-go-'));
  cleanup.defer(() => rm(directory, { recursive: true, force: true }));
  await chmod(directory, 0o755);
  const { certificateFile, keyFile } = makeCertificate(directory);
  const start = async (
    name: string,
    secure: boolean,
    flags: readonly string[],
    ...args: string[]
  ): Promise<GoProgram> => {
    const port = await freePort();
    const program = buildGo(directory, name, SOURCE, ...flags);
    const secured: Record<string, string> = secure
      ? { TLS_CERTIFICATE: certificateFile, TLS_KEY: keyFile }
      : {};
    const group = cleanup.use(
      new ProcessGroup({
        program,
        args: [String(port), ...args],
        env: { PATH: '/usr/bin:/bin', WORK_DIR: directory, ...secured, ...env },
        cwd: directory,
      }),
    );
    const url = `${secure ? 'https' : 'http'}://127.0.0.1:${port}`;
    await group.untilReady(name, () => answers(`${url}/`), 15_000);
    return { url, port, group };
  };
  const upstream = await start('go-upstream', true, ['-ldflags=-s -w']);
  const server = await start('go-asks', false, [], upstream.url);
  const resources = cleanup.move();
  return { server, upstream, [Symbol.asyncDispose]: () => resources.disposeAsync() };
}

/** Says goodbye right behind its request: a relay holds all that comes after the greeting back, and sends it at once. */
async function sendAndLeave(port: number, request: string): Promise<void> {
  const relay = createServer((client) => {
    const upstream = connectPlain({ host: '127.0.0.1', port, noDelay: true });
    upstream.on('error', () => client.destroy()).on('data', (chunk) => client.write(chunk));
    client.on('error', () => upstream.destroy());
    client.once('data', (greeting) => {
      upstream.write(greeting);
      const held: Buffer[] = [];
      client.on('data', (chunk) => held.push(chunk));
      client.once('end', () => upstream.end(Buffer.concat(held)));
    });
  });
  await new Promise<void>((done) => relay.listen(0, '127.0.0.1', done));
  try {
    const address = relay.address();
    assert.ok(typeof address === 'object' && address !== null);
    const client = connect({ host: '127.0.0.1', port: address.port, rejectUnauthorized: false });
    client.on('error', () => undefined);
    await new Promise<void>((done) => client.once('secureConnect', done));
    client.end(request);
    await sleep(500);
    client.destroy();
  } finally {
    relay.close();
  }
}
