import assert from 'node:assert/strict';
import { after, before, suite, test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RequestView } from '../../src/output/views.ts';
import { requireKernel } from '../support/kernel.ts';
import { sendLoad, type LoadResult } from '../support/load.ts';
import {
  SERVER_KINDS,
  startServer,
  whyUnavailable,
  type CommonKind,
  type ServerKind,
  type TestServer,
} from '../support/server.ts';
import { startThroughline, type Throughline } from '../support/throughline.ts';
import { figures, idIn, judge, traceOf, untilTraced, type Verdicts } from '../support/truth.ts';
import { assertOrphan, assertRequest } from '../support/view-shapes.ts';

requireKernel();

const SEQUENTIAL = { requests: 20, concurrency: 1 } as const;
const CONCURRENT = { requests: 300, concurrency: 50 } as const;
/** Another load on the host may cost us events. They are told, and then the load is sent again. */
const ATTEMPTS = 3;
/** Effects that come after their request was printed. */
const LATE_MS = 100;
/** Until a process that has begun to listen was looked at, and its functions are probed. */
const LOOK_MS = 1000;

/** `plain` effects carry the request's own bytes; with `reversed` ones only the mechanism can tell. */
type Carry = 'plain' | 'reversed';

let agent: Throughline;
before(async () => {
  agent = await startThroughline(['trace', '--json']);
});
after(async () => {
  await agent.stop();
});

interface Observed {
  readonly load: readonly LoadResult[];
  readonly verdicts: Verdicts;
}

/** Sends a load and judges what the trace says of it. Whatever was lost meanwhile, nothing may be wrong. */
async function observe(t: TestContext, name: string, send: () => Promise<LoadResult[]>): Promise<Observed> {
  for (let attempt = 1; ; attempt += 1) {
    const first = agent.messages.length;
    const load = await send();
    assert.deepEqual(
      load.filter(({ status }) => status !== 200),
      [],
      'the server answers every request',
    );
    const isTraced = await untilTraced(agent, load).then(
      () => true,
      () => false,
    );
    assert.ok(!agent.hasEnded, `the agent has ended:\n${agent.stderr}`);
    await sleep(LATE_MS);
    const messages = agent.messages.slice(first);
    const verdicts = judge(traceOf(messages), load);
    t.diagnostic(`${name}: ${figures(verdicts)}`);
    assert.equal(verdicts.wrong, 0, `${name}: ${verdicts.examples.join('\n')}`);
    const hasLoss = messages.some(({ kind }) => kind === 'loss');
    if (hasLoss && attempt < ATTEMPTS) {
      t.diagnostic(`${name}: events were lost, sending it again`);
      continue;
    }
    assert.ok(isTraced, `${name}: requests are missing; the agent said:\n${agent.stderr}`);
    assert.equal(verdicts.misled, 0, `${name}: ${verdicts.examples.join('\n')}`);
    return { load, verdicts };
  }
}

function sendWork(
  server: TestServer,
  size: typeof SEQUENTIAL | typeof CONCURRENT,
  keepAlive: boolean,
  carry: Carry,
): Promise<LoadResult[]> {
  const path = size === SEQUENTIAL ? '/shell' : '/work';
  return sendLoad({
    url: server.url,
    ...size,
    keepAlive,
    sinkPorts: server.sinkPorts,
    target: (id, port) => `${path}?id=${id}&port=${port}&carry=${carry}`,
  });
}

/** An effect may be missing for what the machine was busy with. Until an event loop is known for one it is not believed. */
const LEAST_RIGHT: Readonly<Record<CommonKind, number>> = {
  node: 0.95,
  'python-threading': 0.99,
  'python-forking': 0.99,
  uvicorn: 0.99,
  uvloop: 0.99,
  go: 0.99,
  php: 0.99,
  'apache-cgi': 0.99,
};

function assertShare(verdicts: Verdicts, count: number, name: string, least: number): void {
  assert.ok(count >= least * verdicts.expected, `${name}: ${figures(verdicts)}`);
}

for (const kind of SERVER_KINDS) {
  suite(`attribution, ${kind}`, { skip: whyUnavailable(kind) ?? false }, () => {
    let server: TestServer;
    before(async () => {
      server = await startServer(kind);
      // Connections from before it was looked at are not followed: see the limits in docs/ATTRIBUTION.md.
      if (kind === 'uvicorn' || kind === 'uvloop') await sleep(LOOK_MS);
    });
    after(async () => {
      await server.stop();
    });

    for (const keepAlive of [true, false])
      for (const carry of ['plain', 'reversed'] as const)
        for (const size of [SEQUENTIAL, CONCURRENT]) {
          const name = `${kind}, ${keepAlive ? 'keep-alive' : 'close'}, ${size.concurrency} at once, ${carry}`;
          test(name, async (t) => {
            const { verdicts } = await observe(t, name, () => sendWork(server, size, keepAlive, carry));
            assertShare(verdicts, verdicts.right, name, LEAST_RIGHT[kind]);
          });
        }

    test(`${kind}: the JSON of one request, field by field`, async (t) => {
      await checkJson(t, kind, server);
    });
  });
}

async function checkJson(t: TestContext, kind: ServerKind, server: TestServer): Promise<void> {
  const { load } = await observe(t, 'one request', () =>
    sendLoad({ url: server.url, requests: 1, concurrency: 1, sinkPorts: server.sinkPorts.slice(0, 1) }),
  );
  const [sent] = load;
  assert.ok(sent);
  const { requests, late, orphans } = traceOf(agent.messages);
  const request = requests.find(({ target }) => target === sent.target);
  assert.ok(request);
  assertRequest(request);
  assert.match(request.id, /^[0-9a-f]{8}-[0-9a-z.]+$/);
  assert.equal(request.method, 'GET');
  assert.deepEqual(request.client, { ip: '127.0.0.1', port: sent.clientPort });
  assert.equal(request.server.address, '127.0.0.1');
  assert.equal(request.server.port, server.port);
  assert.equal(request.status, 200);
  assert.ok(Math.abs(Date.now() - Date.parse(request.startedAt)) < 60_000, request.startedAt);
  assert.ok((request.durationMs ?? 0) > 0 && (request.durationMs ?? 0) < 30_000, `${request.durationMs} ms`);
  assert.equal(request.droppedEffects, 0);
  assert.deepEqual(request.anomalies, []);
  assert.equal(request.truncated, false);
  if (kind === 'node' || kind === 'python-threading') assert.equal(request.server.pid, server.pid);
  assertTree(
    request,
    [...request.effects, ...late.filter((one) => one.request === request.id).map((one) => one.effect)],
    sent.id,
  );
  for (const orphan of orphans) assertOrphan(orphan);
  assert.deepEqual(agent.otherLines, [], 'with --json, stdout holds nothing but JSON');
}

/** The effects hang together as a tree: whoever did one is the server or was started by somebody before. */
function assertTree(request: RequestView, effects: RequestView['effects'], id: string): void {
  const echo = effects.find((effect) => effect.type === 'exec' && effect.argv.includes(id));
  assert.ok(echo?.type === 'exec');
  assert.equal(echo.path, '/bin/echo');
  assert.match(echo.executable, /\/echo$/);
  assert.equal(echo.comm, 'echo');
  const opens = effects.filter((effect) => effect.type === 'open' && idIn(effect.path) === id);
  assert.deepEqual(
    opens.map((effect) => effect.type === 'open' && effect.write),
    [true, false],
  );
  assert.ok(effects.some((effect) => effect.type === 'exit' && effect.pid === echo.pid && effect.code === 0));
  const times = request.effects.map(({ time }) => time);
  assert.deepEqual(times, times.toSorted(), 'in order of time');
}

test('requests to two paths of one event loop, one of them alone on its path', async (t) => {
  await using server = await startServer('node');
  // The name of the path stands in every file name (.../work/...): that says nothing about who opened it.
  const name = 'one /work among many /shell, reversed';
  let count = 0;
  const { verdicts } = await observe(t, name, () =>
    sendLoad({
      url: server.url,
      requests: 60,
      concurrency: 30,
      sinkPorts: server.sinkPorts,
      target: (id, port) => `${count++ % 30 === 0 ? '/work' : '/shell'}?id=${id}&port=${port}&carry=reversed`,
    }),
  );
  assertShare(verdicts, verdicts.right + verdicts.ambiguous, name, 0.99);
});
