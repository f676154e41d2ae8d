import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fieldsOfCondition } from '../fields-of.ts';
import { isTrue, makeEvent, makeProcess, ruleText, rulesOf } from '../testing.ts';

test('no event is asynchronous', () => {
  assert.equal(isTrue('evt.is_async = false', makeEvent()), true);
  assert.equal(isTrue('evt.is_async = true', makeEvent()), false);
});

test('errors are counted by category', () => {
  const counts = (type: string, result: number) =>
    ['error', 'error.file', 'error.net', 'error.memory', 'error.other'].filter((name) =>
      isTrue(`evt.count.${name} = 1`, makeEvent({ type, result })),
    );
  assert.deepEqual(counts('openat', -2), ['error', 'error.file']);
  assert.deepEqual(counts('connect', -111), ['error', 'error.net']);
  assert.deepEqual(counts('mmap', -12), ['error', 'error.memory']);
  assert.deepEqual(counts('ptrace', -1), ['error', 'error.other']);
  assert.deepEqual(counts('openat', 3), []);
});

test('a thread is named by its process and its id', () => {
  const event = makeEvent({ process: makeProcess({ comm: 'java' }), tid: 77 });
  assert.equal(isTrue('thread.nametid = java77', event), true);
});

test('what an argument stands for may be written behind a dot', () => {
  const environment = { variables: ['PATH=/bin'], isCut: false };
  const labels = { app: 'shop' };
  const container = {
    id: 'c',
    runtime: 'docker',
    name: '',
    image: '',
    pod: '',
    namespace: '',
    podUid: '',
    labels,
  };
  const event = makeEvent({ process: makeProcess({ environment, container }) });
  assert.equal(isTrue('proc.env.PATH = /bin', event), true);
  assert.equal(isTrue('k8s.pod.label.app = shop and container.label.app = shop', event), true);
  const [rule] = rulesOf(ruleText('evt.type = execve and proc.env.PATH = /bin'));
  assert.ok(rule !== undefined && fieldsOfCondition(rule.condition).has('proc.env[PATH]'));
});

test('the time since the event before', () => {
  const event = makeEvent({ timeNs: 20e9, previousNs: 17.5e9 });
  assert.equal(
    isTrue('evt.deltatime = 2500000000 and evt.deltatime.s = 2 and evt.deltatime.ns = 500000000', event),
    true,
  );
  assert.equal(isTrue('evt.deltatime = 0', makeEvent({ timeNs: 20e9, previousNs: null })), true);
  assert.equal(isTrue('evt.deltatime = 0', makeEvent({ timeNs: 20e9, previousNs: 21e9 })), true);
});
