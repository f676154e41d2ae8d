import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { Agent, request as send } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { RequestView } from '../../src/output/views.ts';
import { makeCertificate, type Certificate } from '../support/certificate.ts';
import { requireKernel } from '../support/kernel.ts';
import { sendLoad, type LoadResult } from '../support/load.ts';
import { freePort } from '../support/ports.ts';
import { answers, ProcessGroup } from '../support/process-group.ts';
import { exchange, untilProbed } from '../support/secured.ts';
import { startServer, whyUnavailable, type ServerKind, type TestServer } from '../support/server.ts';
import { startThroughline, type Throughline } from '../support/throughline.ts';
import { figures, judge, traceOf, untilTraced } from '../support/truth.ts';

requireKernel();

const run = promisify(execFile);
const PROGRAMS = join(import.meta.dirname, 'programs');
const LATE_MS = 150;
/** The agent doubts what it cannot have seen while it is young: see DOUBT_AFTER_LOSS_NS. */
const NO_DOUBT_MS = 5500;

let agent: Throughline;
before(async () => {
  agent = await startThroughline(['trace', '--json']);
  await sleep(NO_DOUBT_MS);
});
after(async () => {
  await agent.stop();
});

/** Requests to this port that were traced from the message at `first` on, without those that ask whether it is ready. */
function requestsTo(port: number, first: number): RequestView[] {
  return traceOf(agent.messages.slice(first)).requests.filter(
    ({ server, target }) => server.port === port && target !== '/',
  );
}

/** What was traced is what was sent, each once, each read without any oddity: no ciphertext was taken for a request. */
function assertSame(requests: readonly RequestView[], load: readonly LoadResult[]): void {
  assert.deepEqual(
    requests
      .map(({ method, target, status, anomalies }) => ({ method, target, status, anomalies }))
      .toSorted(byTarget),
    load.map(({ target }) => ({ method: 'GET', target, status: 200, anomalies: [] })).toSorted(byTarget),
  );
}

function byTarget(a: { target: string }, b: { target: string }): number {
  return a.target < b.target ? -1 : 1;
}

function assertNothingLost(first: number): void {
  assert.deepEqual(
    agent.messages.slice(first).filter((message) => JSON.stringify(message).includes('"tls-')),
    [],
  );
}

const WORK = { requests: 80, concurrency: 8 } as const;

const KINDS = [
  'python-threading',
  'python-forking',
  'python-openssl-1.1',
  'node',
  'apache-cgi',
  'go',
] as const satisfies readonly ServerKind[];

for (const kind of KINDS) {
  suite(`TLS, ${kind}`, { skip: whyUnavailable(kind) ?? false }, () => {
    let server: TestServer;
    before(async () => {
      server = await startServer(kind, 64, true);
      await untilProbed(agent, server);
    });
    after(async () => {
      await server.stop();
    });

    if (kind === 'python-openssl-1.1')
      test(`${kind}: it is that library which does it`, () => {
        assert.match(readFileSync(`/proc/${server.pid}/maps`, 'latin1'), /\/libssl\.so\.1\.1$/m);
      });

    for (const keepAlive of [true, false])
      test(`${kind}, ${keepAlive ? 'keep-alive' : 'close'}: effects are on their requests`, async (t) => {
        const first = agent.messages.length;
        const load = await sendLoad({
          url: server.url,
          ...WORK,
          keepAlive,
          sinkPorts: server.sinkPorts,
          target: (id, port) => `/work?id=${id}&port=${port}`,
        });
        assert.deepEqual(new Set(load.map(({ status }) => status)), new Set([200]));
        await untilTraced(agent, load);
        await sleep(LATE_MS);
        assertSame(requestsTo(server.port, first), load);
        const verdicts = judge(traceOf(agent.messages.slice(first)), load);
        t.diagnostic(figures(verdicts));
        assert.equal(verdicts.wrong, 0, verdicts.examples.join('\n'));
        assert.equal(verdicts.misled, 0, verdicts.examples.join('\n'));
        assertNothingLost(first);
        if (kind === 'node') {
          assert.equal(verdicts.right + verdicts.ambiguous, verdicts.expected);
          return;
        }
        assert.equal(verdicts.right, verdicts.expected);
        assert.deepEqual(Object.keys(verdicts.grades), ['exact']);
      });

    test(`${kind}: a body of many records, and a long reply`, async () => {
      const first = agent.messages.length;
      const body = 'b'.repeat(100_000);
      assert.equal(await exchange(`${server.url}/big`, '').then(({ length }) => length), 200 * 1024);
      if (kind !== 'apache-cgi')
        assert.equal((await exchange(`${server.url}/echo`, body)).length, body.length);
      const expected = kind === 'apache-cgi' ? ['GET /big'] : ['GET /big', 'POST /echo'];
      await agent.waitFor(() => requestsTo(server.port, first).length === expected.length, 5000);
      const traced = requestsTo(server.port, first);
      assert.deepEqual(
        traced.map(({ method, target, status }) => `${method} ${target} ${status}`),
        expected.map((one) => `${one} 200`),
      );
      for (const { anomalies } of traced) assert.deepEqual(anomalies, []);
    });
  });
}

interface Place {
  readonly directory: string;
  readonly port: number;
  readonly certificate: Certificate;
}

interface SecuredServer extends AsyncDisposable {
  readonly port: number;
  readonly url: string;
}

async function startSecured(
  name: string,
  commandOf: (place: Place) => readonly [program: string, ...args: string[]],
): Promise<SecuredServer> {
  await using cleanup = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), 'throughline-tls-'));
  cleanup.defer(() => rm(directory, { recursive: true, force: true }));
  await chmod(directory, 0o755);
  const port = await freePort();
  const [program, ...args] = commandOf({ directory, port, certificate: makeCertificate(directory) });
  const env = { PATH: process.env['PATH'] ?? '/usr/bin:/bin' };
  const group = cleanup.use(new ProcessGroup({ program, args, env, cwd: directory }));
  const url = `https://127.0.0.1:${port}`;
  await group.untilReady(name, () => answers(`${url}/`), 15_000);
  await untilProbed(agent, { url, port });
  const resources = cleanup.move();
  return { port, url, [Symbol.asyncDispose]: () => resources.disposeAsync() };
}

async function checkLoad(
  t: TestContext,
  server: SecuredServer,
  target: (id: string) => string,
  options: { requests: number; concurrency: number; keepAlive: boolean },
): Promise<{ requests: RequestView[]; load: LoadResult[] }> {
  const first = agent.messages.length;
  const load = await sendLoad({ url: server.url, ...options, target });
  assert.deepEqual(new Set(load.map(({ status, error }) => `${status} ${error}`)), new Set(['200 null']));
  await untilTraced(agent, load);
  await sleep(LATE_MS);
  const requests = requestsTo(server.port, first);
  t.diagnostic(`${requests.length} requests`);
  assertSame(requests, load);
  assertNothingLost(first);
  return { requests, load };
}

test('asyncio: the library sees memory, never the socket', async (t) => {
  await using server = await startSecured('asyncio', ({ port, certificate }) => [
    'python3',
    join(PROGRAMS, 'asyncio-tls.py'),
    String(port),
    certificate.certificateFile,
    certificate.keyFile,
  ]);
  const first = agent.messages.length;
  for (const keepAlive of [true, false])
    await checkLoad(t, server, (id) => `/run?id=${id}`, { ...WORK, keepAlive });
  for (const { target, effects } of requestsTo(server.port, first))
    for (const effect of effects)
      if (effect.type === 'exec') assert.equal(effect.argv[1], target.slice('/run?id='.length));
});

const NGINX = '/usr/sbin/nginx';

test('nginx', { skip: existsSync(NGINX) ? false : `${NGINX} is not installed` }, async (t) => {
  await using server = await startSecured('nginx', (place) => {
    const { directory } = place;
    mkdirSync(join(directory, 'files'));
    writeFileSync(join(directory, 'files', 'page.html'), 'page\n');
    writeFileSync(join(directory, 'files', 'index.html'), 'index\n');
    const configuration = join(directory, 'nginx.conf');
    writeFileSync(configuration, nginxConfig(place));
    return [NGINX, '-c', configuration, '-e', 'stderr'];
  });
  for (const keepAlive of [true, false]) {
    const { requests } = await checkLoad(t, server, (id) => `/page.html?id=${id}`, { ...WORK, keepAlive });
    for (const { effects } of requests)
      assert.ok(effects.every((effect) => effect.type === 'open' && effect.path.endsWith('/page.html')));
  }
});

function nginxConfig({ directory, port, certificate }: Place): string {
  return `
daemon off;
user nobody nogroup;
worker_processes 1;
pid ${directory}/nginx.pid;
events { worker_connections 256; }
http {
  access_log off;
  ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${directory}/${name};`).join('\n  ')}
  server {
    listen 127.0.0.1:${port} ssl;
    ssl_certificate ${certificate.certificateFile};
    ssl_certificate_key ${certificate.keyFile};
    root ${directory}/files;
  }
}
`;
}

const GNUTLS_SERVER = '/usr/bin/gnutls-serv';

test(
  'GnuTLS server',
  { skip: existsSync(GNUTLS_SERVER) ? false : 'gnutls-bin is not installed' },
  async (t) => {
    await using server = await startSecured('gnutls-serv', ({ port, certificate }) => [
      GNUTLS_SERVER,
      '--http',
      '--quiet',
      '--noticket',
      `--port=${port}`,
      `--x509certfile=${certificate.certificateFile}`,
      `--x509keyfile=${certificate.keyFile}`,
    ]);
    await checkLoad(t, server, (id) => `/page?id=${id}`, { requests: 16, concurrency: 8, keepAlive: false });
  },
);

suite('clients of all libraries on one server', () => {
  let server: TestServer;
  before(async () => {
    server = await startServer('python-threading', 1, true);
    await untilProbed(agent, server);
  });
  after(async () => {
    await server.stop();
  });

  const clients: readonly (readonly [name: string, program: string, ...args: string[]])[] = [
    ['curl (OpenSSL)', 'curl', '--silent', '--show-error', '--insecure', '--http1.1'],
    ['wget (GnuTLS)', 'wget', '--quiet', '--no-check-certificate', '--output-document=-'],
  ];
  for (const [name, program, ...args] of clients)
    test(name, { skip: existsSync(`/usr/bin/${program}`) ? false : 'not installed' }, async () => {
      const first = agent.messages.length;
      const target = `/run?cmd=${program}-was-here`;
      const { stdout } = await run(program, [...args, server.url + target]);
      assert.equal(stdout, `checking ${program}-was-here\n`);
      await assertOneExact(first, target, `/bin/echo checking ${program}-was-here`);
    });

  test(
    'gnutls-cli, a request in pieces',
    { skip: existsSync('/usr/bin/gnutls-cli') ? false : 'not installed' },
    async () => {
      const first = agent.messages.length;
      const client = spawn('gnutls-cli', ['--insecure', '--port', String(server.port), '127.0.0.1'], {
        stdio: ['pipe', 'ignore', 'ignore'],
      });
      try {
        for (const piece of [
          'GET /run?cmd=pie',
          'ces HTTP/1.1\r\nHost: a\r',
          '\nConnection: close\r\n',
          '\r\n',
        ]) {
          await sleep(100);
          client.stdin.write(piece);
        }
        await assertOneExact(first, '/run?cmd=pieces', '/bin/echo checking pieces');
      } finally {
        client.kill();
      }
    },
  );

  async function assertOneExact(first: number, target: string, command: string): Promise<void> {
    await agent.waitFor(() => requestsTo(server.port, first).length > 0);
    await sleep(LATE_MS);
    const requests = requestsTo(server.port, first);
    assert.deepEqual(
      requests.map((request) => [request.method, request.target, request.status]),
      [['GET', target, 200]],
    );
    const effects = requests[0]?.effects ?? [];
    assert.deepEqual(new Set(effects.map(({ grade }) => grade)), new Set(['exact']));
    const [shell] = effects.filter((effect) => effect.type === 'exec');
    assert.equal(shell?.argv.at(-1), command);
  }
});

test('a greeting that comes a byte at a time, and one behind a line of the PROXY protocol: neither hides a request', async () => {
  // What the server makes of the line is its own affair; the next connection must not suffer.
  await using server = await startServer('python-threading', 1, true);
  await untilProbed(agent, server);
  const first = agent.messages.length;
  await dribble(server.port, '/run?cmd=slowly');
  await agent.waitFor(() => requestsTo(server.port, first).length > 0);
  assert.deepEqual(
    requestsTo(server.port, first).map(({ target, status }) => [target, status]),
    [['/run?cmd=slowly', 200]],
  );
});

/** Sends a request through a relay that passes the first bytes on one by one. */
async function dribble(port: number, target: string): Promise<void> {
  const { connect, createServer } = await import('node:net');
  const relay = createServer((client) => {
    const upstream = connect({ host: '127.0.0.1', port, noDelay: true });
    upstream.on('error', () => client.destroy()).pipe(client);
    client.on('error', () => upstream.destroy());
    client.once('data', (chunk) => {
      client.pause();
      void (async () => {
        for (let at = 0; at < 12; at++) {
          upstream.write(chunk.subarray(at, at + 1));
          await sleep(15);
        }
        upstream.write(chunk.subarray(12));
        client.pipe(upstream);
      })();
    });
  });
  await new Promise<void>((done) => relay.listen(0, '127.0.0.1', done));
  try {
    const address = relay.address();
    assert.ok(typeof address === 'object' && address !== null);
    await exchange(`https://127.0.0.1:${address.port}${target}`, '');
  } finally {
    relay.close();
  }
}

test('servers and connections that were there before the agent', async () => {
  const kinds = (['python-threading', 'node', 'go'] as const).filter((kind) => whyUnavailable(kind) === null);
  const servers = await Promise.all(kinds.map((kind) => startServer(kind, 1, true)));
  const connections = servers.map(
    () => new Agent({ keepAlive: true, maxSockets: 1, rejectUnauthorized: false }),
  );
  const get = async (index: number, target: string): Promise<void> => {
    await new Promise<void>((done, failed) => {
      send(`${servers[index]?.url}${target}`, { agent: connections[index] }, (response) => {
        response.resume().on('end', done);
      })
        .on('error', failed)
        .end();
    });
  };
  try {
    for (const index of servers.keys()) await get(index, '/run?cmd=before');
    await using late = await startThroughline(['trace', '--json']);
    for (const index of servers.keys())
      for (const name of ['first', 'second']) await get(index, `/run?cmd=${name}`);
    for (const { port } of servers) {
      const seen = (): string[] =>
        traceOf(late.messages)
          .requests.filter((request) => request.server.port === port)
          .map(({ target, status }) => `${target} ${status}`);
      // A thread that waited in SSL_read when the agent came returns from there unseen.
      await late.waitFor(() => seen().includes('/run?cmd=second 200'));
      assert.deepEqual(
        seen().filter((one) => one !== '/run?cmd=first 200'),
        ['/run?cmd=second 200'],
      );
    }
    await late.stop();
  } finally {
    for (const connection of connections) connection.destroy();
    for (const server of servers) await server.stop();
  }
});
