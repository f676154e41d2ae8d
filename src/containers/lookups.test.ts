import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Container } from '../model/container.ts';
import type { RuntimeSocket } from './contract.ts';
import { ContainerLookups } from './lookups.ts';
import { httpRuntime, ID, OTHER_ID, rawRuntime } from './testing.ts';

function start(sockets: readonly RuntimeSocket[]) {
  const found: Container[] = [];
  const warnings: string[] = [];
  const lookups = new ContainerLookups(
    sockets,
    (container) => found.push(container),
    (text) => warnings.push(text),
  );
  return { lookups, found, warnings };
}

async function until(isTrue: () => boolean, timeoutMs = 3000): Promise<void> {
  for (const end = Date.now() + timeoutMs; !isTrue(); await sleep(5))
    assert.ok(Date.now() < end, `not within ${timeoutMs} ms`);
}

const inspect = (id: string, name: string) => ({
  [`/containers/${id}/json`]: { Id: id, Name: `/${name}`, Config: { Image: 'box:1' } },
});

test('the first runtime that knows a container names it, whatever the others do', async () => {
  await using hanging = await rawRuntime((socket) => socket.resume());
  await using garbage = await rawRuntime((socket) => socket.end('\0\0\0'));
  await using empty = await httpRuntime({});
  await using docker = await httpRuntime(inspect(ID, 'web'));
  const { lookups, found, warnings } = start([
    { kind: 'docker', path: hanging.path },
    { kind: 'cri', path: garbage.path },
    { kind: 'docker', path: empty.path },
    { kind: 'docker', path: docker.path },
    { kind: 'docker', path: '/nowhere/docker.sock' },
  ]);
  using _ = lookups;
  const startedAt = performance.now();
  lookups.ask(ID);
  await until(() => found.length > 0);
  assert.ok(performance.now() - startedAt < 1000);
  assert.equal(found[0]?.name, 'web');
  assert.equal(lookups.counters.named, 1);
  await until(() => hanging.connectionCount === 0);
  assert.ok(warnings.length <= 1);
});

test('a container that the runtime does not know yet is asked for again', async () => {
  const answers: Record<string, unknown> = {};
  await using docker = await httpRuntime(answers);
  const { lookups, found, warnings } = start([{ kind: 'docker', path: docker.path }]);
  using _ = lookups;
  lookups.ask(ID);
  await until(() => docker.asked.length === 1);
  Object.assign(answers, inspect(ID, 'late'));
  await until(() => found.length > 0);
  assert.deepEqual([found[0]?.name, docker.asked.length, warnings], ['late', 2, []]);
  assert.deepEqual(lookups.counters, { asked: 1, named: 1, unknown: 0, failed: 0, skipped: 0 });
});

test('a socket that is of no use is told once, rests, and is believed again when it answers', async () => {
  await using garbage = await rawRuntime((socket) => socket.end('\0\0\0'));
  const { lookups, warnings } = start([{ kind: 'docker', path: garbage.path }]);
  using _ = lookups;
  for (let index = 0; index < 20; index++) lookups.ask(index.toString(16).padStart(64, '0'));
  await until(() => lookups.counters.failed > 0);
  await sleep(600);
  assert.ok(lookups.counters.failed <= 4, 'it is not asked while it rests');
  assert.deepEqual(warnings, [
    `names of containers may be missing: docker at ${garbage.path} answers with something that is no HTTP`,
  ]);
});

test('what waits is bounded, and counted', async () => {
  await using hanging = await rawRuntime((socket) => socket.resume());
  const { lookups, warnings } = start([{ kind: 'docker', path: hanging.path }]);
  for (let index = 0; index < 2000; index++) lookups.ask(index.toString(16).padStart(64, '0'));
  await sleep(50);
  assert.equal(hanging.connectionCount, 4);
  assert.equal(lookups.counters.skipped, 2000 - 4 - 1024);
  lookups[Symbol.dispose]();
  await until(() => hanging.connectionCount === 0);
  assert.deepEqual(warnings, [], 'whoever ends has not failed');
});

test('where there is no runtime nothing is asked', async () => {
  const { lookups, found, warnings } = start([{ kind: 'docker', path: '/nowhere/docker.sock' }]);
  using _ = lookups;
  lookups.ask(ID);
  lookups.ask(OTHER_ID);
  await sleep(20);
  assert.deepEqual([found, warnings, lookups.counters.failed], [[], [], 0]);
});
