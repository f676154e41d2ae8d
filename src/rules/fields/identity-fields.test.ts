import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isTrue, makeEvent, makeProcess } from '../testing.ts';

test('names of users beyond ASCII are compared as their bytes', () => {
  const event = makeEvent({ process: makeProcess({ userName: 'jürgen' }) });
  assert.ok(isTrue('user.name = jürgen', event));
  assert.ok(isTrue('user.name in (root, jürgen)', event));
  assert.ok(isTrue('user.name startswith jü', event));
  assert.equal(isTrue('user.name != jürgen', event), false);
});

test('home and shell of a user, and the name of a group, where they are known', () => {
  const known = makeProcess({ homeDirectory: '/root', loginShell: '/bin/bash', groupName: 'wheel' });
  const condition = 'user.homedir = /root and user.shell = /bin/bash and group.name = wheel';
  assert.equal(isTrue(condition, makeEvent({ process: known })), true);
  for (const process of [makeProcess(), makeProcess({ homeDirectory: '', loginShell: '', groupName: null })])
    assert.equal(
      isTrue('user.homedir exists or user.shell exists or group.name exists', makeEvent({ process })),
      false,
    );
});

test('all labels of a container, without those of its runtime', () => {
  const container = {
    id: 'c',
    runtime: 'cri',
    name: '',
    image: '',
    pod: '',
    namespace: '',
    podUid: '',
    labels: { app: 'shop', bare: '', 'io.kubernetes.pod.name': 'x', tier: 'ä' },
  };
  const event = makeEvent({ process: makeProcess({ container }) });
  assert.equal(isTrue('k8s.pod.labels = "app:shop, bare, tier:ä"', event), true);
  assert.equal(isTrue('container.labels contains app:shop', event), true);
  const none = makeEvent({ process: makeProcess({ container: { ...container, labels: {} } }) });
  assert.equal(isTrue('k8s.pod.labels exists', none), false);
});
