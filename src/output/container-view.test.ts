import assert from 'node:assert/strict';
import { test } from 'node:test';
import { containerView, labelledContainerView } from './container-view.ts';
import { sampleContainer, sampleProcess } from './sample-story.ts';
import { createTerminal } from './text/terminal.ts';
import { placeText } from './text/wording.ts';

const ID = 'c0ffee'.repeat(10) + 'c0de';
const POD_UID = '8b0d2c4e-1a9f-4c3d-9e8f-0123456789ab';

test('what no runtime has told is null, and the id is there at once', () => {
  assert.equal(containerView(null), null);
  assert.equal(containerView(sampleProcess()), null);
  assert.deepEqual(containerView(sampleProcess({ containerId: ID, podUid: POD_UID })), {
    id: ID,
    name: null,
    image: null,
    pod: null,
    namespace: null,
    podUid: POD_UID,
    runtime: null,
  });
  const container = { ...sampleContainer, namespace: 'prod', pod: 'web-6d4' };
  assert.deepEqual(containerView(sampleProcess({ containerId: ID, podUid: POD_UID, container })), {
    id: ID,
    name: 'web',
    image: 'shop:2',
    pod: 'web-6d4',
    namespace: 'prod',
    podUid: POD_UID,
    runtime: 'docker',
  });
});

test('labels that are named or look like secrets are masked', () => {
  const secrets = {
    'db-password': 'x',
    'vault.token': 'x',
    url: 'postgres://app:hunter2@db/shop',
    session: 'eyJhbGciOiJIUzI1NiJ9.e30.x',
    'traefik.http.middlewares.auth.basicauth.users': 'admin:$apr1$H6uskkkW$IgXLP6ewTrSuBkTrqE8wj/',
    aws: 'AKIAIOSFODNN7EXAMPLE',
    key: '-----BEGIN RSA PRIVATE KEY-----\nMII',
    ci: 'ghp_0123456789abcdefghij',
  };
  const plain = {
    'io.kubernetes.pod.name': 'web-6d4',
    maintainer: 'Somebody <somebody@example.org>',
    'org.opencontainers.image.source': 'https://example.org/shop',
    'org.opencontainers.image.revision': '4f1c90ab4f1c90ab4f1c90ab4f1c90ab4f1c90ab',
  };
  const container = { ...sampleContainer, labels: { ...secrets, ...plain } };
  const view = labelledContainerView(sampleProcess({ containerId: ID, container }));
  const masked = Object.fromEntries(Object.keys(secrets).map((name) => [name, '***']));
  assert.deepEqual(view?.labels, { ...masked, ...plain });
  assert.deepEqual(labelledContainerView(sampleProcess({ containerId: ID }))?.labels, {});
});

test('for people: name and image, the short id where there is no name', () => {
  const terminal = createTerminal({
    isTty: false,
    columns: null,
    variables: { LANG: 'C.UTF-8' },
    timeZone: 'UTC',
  });
  const text = (container: Partial<typeof sampleContainer> | null) => {
    const known = container === null ? null : { ...sampleContainer, ...container };
    const process = sampleProcess({ containerId: ID, container: known });
    return placeText({ unit: 'docker.service', container: containerView(process) }, terminal);
  };
  assert.equal(text(null), 'container c0ffeec0ffee, docker.service');
  assert.equal(text({}), 'container web (shop:2), docker.service');
  assert.equal(text({ image: '' }), 'container web, docker.service');
  assert.equal(text({ pod: 'web-6d4' }), 'container web (shop:2) of pod web-6d4, docker.service');
  assert.equal(
    text({ pod: 'web-6d4', namespace: 'prod' }),
    'container web (shop:2) of pod prod/web-6d4, docker.service',
  );
  const hostile = text({ name: '\x1b[2J', image: 'a\nb' });
  assert.ok(!hostile.includes('\x1b') && !hostile.includes('\n'), 'nothing raw reaches the terminal');
});
