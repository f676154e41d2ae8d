import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { chmod, chown, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { EffectView, RequestView } from '../../src/output/views.ts';
import { requireKernel } from '../support/kernel.ts';
import { sendLoad } from '../support/load.ts';
import { freePort } from '../support/ports.ts';
import { ProcessGroup } from '../support/process-group.ts';
import { startThroughline, type Throughline } from '../support/throughline.ts';

requireKernel();

const MARIADB = '/usr/sbin/mariadbd';
const PYTHON = '/usr/bin/python3';
const PROGRAM = join(import.meta.dirname, 'programs', 'pooled.py');
/** uid and gid of nobody on Debian: MariaDB refuses to be root. */
const NOBODY = 65_534;
const START_TIMEOUT_MS = 20_000;
const REQUESTS = 40;
const CONCURRENCY = 4;

function accepts(port: number): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      done(true);
    });
    socket.on('error', () => done(false));
  });
}

interface Service extends Disposable {
  readonly pid: number;
  readonly url: string;
}

async function startService(database: string, connections: number): Promise<Service> {
  const port = await freePort();
  const child = spawn(PYTHON, [PROGRAM, `${port}`, database, `${connections}`], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  assert.equal((await lines.next()).value, 'listening');
  return {
    pid: child.pid ?? 0,
    url: `http://127.0.0.1:${port}`,
    [Symbol.dispose]: () => child.kill('SIGKILL'),
  };
}

interface OrphanView {
  readonly kind: 'orphan';
  readonly effect: EffectView;
}

/** The statement of the question that an effect is, where it is one of those of the requests. */
function statementOf(effect: EffectView): readonly string[] {
  if (effect.type !== 'query' || effect.operation !== 'SELECT') return [];
  assert.equal(effect.protocol, 'mysql');
  return [effect.statement];
}

/**
 * Each request asked one question, and all of them are told; on another request none.
 * @returns how many were put on their request
 */
async function assertAsked(agent: Throughline, { pid, url }: Service): Promise<number> {
  const first = agent.messages.length;
  const load = await sendLoad({
    url,
    requests: REQUESTS,
    concurrency: CONCURRENCY,
    target: (id) => `/?id=${id}`,
  });
  assert.ok(load.every(({ status }) => status === 200));
  const requests = (): RequestView[] =>
    (agent.messages.slice(first) as unknown as RequestView[]).filter(
      ({ kind, server }) => kind === 'request' && server.pid === pid,
    );
  for (let wait = 0; wait < 200 && requests().length < REQUESTS; wait++) await sleep(50);
  assert.equal(requests().length, REQUESTS);
  const marked = ({ target }: { readonly target: string }): string =>
    `SELECT '${Array.from(target.slice('/?id='.length)).toReversed().join('')}'`;
  const placed: string[] = [];
  for (const request of requests())
    for (const effect of request.effects)
      for (const statement of statementOf(effect)) {
        assert.equal(statement, marked(request));
        assert.equal(effect.type === 'query' && effect.outcome?.rows, 1, 'and what was answered');
        placed.push(statement);
      }
  const orphans = (agent.messages.slice(first) as unknown as OrphanView[]).filter(
    ({ kind, effect }) => kind === 'orphan' && effect.pid === pid,
  );
  const told = [...placed, ...orphans.flatMap(({ effect }) => statementOf(effect))];
  assert.deepEqual(told.toSorted(), load.map(marked).toSorted());
  return placed.length;
}

suite('pools that are opened before the first request', () => {
  let socket: string;
  let port: number;
  let agent: Throughline;
  const old: Service[] = [];
  const cleanup = new AsyncDisposableStack();

  before(async () => {
    const directory = await mkdtemp(join(tmpdir(), 'throughline-pools-'));
    cleanup.defer(() => rm(directory, { recursive: true, force: true }));
    const data = join(directory, 'data');
    await mkdir(data);
    await chmod(directory, 0o755);
    await chown(data, NOBODY, NOBODY);
    socket = join(data, 'mariadb.sock');
    port = await freePort();
    const options = [
      `--datadir=${data}`,
      `--socket=${socket}`,
      `--port=${port}`,
      '--bind-address=127.0.0.1',
      '--skip-networking=0',
      // The folder is empty: nobody is known, and everybody may come.
      '--skip-grant-tables',
    ];
    const database = cleanup.use(
      new ProcessGroup({
        program: MARIADB,
        args: ['--no-defaults', ...options],
        env: { PATH: '/usr/bin:/bin', LC_ALL: 'C.UTF-8' },
        cwd: '/',
        id: NOBODY,
      }),
    );
    await database.untilReady('MariaDB', () => accepts(port), START_TIMEOUT_MS);
    for (const address of [`${port}`, socket])
      old.push(cleanup.use(await startService(address, CONCURRENCY)));
    agent = cleanup.use(await startThroughline(['trace', '--json']));
  });
  after(() => cleanup.disposeAsync());

  const WAYS: readonly (readonly [string, () => string])[] = [
    ['TCP', () => `${port}`],
    ['a unix socket', () => socket],
  ];
  for (const [index, [way]] of WAYS.entries())
    test(`over ${way}, by a server that was there before the agent`, async () => {
      // On which requests they are put is not asked: at first the agent does not know what else is in flight.
      await assertAsked(agent, old[index] as Service);
    });
  for (const [way, address] of WAYS) {
    test(`over ${way}, by a server that starts after the agent`, async () => {
      using service = await startService(address(), CONCURRENCY);
      assert.equal(await assertAsked(agent, service), REQUESTS);
    });

    test(`over ${way}, and for comparison on connections that requests open themselves`, async () => {
      using service = await startService(address(), 0);
      assert.equal(await assertAsked(agent, service), REQUESTS);
    });
  }
});
