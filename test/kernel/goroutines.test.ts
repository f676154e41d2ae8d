/** Work in goroutines that handlers start, with a Go that tells who made them. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { requireKernel } from '../support/kernel.ts';
import { sendLoad } from '../support/load.ts';
import { NewerGo, whyNoNewerGo } from '../support/newer-go.ts';
import { freePort, openSinks } from '../support/ports.ts';
import { answers, ProcessGroup } from '../support/process-group.ts';
import { startThroughline, type Throughline } from '../support/throughline.ts';
import { figures, judge, traceOf, untilTraced, type Verdicts } from '../support/truth.ts';

requireKernel();

const SOURCE = join(import.meta.dirname, 'programs', 'goroutines.go');
const CONCURRENCY = 16;
const START_TIMEOUT_MS = 15_000;
/** Until a process that has begun to listen was looked at. */
const LOOK_MS = 4000;
/** What is provisional is held back for two seconds at most. */
const SETTLED_MS = 2500;

/**
 * Part of the effects that is right once who answers is believed; without, it is none. Where processors are short, a goroutine that
 * is done may still be there when the reply is written, and then it might work for others: with five threads for each processor that was
 * 1 % at most.
 */
const PROVED = 0.95;
/** Until a server is believed that was there before the agent: five seconds, and the proof. */
const NEWCOMER_MS = 9000;

let directory: string;
let program: string;
let agent: Throughline;

type Mode = 'together' | 'later' | 'worker';

interface Server extends AsyncDisposable {
  readonly url: string;
}

async function startServer(lookMs = LOOK_MS): Promise<Server> {
  const port = await freePort();
  await using started = new AsyncDisposableStack();
  const workDirectory = await mkdtemp(join(directory, 'work-'));
  const group = started.use(
    new ProcessGroup({
      program,
      args: [`${port}`],
      env: { PATH: '/usr/bin:/bin', WORK_DIR: workDirectory },
      cwd: directory,
    }),
  );
  const url = `http://127.0.0.1:${port}`;
  await group.untilReady('the server', () => answers(`${url}/`), START_TIMEOUT_MS);
  await sleep(lookMs);
  const resources = started.move();
  return { url, [Symbol.asyncDispose]: () => resources.disposeAsync() };
}

/** Sends requests of which every second one, or none, has bytes that help. Whatever is said, nothing may be wrong. */
async function observe(
  t: TestContext,
  { url }: Server,
  mode: Mode,
  carry: 'mixed' | 'reversed',
  requests: number,
): Promise<Verdicts> {
  await using sinks = await openSinks(64);
  const isReversed = (id: string): boolean => carry === 'reversed' || Number(id.slice(-1)) % 2 === 0;
  const first = agent.messages.length;
  const load = await sendLoad({
    url,
    requests,
    concurrency: CONCURRENCY,
    sinkPorts: sinks.ports,
    target: (id, port) =>
      `/work?id=${id}&port=${port}&mode=${mode}&carry=${isReversed(id) ? 'reversed' : 'plain'}`,
  });
  assert.ok(load.every(({ status }) => status === 200));
  await untilTraced(agent, load);
  await sleep(SETTLED_MS);
  const verdicts = judge(traceOf(agent.messages.slice(first)), load);
  t.diagnostic(`${mode}, ${carry}: ${figures(verdicts)}`);
  assert.equal(verdicts.wrong, 0, verdicts.examples.join('\n'));
  return verdicts;
}

suite('goroutines that handlers start', { skip: whyNoNewerGo() ?? false }, () => {
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'throughline-goroutines-'));
    program = new NewerGo(directory).build('goroutines', SOURCE);
    agent = await startThroughline(['trace', '--json']);
  });
  after(async () => {
    await agent.stop();
    await rm(directory, { recursive: true, force: true });
  });

  test('the handler waits for them: they work for the request that it answers', async (t) => {
    await using server = await startServer();
    // Until who answers has proved itself, bytes decide.
    await observe(t, server, 'together', 'mixed', 300);
    const proved = await observe(t, server, 'together', 'reversed', 300);
    assert.equal(proved.missing, 0, figures(proved));
    assert.ok(proved.right >= PROVED * proved.expected, figures(proved));
  });

  for (const mode of ['later', 'worker'] as const)
    for (const isProved of [false, true])
      test(`${mode}, ${isProved ? 'where others have waited before' : 'from the beginning'}`, async (t) => {
        await using server = await startServer();
        if (isProved) await observe(t, server, 'together', 'mixed', 300);
        for (const carry of ['reversed', 'mixed'] as const) await observe(t, server, mode, carry, 200);
      });

  test('a server that is under load when the agent comes', async (t) => {
    await agent.stop();
    await using server = await startServer(0);
    const enough = new AbortController();
    const load = sendLoad({
      url: server.url,
      requests: 1e6,
      concurrency: CONCURRENCY,
      signal: enough.signal,
      // Every second one has bytes that help.
      target: (id) =>
        `/work?id=${id}&port=1&mode=together&carry=${Number(id.slice(-1)) % 2 === 0 ? 'plain' : 'reversed'}`,
    }).catch(() => null);
    try {
      agent = await startThroughline(['trace', '--json']);
      await sleep(NEWCOMER_MS);
    } finally {
      enough.abort();
      await load;
    }
    const proved = await observe(t, server, 'together', 'reversed', 300);
    assert.ok(proved.right >= PROVED * (proved.expected - proved.missing), figures(proved));
  });
});
