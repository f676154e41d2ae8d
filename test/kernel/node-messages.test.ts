/** Threads and processes of a Node.js server that work for its requests and answer by message: nothing tells for whom. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { compileProgram } from '../support/compile.ts';
import { requireKernel } from '../support/kernel.ts';
import { sendLoad } from '../support/load.ts';
import { freePort } from '../support/ports.ts';
import { answers, ProcessGroup } from '../support/process-group.ts';
import { startThroughline, type Throughline } from '../support/throughline.ts';
import { placedEffects, traceOf, untilTraced } from '../support/truth.ts';

requireKernel();

const PROGRAM = join(import.meta.dirname, 'programs', 'message-work.ts');
const START_TIMEOUT_MS = 15_000;
/** Until a process that has begun to listen was looked at, and its functions are probed. */
const LOOK_MS = 1500;
/** What is provisional is held back for two seconds at most. */
const SETTLED_MS = 2500;
/** Files, of some hundreds: how many a timer or a thread asks for meanwhile depends on the machine. */
const ENOUGH = 50;

suite('messages between threads of Node.js', () => {
  let agent: Throughline;
  let addons: string;
  before(async () => {
    addons = await mkdtemp(join(tmpdir(), 'throughline-addon-'));
    agent = await startThroughline(['trace', '--json']);
  });
  after(async () => {
    await agent.stop();
    await rm(addons, { recursive: true, force: true });
  });

  for (const { what, path, requests, concurrency, env, addon, kinds } of [
    {
      what: 'several requests wait for threads of both kinds',
      path: '/both',
      requests: 200,
      concurrency: 4,
      env: {},
      kinds: ['in-worker', 'answered'],
    },
    {
      what: 'one request at a time, amid answers that are for nobody',
      path: '/derived',
      requests: 200,
      concurrency: 1,
      env: { TICKS: '1' },
      kinds: ['in-worker', 'answered'],
    },
    {
      what: 'one request at a time, amid calls of a native thread',
      path: '/derived',
      requests: 200,
      concurrency: 1,
      env: {},
      addon: 'native-calls',
      kinds: ['called'],
    },
    {
      what: 'a process that one request has started, and that works for others while that one waits',
      path: '/helped',
      requests: 200,
      concurrency: 2,
      env: {},
      kinds: ['helped'],
    },
    {
      what: 'a thread that ends',
      path: '/alone',
      requests: 60,
      concurrency: 3,
      env: {},
      kinds: ['ended'],
    },
  ])
    test(`${what}: no file is on another's request`, async (t) => {
      await using cleanup = new AsyncDisposableStack();
      const directory = await mkdtemp(join(tmpdir(), 'throughline-messages-'));
      cleanup.defer(() => rm(directory, { recursive: true, force: true }));
      const port = await freePort();
      const native: Record<string, string> =
        addon === undefined ? {} : { ADDON: compileProgram(addon, addons, ['-shared', '-fPIC']) };
      const group = cleanup.use(
        new ProcessGroup({
          program: process.execPath,
          args: ['--disable-warning=ExperimentalWarning', PROGRAM, `${port}`, directory],
          env: { PATH: '/usr/bin:/bin', ...env, ...native },
          cwd: directory,
        }),
      );
      const url = `http://127.0.0.1:${port}`;
      await group.untilReady('the server', () => answers(`${url}/`), START_TIMEOUT_MS);
      await sleep(LOOK_MS);
      const first = agent.messages.length;
      const load = await sendLoad({ url, requests, concurrency, target: (id) => `${path}?id=${id}` });
      assert.deepEqual(new Set(load.map(({ status }) => status)), new Set([200]));
      await untilTraced(agent, load);
      await sleep(SETTLED_MS);
      const trace = traceOf(agent.messages.slice(first));
      const marks = new Map(load.map(({ id, target }) => [target, Array.from(id).toReversed().join('')]));
      const placed = placedEffects(trace);
      const found = { right: 0, open: 0 };
      const wrong: string[] = [];
      const nameOf = (effect: (typeof placed)[number]['effect']): string | null =>
        effect.type === 'open' && effect.path.startsWith(`${directory}/`)
          ? effect.path.slice(directory.length + 1)
          : null;
      for (const { target, effect } of placed) {
        const name = nameOf(effect);
        if (name === null) continue;
        if (name.startsWith(`${marks.get(target)}.`)) found.right++;
        else wrong.push(`${name} on ${target}: ${effect.grade}, ${effect.reason}`);
      }
      const seen = new Set<string>();
      for (const { effect } of trace.orphans) {
        const name = nameOf(effect);
        if (name === null) continue;
        found.open++;
        seen.add(name.replace(/^[^.]*\./, '').replace(/-\d+$/, ''));
      }
      t.diagnostic(`${JSON.stringify(found)}, ${wrong.length} wrong`);
      assert.deepEqual(wrong.slice(0, 5), []);
      assert.ok(found.right + found.open >= ENOUGH, 'files are told');
      for (const kind of kinds) assert.ok(seen.has(kind), `nothing of ${kind}`);
    });
});
