import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { pour, rawRuntime, type MadeUpRuntime } from '../../src/containers/testing.ts';
import type { ContainerView, ExecEventView, FindingView, RequestView } from '../../src/output/views.ts';
import { startContainerHost, type ContainerHost } from '../support/containers/host.ts';
import { IMAGE } from '../support/containers/image.ts';
import { startPod, type Pod } from '../support/containers/pod.ts';
import { command } from '../support/containers/runtime.ts';
import { requireKernel } from '../support/kernel.ts';
import { freePort } from '../support/ports.ts';
import { answers } from '../support/process-group.ts';
import { throughline, withoutPrivilege } from '../support/replay.ts';
import { startThroughline, type Throughline } from '../support/throughline.ts';
import { assertFinding } from '../support/view-shapes.ts';

requireKernel();

const RUNTIMES = ['docker', 'podman', 'containerd'] as const;
type RuntimeName = (typeof RUNTIMES)[number];

const POD_UID = '8b0d2c4e-1a9f-4c3d-9e8f-0123456789ab';
const WAIT_MS = 10_000;
const GIGABYTE = 1024 * 1024 * 1024;
/** When a container's first program has run its second one, its runtime has long answered. */
const twice = (mark: string): string[] => ['/bin/sh', '-c', `sleep 1; /bin/echo ${mark}; sleep 1000`];

suite('containers of real runtimes', () => {
  let host: ContainerHost;
  let directory: string;
  let recording: string;
  /** Prints events, and asks real runtimes alone. */
  let events: Throughline;
  /** Prints findings and records; besides the real runtimes it asks some that are up to no good. */
  let findings: Throughline;
  let replayed: FindingView | undefined;
  const hostile: MadeUpRuntime[] = [];
  let poured = { written: 0 };

  before(async () => {
    directory = mkdtempSync(join(tmpdir(), 'throughline-names-'));
    chmodSync(directory, 0o755);
    recording = join(directory, 'all.tlrec');
    host = await startContainerHost();
    hostile.push(
      await rawRuntime((socket) => socket.resume()),
      await rawRuntime((socket) => socket.end('\0\x01garbage\r\n\r\n')),
      await rawRuntime((socket) => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n');
        poured = pour(socket, Buffer.alloc(64 * 1024, '['), GIGABYTE);
      }),
    );
    [events, findings] = await Promise.all([
      startThroughline(['events', '--type', 'exec', '--json', ...options(false)]),
      startThroughline([
        'run',
        '--json',
        '--no-tls',
        '--no-runtime-probes',
        '--record',
        recording,
        ...options(true),
      ]),
    ]);
  });

  after(async () => {
    await events?.kill();
    await findings?.kill();
    await host?.[Symbol.asyncDispose]();
    for (const runtime of hostile) await runtime[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true, force: true });
  });

  function options(isWithHostile: boolean): string[] {
    const sockets = RUNTIMES.map((name) => host[name].option);
    if (isWithHostile)
      hostile.forEach(({ path }, index) => sockets.push(`${index === 1 ? 'containerd' : 'docker'}:${path}`));
    return sockets.flatMap((socket) => ['--container-runtime', socket]);
  }

  /** The event of a program whose last argument this is. */
  async function execOf(mark: string): Promise<ExecEventView> {
    const isIt = (message: object): boolean => (message as ExecEventView).argv?.at(-1) === mark;
    return (await events.waitFor(isIt, WAIT_MS)) as unknown as ExecEventView;
  }

  const named = (id: string, runtime: string, more: Partial<ContainerView>): ContainerView => ({
    id,
    name: null,
    image: IMAGE,
    pod: null,
    namespace: null,
    podUid: null,
    runtime,
    ...more,
  });

  for (const runtime of RUNTIMES)
    test(`${runtime}: what runs in a container has its id, name and image`, async () => {
      // The state of runc is kept by names alone: those of another run must not be in the way.
      const name = `front-${process.pid}`;
      const id = await host[runtime].run(name, twice(`in-${runtime}`));
      const { container, cgroupId } = await execOf(`in-${runtime}`);
      const namespace = runtime === 'containerd' ? 'default' : null;
      assert.deepEqual(container, named(id, runtime, { name, namespace }));
      assert.ok(cgroupId > 1);
    });

  test('podman: a container of a pod has the name of the pod', async () => {
    await host.podman.makePod('shop');
    const id = await host.podman.run('member', twice('in-pod'), {}, 'shop');
    assert.deepEqual(
      (await execOf('in-pod')).container,
      named(id, 'podman', { name: 'member', pod: 'shop' }),
    );
  });

  test('CRI: a container of a pod of Kubernetes has pod, namespace and uid, and so has the sandbox', async () => {
    await using pod: Pod = await startPod(host.containerd.socket, {
      name: 'web-6d4',
      namespace: 'prod',
      uid: POD_UID,
      container: 'app',
      command: twice('in-kubernetes'),
    });
    const place = { pod: 'web-6d4', namespace: 'prod', podUid: POD_UID };
    const { container } = await execOf('in-kubernetes');
    assert.deepEqual(container, named(pod.containerId, 'cri', { name: 'app', ...place }));
    // The program that holds the sandbox runs once, perhaps before anybody could answer: its place is known at once.
    const holder = await execOf('100000');
    assert.deepEqual([holder.container?.id, holder.container?.podUid], [pod.sandboxId, POD_UID]);
  });

  test('containers that are gone before anybody can look have their id', async () => {
    const id = randomBytes(32).toString('hex');
    const bundle = join(host.directory, 'bundle');
    const paths = [`/docker/${id}`, `/kubepods/burstable/pod${POD_UID}/${id}`];
    for (const [index, cgroupsPath] of paths.entries()) {
      const mark = `gone-${index}`;
      await runAlone(bundle, cgroupsPath, ['/bin/echo', mark]);
      const { container } = await execOf(mark);
      // No runtime has ever heard of it.
      assert.deepEqual(
        [container?.id, container?.name, container?.podUid],
        [id, null, index === 0 ? null : POD_UID],
      );
    }
    const short = await host.docker.run('short', ['/bin/echo', 'gone-docker']);
    assert.equal((await execOf('gone-docker')).container?.id, short);
  });

  test('a server in a container is attacked: the finding says whose container it is', async () => {
    const port = await freePort();
    const server = ['/bin/httpd', '-f', '-p', `127.0.0.1:${port}`, '-h', '/www'];
    const labels = { tier: 'front', 'db-password': 'hunter2' };
    const id = await host.docker.run('shop', server, labels);
    const url = `http://127.0.0.1:${port}/cgi-bin/ping?host=`;
    for (let attempt = 0; !(await answers(`${url}ready`)); attempt++) {
      assert.ok(attempt < 100, 'the server answers');
      await sleep(50);
    }
    const reply = await (await fetch(`${url}${encodeURIComponent('x; id')}`)).text();
    assert.match(reply, /checking x\nuid=0/, 'the attack works');

    const found = (await findings.waitFor(
      (message) => message.kind === 'finding' && message['verdict'] === 'EXPLOITED',
      WAIT_MS,
    )) as unknown as FindingView;
    assertFinding(found);
    assert.equal(found.class, 'command-injection');
    const expected = named(id, 'docker', { name: 'shop' });
    assert.deepEqual(found.request?.server.container, expected);
    assert.deepEqual(found.process?.container, {
      ...expected,
      labels: { tier: 'front', 'db-password': '***' },
    });
    replayed = found;
  });

  test('runtimes that hang, answer garbage or a gigabyte cost nothing but a line each', async () => {
    assert.ok(poured.written > 0 && poured.written < 64 * 1024 * 1024, `${poured.written} bytes`);
    const { stderr } = await findings.stop();
    const lines = stderr.split('\n').filter((line) => line.includes('names of containers may be missing'));
    const of = ({ path }: MadeUpRuntime): string[] => lines.filter((line) => line.includes(path));
    const [hanging, garbage, gigabyte] = hostile.map(of);
    // Whoever hangs is not waited for once another has answered: it may never be told.
    assert.ok((hanging?.length ?? 0) <= 1 && lines.length <= 3, lines.join('\n'));
    assert.deepEqual([garbage?.length, gigabyte?.length], [1, 1], lines.join('\n'));
    assert.match(gigabyte?.[0] ?? '', /answers with more than 1024 KiB/);
    assert.match(stderr, /\d+ containers: \d+ named/);
  });

  test('a recording has the names: replayed without privilege, when the containers may be gone', async () => {
    chmodSync(recording, 0o644);
    const { code, messages, stderr } = throughline(
      ['replay', recording, '--json', '--trace', '--container', 'shop'],
      withoutPrivilege(),
    );
    assert.equal(code, 0, stderr);
    const found = messages.find(({ kind, id }) => kind === 'finding' && id === replayed?.id);
    assert.deepEqual(found, replayed);
    const requests = messages.filter(({ kind }) => kind === 'request') as unknown as RequestView[];
    assert.ok(requests.length > 1 && requests.every(({ server }) => server.container?.name === 'shop'));
    const byId = [
      'replay',
      recording,
      '--json',
      '--container',
      replayed?.request?.server.container?.id.slice(0, 12) ?? '',
    ];
    assert.equal(throughline(byId).messages.filter(({ kind }) => kind === 'request').length, requests.length);
    assert.equal(
      throughline([...byId.slice(0, -1), 'sho']).messages.filter(({ kind }) => kind === 'request').length,
      0,
    );
    const text = throughline(['replay', recording, '--verdict', 'exploited']);
    assert.match(text.stdout, /service .*container shop \(registry\.test\/box:1\)/);
  });

  test('what the agent asks a runtime is not told as a request to it', async () => {
    // What another agent asks is.
    await events.kill();
    await using alone = await startThroughline([
      'trace',
      '--json',
      '--no-tls',
      '--no-runtime-probes',
      ...options(false),
    ]);
    const id = await host.docker.run('asked-for', ['/bin/sleep', '1000']);
    await alone.waitFor(({ kind, target }) => kind === 'request' && target === `/containers/${id}/start`);
    await sleep(500);
    const { stderr } = await alone.stop();
    assert.match(stderr, /\d+ containers: [1-9]\d* named/, 'it has asked');
    const targets = alone.ofKind('request').map(({ target }) => String(target));
    const own = /containers\/[0-9a-f]{64}\/json|libpod|runtime\.v1|containerd\.services\.namespaces/;
    assert.deepEqual(
      targets.filter((target) => own.test(target)),
      [],
    );
  });

  test('the doctor says which runtimes it found and whether they answer', () => {
    const { messages, code } = throughline(['doctor', '--json', ...options(true)]);
    assert.equal(code, 0);
    const reports = messages[0]?.['containerRuntimes'] as {
      kind: RuntimeName;
      version: string | null;
      problem: string;
    }[];
    assert.deepEqual(
      reports
        .slice(0, 3)
        .map(({ kind, version }) => [kind, /^(Docker|Podman|containerd) \d/.test(version ?? '')]),
      RUNTIMES.map((name) => [name, true]),
    );
    assert.deepEqual(
      reports
        .slice(3)
        .map(({ version, problem }) => [version, /does not answer|no HTTP|more than/.test(problem)]),
      hostile.map(() => [null, true]),
    );
    assert.equal(reports.length, 6);
  });
});

/** runc without anybody above it: as short as a container can be. */
async function runAlone(bundle: string, cgroupsPath: string, args: readonly string[]): Promise<void> {
  await command('mkdir', ['-p', bundle]);
  const config = {
    ociVersion: '1.0.2',
    root: { path: join(bundle, '..', 'root'), readonly: true },
    process: { args, cwd: '/', user: { uid: 0, gid: 0 }, env: ['PATH=/bin'] },
    mounts: [{ destination: '/proc', type: 'proc', source: 'proc' }],
    linux: { cgroupsPath, namespaces: [{ type: 'pid' }, { type: 'mount' }] },
  };
  writeFileSync(join(bundle, 'config.json'), JSON.stringify(config));
  await command('runc', [
    '--root',
    join(bundle, 'state'),
    'run',
    '--bundle',
    bundle,
    `alone-${randomBytes(4).toString('hex')}`,
  ]);
}
