/** What Node.js hands to libuv's pool: how many probe hits that takes, and whose it is. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { requireKernel } from '../support/kernel.ts';
import { sendLoad, type LoadResult } from '../support/load.ts';
import { freePort } from '../support/ports.ts';
import { answers, ProcessGroup } from '../support/process-group.ts';
import { startThroughline, type Throughline } from '../support/throughline.ts';
import { traceOf, untilTraced } from '../support/truth.ts';

requireKernel();

/** The server under its other name: the package with the commands has the same program, and starts no service. */
const REDIS = '/usr/bin/redis-check-rdb';
const PROGRAM = join(import.meta.dirname, 'programs', 'pool-work.ts');
const START_TIMEOUT_MS = 15_000;
/** Until a process that has begun to listen was looked at, and its functions are probed. */
const LOOK_MS = 1500;
const LATE_MS = 300;
/** For each request of the bench's Node service: docs/ATTRIBUTION.md. */
const MOST_HITS = 14;
/** Of the server while it starts, and of its own timers. */
const OTHER_HITS = 20;

interface Server extends AsyncDisposable {
  readonly url: string;
  readonly program: string;
  readonly directory: string;
}

suite('the pool of Node.js', () => {
  let agent: Throughline;
  let redisPort: number;
  const cleanup = new AsyncDisposableStack();

  before(async () => {
    const directory = await mkdtemp(join(tmpdir(), 'throughline-redis-'));
    cleanup.defer(() => rm(directory, { recursive: true, force: true }));
    redisPort = await freePort();
    const options = ['--port', `${redisPort}`, '--bind', '127.0.0.1', '--save', '', '--dir', directory];
    const redis = spawn(REDIS, options, { argv0: 'redis-server', stdio: 'ignore' });
    cleanup.defer(() => void redis.kill('SIGKILL'));
  });
  after(() => cleanup.disposeAsync());

  /** A copy of Node.js: what others do that run it, the agent among them, is no part of what a request costs. */
  async function startServer(env: Readonly<Record<string, string>>): Promise<Server> {
    await using started = new AsyncDisposableStack();
    const directory = await mkdtemp(join(tmpdir(), 'throughline-pool-'));
    started.defer(() => rm(directory, { recursive: true, force: true }));
    const program = join(directory, 'node');
    await copyFile(process.execPath, program);
    const port = await freePort();
    const args = ['--disable-warning=ExperimentalWarning', PROGRAM, `${port}`, `${redisPort}`, directory];
    const group = started.use(
      new ProcessGroup({ program, args, env: { PATH: '/usr/bin:/bin', ...env }, cwd: directory }),
    );
    const url = `http://127.0.0.1:${port}`;
    await group.untilReady('the server', () => answers(`${url}/`), START_TIMEOUT_MS);
    await sleep(LOOK_MS);
    const resources = started.move();
    return { url, program, directory, [Symbol.asyncDispose]: () => resources.disposeAsync() };
  }

  /** One after the other. */
  async function send(server: Server, path: string, requests: number): Promise<LoadResult[]> {
    const target = (id: string): string => `${path}?id=${id}`;
    const load = await sendLoad({ url: server.url, requests, concurrency: 1, target });
    assert.deepEqual(new Set(load.map(({ status }) => status)), new Set([200]));
    await untilTraced(agent, load);
    await sleep(LATE_MS);
    return load;
  }

  test(`a request that runs a program, writes a file, removes it and asks costs at most ${MOST_HITS} hits`, async (t) => {
    const REQUESTS = 200;
    agent = await startThroughline(['trace', '--json']);
    await using server = await startServer({});
    const load = await send(server, '/work', REQUESTS);
    const { requests } = traceOf(agent.messages);
    const { stderr } = await agent.stop();
    const hits = new RegExp(`^([\\d,]+) probe hits? in [^(\\n]+ \\(${server.program}\\)$`, 'm').exec(stderr);
    assert.ok(hits !== null, stderr);
    const perRequest = (Number(hits[1]?.replaceAll(',', '')) - OTHER_HITS) / REQUESTS;
    t.diagnostic(`${perRequest.toFixed(2)} hits for each request`);
    // And they were worth it.
    const found = { exec: 0, open: 0, query: 0, action: 0 };
    for (const { target, id } of load) {
      const mark = Array.from(id).toReversed().join('');
      for (const effect of requests.find((request) => request.target === target)?.effects ?? []) {
        if (effect.type === 'exit' || effect.type === 'connect') continue;
        const text = JSON.stringify(effect);
        if (effect.type === 'open' && !text.includes(server.directory)) continue;
        if (effect.type === 'action' && effect.action !== 'unlink') continue;
        assert.ok(text.includes(mark), `${target}: ${text}`);
        found[effect.type]++;
      }
    }
    t.diagnostic(`${JSON.stringify(found)} of ${REQUESTS} each`);
    assert.ok(perRequest <= MOST_HITS, `${perRequest} hits`);
    // Until the loop is known for what it is, the first ones are left open.
    for (const [type, count] of Object.entries(found))
      assert.ok(count >= 0.9 * REQUESTS, `${count} of ${REQUESTS}: ${type}`);
  });

  test("what a thread of the pool did for a request is no reason to put a timer's work on it", async (t) => {
    const REQUESTS = 60;
    agent = await startThroughline(['trace', '--json']);
    // All work on one thread, one after the other.
    await using server = await startServer({ UV_THREADPOOL_SIZE: '1', TICKS: '1' });
    const load = await send(server, '/linger', REQUESTS);
    await sleep(LATE_MS);
    const { requests, late, orphans } = traceOf(agent.messages);
    await agent.stop();
    const targets = new Map(load.map(({ id, target }) => [Array.from(id).toReversed().join(''), target]));
    const placed = [
      ...requests.flatMap((request) => request.effects.map((effect) => ({ target: request.target, effect }))),
      ...late.map(({ request, effect }) => ({
        target: requests.find(({ id }) => id === request)?.target,
        effect,
      })),
    ];
    let own = 0;
    for (const { target, effect } of placed) {
      if (effect.type !== 'open' || !effect.path.startsWith(`${server.directory}/`)) continue;
      const name = effect.path.slice(server.directory.length + 1);
      assert.equal(targets.get(name), target, `${effect.path} on ${target}`);
      own++;
    }
    const ticks = orphans.filter(({ effect }) => effect.type === 'open' && effect.path.includes('/tick-'));
    t.diagnostic(`${own} copies on their requests, ${ticks.length} files of the timer on none`);
    // The copy's second path stands beside the first in what was handed over.
    assert.ok(own >= 0.9 * REQUESTS, `${own} of ${REQUESTS} copies`);
    assert.ok(ticks.length > 20, `${ticks.length} files of the timer`);
  });
});
