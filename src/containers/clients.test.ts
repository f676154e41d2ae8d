import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { CLIENTS, examineRuntimes } from './clients.ts';
import { RUNTIME_KINDS, type RuntimeKind } from './contract.ts';
import { encodeField } from './protobuf.ts';
import {
  grpcRuntime,
  httpRuntime,
  ID,
  labels,
  message,
  OTHER_ID,
  rawRuntime,
  type MadeUpRuntime,
} from './testing.ts';

const NOT_FOUND = 5;
const CRI = '/runtime.v1.RuntimeService';
const CONTAINERS = '/containerd.services.containers.v1.Containers/Get';
const NAMESPACES = '/containerd.services.namespaces.v1.Namespaces/List';

const find = (kind: RuntimeKind, { path }: MadeUpRuntime, id = ID) =>
  CLIENTS[kind].find(path, id, AbortSignal.timeout(5000));

suite('Docker', () => {
  test('a container, and one that is not there', async () => {
    await using docker = await httpRuntime({
      [`/containers/${ID}/json`]: {
        Id: ID,
        Name: '/web',
        Image: 'sha256:0123',
        Config: { Image: 'nginx:1.25', Labels: { tier: 'front' }, Env: ['PASSWORD=hunter2'] },
      },
      '/version': { Version: '20.10.24' },
    });
    assert.deepEqual(await find('docker', docker), {
      id: ID,
      runtime: 'docker',
      name: 'web',
      image: 'nginx:1.25',
      pod: '',
      namespace: '',
      podUid: '',
      labels: { tier: 'front' },
    });
    assert.equal(await find('docker', docker, OTHER_ID), null);
    assert.equal(
      (await examineRuntimes([{ kind: 'docker', path: docker.path }]))[0]?.version,
      'Docker 20.10.24',
    );
  });

  test('JSON of any other form is no container, or one without a name', async () => {
    const path = `/containers/${ID}/json`;
    for (const odd of [[], 'x', 5, {}, { Id: OTHER_ID, Name: '/web' }]) {
      await using docker = await httpRuntime({ [path]: odd });
      await assert.rejects(find('docker', docker), /answers with another container/);
    }
    await using docker = await httpRuntime({
      [path]: { Id: ID, Name: 5, Config: { Image: {}, Labels: 'x' } },
    });
    const found = await find('docker', docker);
    assert.deepEqual([found?.name, found?.image, found?.labels], ['', '', {}]);
  });
});

test('Podman: its own API, which knows the pod', async () => {
  const target = (id: string) => `/v4.0.0/libpod/containers/json?all=true&pod=true&filters={"id":["${id}"]}`;
  await using podman = await httpRuntime({
    [target(ID)]: [
      { Id: OTHER_ID, Names: ['other'] },
      { Id: ID, Names: ['app'], Image: 'localhost/shop:2', PodName: 'shop', Labels: null },
    ],
    [target(OTHER_ID)]: [],
    '/version': { Version: '4.3.1' },
  });
  const found = await find('podman', podman);
  assert.deepEqual(
    [found?.runtime, found?.name, found?.image, found?.pod],
    ['podman', 'app', 'localhost/shop:2', 'shop'],
  );
  assert.equal(await find('podman', podman, OTHER_ID), null);
  assert.equal((await examineRuntimes([{ kind: 'podman', path: podman.path }]))[0]?.version, 'Podman 4.3.1');
});

const SANDBOX = message({
  1: message({
    1: OTHER_ID,
    2: message({ 1: 'web-6d4', 2: 'u-1', 3: 'prod' }),
    7: labels({ app: 'web' }),
  }),
});

/** As containerd and CRI-O answer: the list is empty for an id that it does not have, the others have an error. */
function criMethods(): Parameters<typeof grpcRuntime>[0] {
  const container = message({
    1: ID,
    2: OTHER_ID,
    3: message({ 1: 'app' }),
    4: message({ 1: 'sha256:0123' }),
    8: labels({ tier: 'front' }),
  });
  const isFor = (asked: Buffer, id: string) => asked.includes(id);
  return {
    [`${CRI}/ListContainers`]: (asked) => (isFor(asked, ID) ? message({ 1: container }) : message({})),
    [`${CRI}/ContainerStatus`]: (asked) =>
      isFor(asked, ID)
        ? message({ 1: message({ 1: ID, 8: message({ 1: 'docker.io/library/shop:2' }) }) })
        : NOT_FOUND,
    [`${CRI}/PodSandboxStatus`]: (asked) => (isFor(asked, OTHER_ID) ? SANDBOX : NOT_FOUND),
    [`${CRI}/Version`]: () => message({ 1: '0.1.0', 2: 'cri-o', 3: '1.30.0', 4: 'v1' }),
  };
}

suite('CRI', () => {
  test('a container with its pod, which no label has to tell', async () => {
    await using runtime = await grpcRuntime(criMethods());
    assert.deepEqual(await find('cri', runtime), {
      id: ID,
      runtime: 'cri',
      name: 'app',
      image: 'docker.io/library/shop:2',
      pod: 'web-6d4',
      namespace: 'prod',
      podUid: 'u-1',
      labels: { tier: 'front' },
    });
    assert.equal((await examineRuntimes([{ kind: 'cri', path: runtime.path }]))[0]?.version, 'cri-o 1.30.0');
  });

  test('the sandbox of a pod is a container as well; anything else is none', async () => {
    await using runtime = await grpcRuntime(criMethods());
    const sandbox = await find('cri', runtime, OTHER_ID);
    assert.deepEqual([sandbox?.name, sandbox?.pod, sandbox?.labels], ['', 'web-6d4', { app: 'web' }]);
    assert.equal(await find('cri', runtime, 'ab'.repeat(32)), null);
  });
});

suite('containerd', () => {
  const namespaces =
    (...names: string[]) =>
    () =>
      message({ 1: names.map((name) => message({ 1: name })) });
  const container = (more: Record<number, Uint8Array[]> = {}) =>
    message({ 1: message({ 1: 'web-1', 3: 'docker.io/local/box:1', ...more }) });

  test('a container of a pod is asked for through CRI', async () => {
    await using runtime = await grpcRuntime(criMethods());
    const found = await find('containerd', runtime);
    assert.deepEqual([found?.runtime, found?.pod], ['cri', 'web-6d4']);
  });

  test('any other through its own API, in each namespace but that of Docker', async () => {
    await using runtime = await grpcRuntime({
      [NAMESPACES]: namespaces('moby', 'a\nb', 'default', 'k8s.io'),
      [CONTAINERS]: (_, namespace) =>
        namespace === 'default' ? container({ 2: labels({ 'nerdctl/name': 'web' }) }) : NOT_FOUND,
      '/containerd.services.version.v1.Version/Version': () => message({ 1: '1.6.20' }),
    });
    const found = await find('containerd', runtime, 'web-1');
    assert.deepEqual(
      [found?.runtime, found?.name, found?.image, found?.namespace],
      ['containerd', 'web', 'docker.io/local/box:1', 'default'],
    );
    const asked = runtime.asked.filter((method) => method.startsWith(CONTAINERS));
    assert.deepEqual(asked, [`${CONTAINERS} in default`, `${CONTAINERS} in k8s.io`]);
    const [report] = await examineRuntimes([{ kind: 'containerd', path: runtime.path }]);
    assert.equal(report?.version, 'containerd 1.6.20');
  });

  test('an id that stands in two namespaces is nobody for sure', async () => {
    await using runtime = await grpcRuntime({
      [NAMESPACES]: namespaces('default', 'blue'),
      [CONTAINERS]: () => container(),
    });
    assert.equal(await find('containerd', runtime, 'web-1'), null);
  });
});

test('ids that are no ids of the runtime are not asked for: a name would find somebody else', () => {
  for (const kind of ['docker', 'podman', 'cri'] as const) {
    assert.ok(CLIENTS[kind].canHave(ID));
    for (const id of ['web', ID.slice(1), `${ID}/../x`, ''])
      assert.ok(!CLIENTS[kind].canHave(id), `${kind} ${id}`);
  }
  assert.ok(CLIENTS.containerd.canHave('web-1') && CLIENTS.containerd.canHave(ID));
  assert.ok(!CLIENTS.containerd.canHave('a/b') && !CLIENTS.containerd.canHave(''));
});

test('errors of gRPC, and answers that are no messages', async () => {
  await using refusing = await grpcRuntime({ [`${CRI}/ListContainers`]: () => 7 });
  await assert.rejects(find('cri', refusing), /answers with status 7/);
  await using odd = await grpcRuntime({
    [`${CRI}/ListContainers`]: () => encodeField(1, Buffer.from('ff', 'hex')),
  });
  await assert.rejects(find('cri', odd), /no message of its API/);
});

test('a socket that is not there says so, and so does a file that is none', async () => {
  let path = '';
  {
    await using gone = await rawRuntime(() => {});
    path = gone.path;
  }
  const problemOf = async (kind: RuntimeKind, file: string) =>
    (await examineRuntimes([{ kind, path: file }]))[0]?.problem;
  for (const kind of RUNTIME_KINDS) {
    assert.equal(await problemOf(kind, path), 'cannot be asked (ENOENT)');
    assert.equal(await problemOf(kind, import.meta.filename), 'cannot be asked (ECONNREFUSED)');
  }
  await assert.rejects(CLIENTS.docker.find(path, ID, AbortSignal.timeout(5000)), { code: 'ENOENT' });
  await assert.rejects(CLIENTS.cri.find(path, ID, AbortSignal.timeout(5000)), { code: 'ENOENT' });
});
