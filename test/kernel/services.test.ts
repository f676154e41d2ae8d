import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RequestView } from '../../src/output/views.ts';
import { requireKernel } from '../support/kernel.ts';
import { sendLoad } from '../support/load.ts';
import { startThroughline, type Throughline } from '../support/throughline.ts';

requireKernel();

/** The server under its other name: the package with the commands has the same program, and starts no service. */
const REDIS = '/usr/bin/redis-check-rdb';
const REQUESTS = 300;
const CONCURRENCY = 16;

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((done) => server.once('listening', done));
  const address = server.address();
  await new Promise((done) => server.close(done));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

async function untilOpen(port: number): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const isOpen = await new Promise<boolean>((done) => {
      const socket = connect(port, '127.0.0.1', () => {
        socket.destroy();
        done(true);
      });
      socket.on('error', () => done(false));
    });
    if (isOpen) return;
    await sleep(50);
  }
  throw new Error(`nobody listens on port ${port}`);
}

suite(
  'what a server asks others',
  { skip: existsSync(REDIS) ? false : 'redis-tools is not installed' },
  () => {
    let agent: Throughline;
    let directory: string;
    let redisPort: number;
    const children: ChildProcess[] = [];

    before(async () => {
      directory = mkdtempSync(join(tmpdir(), 'throughline-services-'));
      agent = await startThroughline(['trace', '--json']);
      redisPort = await freePort();
      const redisArguments = [
        '--port',
        `${redisPort}`,
        '--bind',
        '127.0.0.1',
        '--save',
        '',
        '--dir',
        directory,
      ];
      children.push(spawn(REDIS, redisArguments, { argv0: 'redis-server', stdio: 'ignore' }));
      await untilOpen(redisPort);
    });
    after(async () => {
      for (const child of children) child.kill('SIGKILL');
      await agent.stop();
      rmSync(directory, { recursive: true, force: true });
    });

    interface Counts {
      query: number;
      open: number;
      wrong: string[];
      answered: number;
      requests: number;
    }

    /** A server with so many connections to Redis, asked by 16 clients: what was said of each effect. */
    async function observe(t: TestContext, connections: number): Promise<Counts> {
      const port = await freePort();
      const program = join(import.meta.dirname, 'programs', 'asks-redis.ts');
      const child = spawn(
        process.execPath,
        [program, `${port}`, `${redisPort}`, `${connections}`, directory],
        {
          stdio: 'inherit',
        },
      );
      children.push(child);
      await untilOpen(port);
      const load = await sendLoad({
        url: `http://127.0.0.1:${port}`,
        requests: REQUESTS,
        concurrency: CONCURRENCY,
        keepAlive: true,
        target: (id) => `/?id=${id}`,
      });
      assert.ok(load.every(({ status }) => status === 200));
      const requests = (): RequestView[] =>
        (agent.messages as unknown as RequestView[]).filter(
          ({ kind, server, target }) =>
            kind === 'request' && server.pid === child.pid && target.startsWith('/?id='),
        );
      for (let wait = 0; wait < 100 && requests().length < REQUESTS; wait++) await sleep(50);
      const counts: Counts = { query: 0, open: 0, wrong: [], answered: 0, requests: requests().length };
      for (const request of requests()) {
        const mark = Array.from(request.target.slice('/?id='.length)).toReversed().join('');
        for (const effect of request.effects) {
          if (effect.type !== 'query' && effect.type !== 'open') continue;
          const text = JSON.stringify(effect);
          if (effect.type === 'open' && !text.includes(directory)) continue;
          if (text.includes(mark)) counts[effect.type]++;
          else counts.wrong.push(`${request.target}: ${text}`);
          if (effect.type === 'query' && text.includes('"outcome":{')) counts.answered++;
        }
      }
      t.diagnostic(
        `${connections} connections: ${counts.query} queries and ${counts.open} opens of ${counts.requests} placed, ` +
          `${counts.wrong.length} wrong`,
      );
      return counts;
    }

    test('an event loop is followed through the answers that its requests wait for', async (t) => {
      const counts = await observe(t, 2 * CONCURRENCY);
      assert.deepEqual(counts.wrong, []);
      assert.equal(counts.requests, REQUESTS);
      // Until the loop is known for what it is, the first ones are left open.
      assert.ok(counts.query > 0.7 * REQUESTS, `${counts.query} queries`);
      assert.ok(counts.open > 0.7 * REQUESTS, `${counts.open} opens`);
      assert.equal(counts.answered, counts.query);
    });

    test('with a pool smaller than the load it abstains: a place in the pool is handed over unseen', async (t) => {
      const counts = await observe(t, 4);
      assert.deepEqual(counts.wrong, []);
      assert.equal(counts.requests, REQUESTS);
    });
  },
);
