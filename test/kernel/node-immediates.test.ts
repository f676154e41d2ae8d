/** Immediates of Node.js: they are the request's that has asked for them, or nobody's. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { requireKernel } from '../support/kernel.ts';
import { sendLoad } from '../support/load.ts';
import { freePort } from '../support/ports.ts';
import { answers, ProcessGroup } from '../support/process-group.ts';
import { startThroughline, type Throughline } from '../support/throughline.ts';
import { placedEffects, traceOf, untilTraced } from '../support/truth.ts';

requireKernel();

const PROGRAM = join(import.meta.dirname, 'programs', 'immediate-work.ts');
const START_TIMEOUT_MS = 15_000;
/** Until a process that has begun to listen was looked at, and its functions are probed. */
const LOOK_MS = 1500;
/** What is provisional is held back for two seconds at most. */
const SETTLED_MS = 2500;
/** Files that a request of the program writes, by what they are called. */
const EXPECTED = { returned: 3, nested: 3, closed: 1, synced: 1 } as const;

suite('immediates of Node.js', () => {
  let agent: Throughline;
  before(async () => {
    agent = await startThroughline(['trace', '--json']);
  });
  after(() => agent.stop());

  for (const { what, requests, concurrency, env, least } of [
    {
      what: 'one request at a time',
      requests: 100,
      concurrency: 1,
      env: {},
      least: { returned: 0.9, synced: 0.9 },
    },
    { what: 'many requests at once', requests: 300, concurrency: 16, env: {}, least: {} },
    {
      what: 'a request at a time, amid immediates that are for nobody',
      requests: 100,
      concurrency: 1,
      env: { TICKS: '1' },
      least: {},
    },
    {
      what: 'a few requests at once, amid immediates that are for nobody',
      requests: 200,
      concurrency: 4,
      env: { TICKS: '1' },
      least: {},
    },
  ])
    test(`${what}: no file is on another's request`, async (t) => {
      await using cleanup = new AsyncDisposableStack();
      const directory = await mkdtemp(join(tmpdir(), 'throughline-immediates-'));
      cleanup.defer(() => rm(directory, { recursive: true, force: true }));
      const port = await freePort();
      const group = cleanup.use(
        new ProcessGroup({
          program: process.execPath,
          args: ['--disable-warning=ExperimentalWarning', PROGRAM, `${port}`, directory],
          env: { PATH: '/usr/bin:/bin', ...env },
          cwd: directory,
        }),
      );
      const url = `http://127.0.0.1:${port}`;
      await group.untilReady('the server', () => answers(`${url}/`), START_TIMEOUT_MS);
      await sleep(LOOK_MS);
      const first = agent.messages.length;
      const load = await sendLoad({ url, requests, concurrency, target: (id) => `/work?id=${id}` });
      assert.deepEqual(new Set(load.map(({ status }) => status)), new Set([200]));
      await untilTraced(agent, load);
      await sleep(SETTLED_MS);

      const trace = traceOf(agent.messages.slice(first));
      const marks = new Map(load.map(({ id, target }) => [target, Array.from(id).toReversed().join('')]));
      const placed = placedEffects(trace);
      const right = { returned: 0, nested: 0, closed: 0, synced: 0 };
      const wrong: string[] = [];
      for (const { target, effect } of placed) {
        if (effect.type !== 'open' || !effect.path.startsWith(`${directory}/`)) continue;
        const [mark, kind = ''] = effect.path.slice(directory.length + 1).split(/[.-](?=[a-z]+(?:-\d)?$)/);
        if (mark !== marks.get(target))
          wrong.push(`${effect.path} on ${target}: ${effect.grade}, ${effect.reason}`);
        else right[kind.replace(/-\d$/, '') as keyof typeof right]++;
      }
      t.diagnostic(`${JSON.stringify(right)} of ${requests} requests, ${wrong.length} wrong`);
      assert.deepEqual(wrong.slice(0, 5), []);
      for (const [kind, share] of Object.entries(least)) {
        const expected = requests * EXPECTED[kind as keyof typeof EXPECTED];
        assert.ok(right[kind as keyof typeof right] >= share * expected, `${kind}: of ${expected}`);
      }
    });
});
