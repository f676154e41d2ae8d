import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, suite, test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FindingView, RequestView } from '../../src/output/views.ts';
import { requireKernel } from '../support/kernel.ts';
import { sendLoad, type LoadResult } from '../support/load.ts';
import { freePort } from '../support/ports.ts';
import { answers, ProcessGroup } from '../support/process-group.ts';
import { apacheProxy, fpm, missingProxies, nginx, type ProxyCommand } from '../support/proxies.ts';
import { startThroughline, type Throughline } from '../support/throughline.ts';
import { assertFinding } from '../support/view-shapes.ts';

requireKernel();

const REQUESTS = 200;
const CONCURRENCY = 16;
const START_TIMEOUT_MS = 15_000;
/** After so long no second finding comes. */
const SETTLED_MS = 2000;

const PHP = `<?php
$path = parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH);
$name = basename($path);
usleep(random_int(0, 5000));
if ($name === 'ping') echo shell_exec('/bin/echo ' . $_GET['host']);
if (preg_match('/^\\d{6}$/', $name)) file_put_contents(__DIR__ . "/behind-$name", $name);
echo "done\\n";
`;

/** '/app/000123' keeps the client's bytes; '/turn/000123' reaches the application as '/app/321000'. */
type Path = 'app' | 'turn';

let directory: string;
let running: AsyncDisposableStack;

afterEach(async () => {
  await running.disposeAsync();
  rmSync(directory, { recursive: true, force: true });
});

function begin(): void {
  directory = mkdtempSync(join(tmpdir(), 'throughline-proxies-'));
  running = new AsyncDisposableStack();
}

function start({ program, args }: ProxyCommand): ProcessGroup {
  return running.use(new ProcessGroup({ program, args, env: { PATH: '/usr/bin:/bin' }, cwd: directory }));
}

function startNode(listen: string): ProcessGroup {
  const program = join(import.meta.dirname, 'programs', 'behind-proxy.ts');
  return start({ program: process.execPath, args: [program, listen, directory] });
}

async function untilReady(group: ProcessGroup, port: number): Promise<string> {
  const url = `http://127.0.0.1:${port}`;
  await group.untilReady('the proxy', () => answers(`${url}/`), START_TIMEOUT_MS);
  return url;
}

const SKIP = { skip: missingProxies() ?? false };

suite('a proxy and the application behind it', SKIP, () => {
  let agent: Throughline;

  before(async () => {
    agent = await startThroughline(['trace', '--json']);
  });
  after(async () => {
    await agent.stop();
  });

  interface Counts {
    right: number;
    trusted: number;
    unknown: number;
    missing: number;
    readonly wrong: string[];
    /** Why clients are unknown, and how often. */
    readonly reasons: Map<string, number>;
  }

  /** Sends a load through the front at `url`, and compares the clients that the application's requests are told to have. */
  async function observe(
    t: TestContext,
    url: string,
    path: Path,
    proxies: number,
    isOfApplication: (request: RequestView) => boolean,
  ): Promise<Counts> {
    const first = agent.messages.length;
    const load = await sendLoad({
      url,
      requests: REQUESTS,
      concurrency: CONCURRENCY,
      target: (id) => `/${path}/${id.slice(-6)}`,
    });
    assert.deepEqual(
      load.filter(({ status }) => status !== 200),
      [],
    );
    const served = (): RequestView[] =>
      (agent.messages.slice(first) as unknown as RequestView[]).filter(
        (one) => one.kind === 'request' && isOfApplication(one) && /^\/app\/\d{6}/.test(one.target),
      );
    for (let wait = 0; wait < 100 && served().length < REQUESTS; wait++) await sleep(50);
    const requests = (agent.messages.slice(first) as unknown as RequestView[]).filter(
      ({ kind }) => kind === 'request',
    );
    const byId = new Map(requests.map((one) => [one.id, one]));
    const counts = judge(served(), load, path, proxies, byId);
    t.diagnostic(
      `${counts.right} right (${counts.trusted} trusted), ${counts.unknown} unknown, ${counts.missing} missing, ` +
        `${counts.wrong.length} wrong of ${served().length}`,
    );
    for (const [reason, count] of counts.reasons) t.diagnostic(`unknown: ${count} times ${reason}`);
    for (const { kind, reasons } of agent.messages.slice(first))
      if (kind === 'loss') t.diagnostic(`lost: ${JSON.stringify(reasons)}`);
    assert.equal(served().length, REQUESTS, `the agent said:\n${agent.stderr}`);
    assert.deepEqual(counts.wrong, []);
    return counts;
  }

  function judge(
    served: readonly RequestView[],
    load: readonly LoadResult[],
    path: Path,
    proxies: number,
    byId: ReadonlyMap<string, RequestView>,
  ): Counts {
    const counts: Counts = { right: 0, trusted: 0, unknown: 0, missing: 0, wrong: [], reasons: new Map() };
    const sent = new Map(load.map((one) => [one.id.slice(-6), one]));
    for (const { target, forwardedFor } of served) {
      const digits = target.slice('/app/'.length, '/app/'.length + 6);
      const truth = sent.get(path === 'turn' ? Array.from(digits).toReversed().join('') : digits);
      assert.ok(truth, target);
      if (forwardedFor === null || forwardedFor.known !== 'socket') counts.missing++;
      else if (forwardedFor.client === null) {
        counts.unknown++;
        counts.reasons.set(forwardedFor.reason, (counts.reasons.get(forwardedFor.reason) ?? 0) + 1);
      } else {
        const front = byId.get(forwardedFor.request ?? '');
        const isRight =
          forwardedFor.client.ip === '127.0.0.1' &&
          forwardedFor.client.port === truth.clientPort &&
          forwardedFor.through.length === proxies &&
          (front === undefined || front.target.endsWith(truth.target));
        if (isRight) counts.right++;
        else counts.wrong.push(`${target} of ${truth.clientPort}: ${JSON.stringify(forwardedFor)}`);
        if (isRight && forwardedFor.trusted) counts.trusted++;
      }
    }
    return counts;
  }

  for (const path of ['app', 'turn'] as const) {
    for (const transport of ['unix', 'TCP'] as const)
      for (const isKept of [false, true])
        test(`nginx -> PHP-FPM over ${transport}, ${isKept ? 'kept' : 'closed'}, /${path}`, async (t) => {
          begin();
          const socket = transport === 'unix' ? join(directory, 'fpm.sock') : `127.0.0.1:${await freePort()}`;
          const port = await freePort();
          start(fpm(directory, socket, PHP));
          const address = transport === 'unix' ? `unix:${socket}` : socket;
          const url = await untilReady(
            start(nginx(directory, port, `fastcgi ${address}`, isKept, !isKept)),
            port,
          );
          const counts = await observe(t, url, path, 1, ({ server }) => server.comm.startsWith('php-fpm'));
          assert.ok(counts.right >= 0.9 * REQUESTS);
        });

    for (const transport of ['unix', 'TCP'] as const)
      test(`nginx -> Node over ${transport}, kept, /${path}`, async (t) => {
        begin();
        const listen = transport === 'unix' ? join(directory, 'app.sock') : `${await freePort()}`;
        const port = await freePort();
        const node = startNode(listen);
        const address = transport === 'unix' ? `unix:${listen}` : `127.0.0.1:${listen}`;
        const url = await untilReady(start(nginx(directory, port, `http://${address}`, true)), port);
        const counts = await observe(t, url, path, 1, ({ server }) => server.pid === node.pid);
        assert.ok(counts.right >= 0.9 * REQUESTS);
      });
  }

  test('nginx -> PHP-FPM over unix, closed, and neither path nor variables tell the client', async (t) => {
    begin();
    const socket = join(directory, 'fpm.sock');
    const port = await freePort();
    start(fpm(directory, socket, PHP));
    const url = await untilReady(start(nginx(directory, port, `fastcgi unix:${socket}`, false)), port);
    const counts = await observe(t, url, 'turn', 1, ({ server }) => server.comm.startsWith('php-fpm'));
    // Whose answer has begun may be at work: what that leaves open is told as open.
    assert.ok(counts.right > 0 && counts.missing === 0);
    assert.equal(counts.trusted, counts.right);
  });

  test('nginx -> nginx -> Node: the client of the first one', async (t) => {
    begin();
    const [appPort, innerPort, port] = [await freePort(), await freePort(), await freePort()];
    const node = startNode(`${appPort}`);
    await untilReady(start(nginx(directory, innerPort, `http://127.0.0.1:${appPort}`, true)), innerPort);
    const url = await untilReady(start(nginx(directory, port, `http://127.0.0.1:${innerPort}`, false)), port);
    const counts = await observe(t, url, 'app', 2, ({ server }) => server.pid === node.pid);
    assert.ok(counts.right >= 0.9 * REQUESTS);
  });

  test('Apache mod_proxy -> Node', async (t) => {
    begin();
    const [appPort, port] = [await freePort(), await freePort()];
    const node = startNode(`${appPort}`);
    const front = start(apacheProxy(directory, port, `http://127.0.0.1:${appPort}`));
    const url = await untilReady(front, port);
    const counts = await observe(t, url, 'app', 1, ({ server }) => server.pid === node.pid);
    assert.ok(counts.right >= 0.9 * REQUESTS);
  });
});

test(
  'an attack through a proxy is one finding, of its client, with the effects of the application',
  SKIP,
  async () => {
    begin();
    await using run = await startThroughline(['run', '--json']);
    const port = await freePort();
    const socket = join(directory, 'fpm.sock');
    start(fpm(directory, socket, PHP));
    const url = await untilReady(start(nginx(directory, port, `fastcgi unix:${socket}`, false)), port);
    const [sent] = await sendLoad({
      url,
      requests: 1,
      concurrency: 1,
      target: () => '/ping?host=127.0.0.1;id',
    });
    const isFinding = ({ kind }: { readonly kind: string }): boolean => kind === 'finding';
    await run.waitFor(isFinding, 10_000);
    await sleep(SETTLED_MS);
    const findings = run.messages.filter(isFinding) as unknown as FindingView[];
    assert.deepEqual(
      findings.map(({ verdict, class: attackClass }) => `${verdict} ${attackClass}`),
      ['EXPLOITED command-injection'],
    );
    const [finding] = findings;
    assertFinding(finding);
    assert.match(finding?.request?.server.comm ?? '', /^php-fpm/);
    const { forwardedFor, id } = finding?.request ?? {};
    assert.ok(forwardedFor);
    assert.equal(forwardedFor.known, 'socket');
    assert.deepEqual(forwardedFor.client, { ip: '127.0.0.1', port: sent?.clientPort });
    assert.ok(forwardedFor.request !== null && forwardedFor.request !== id);
    assert.equal(forwardedFor.through[0]?.comm, 'nginx');
    await run.stop();
  },
);
