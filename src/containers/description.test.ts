import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeContainer } from './description.ts';
import { ID } from './testing.ts';

test('what Kubernetes says in labels stands in its place, whoever told it', () => {
  const labels = {
    'io.kubernetes.container.name': 'app',
    'io.kubernetes.pod.name': 'web-6d4',
    'io.kubernetes.pod.namespace': 'prod',
    'io.kubernetes.pod.uid': 'u-1',
  };
  const told = {
    id: ID,
    name: 'k8s_app_web-6d4_prod_u-1_0',
    image: 'shop:2',
    labels: Object.entries(labels),
  };
  assert.deepEqual(describeContainer('docker', told), {
    id: ID,
    runtime: 'docker',
    name: 'app',
    image: 'shop:2',
    pod: 'web-6d4',
    namespace: 'prod',
    podUid: 'u-1',
    labels,
  });
});

test('number and size of everything are bounded, and labels of Kubernetes count even behind many others', () => {
  const many = Array.from({ length: 1000 }, (_, index) => [`l${index}`, 'v'.repeat(1000)] as const);
  const { labels, name, image, pod } = describeContainer('cri', {
    id: ID,
    name: 'n'.repeat(9999),
    image: 'i'.repeat(9999),
    labels: [['k'.repeat(999), 'x'], ...many, ['io.kubernetes.pod.name', 'web']],
  });
  assert.deepEqual([name.length, image.length, pod], [256, 512, 'web']);
  assert.equal(Object.keys(labels).length, 32);
  for (const [key, value] of Object.entries(labels)) assert.ok(key.length <= 128 && value.length <= 256);
});

test('labels that are no texts are left out, and a name that means something to JavaScript means nothing', () => {
  const odd = [
    ['number', 5],
    ['__proto__', 'x'],
    ['constructor', 'y'],
    ['list', ['z']],
  ] as const;
  const { labels } = describeContainer('docker', { id: ID, name: '', image: '', labels: odd });
  assert.deepEqual(Object.entries(labels), [
    ['__proto__', 'x'],
    ['constructor', 'y'],
  ]);
  assert.equal(Object.getPrototypeOf(labels), Object.prototype);
});
