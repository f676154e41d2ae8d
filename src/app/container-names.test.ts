import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { MessageChannel } from 'node:worker_threads';
import { httpRuntime, ID } from '../containers/testing.ts';
import { answerContainerNames, ContainerNames } from './container-names.ts';

test('each container is asked for once, and its answer taken without waiting', async () => {
  await using docker = await httpRuntime({
    [`/containers/${ID}/json`]: { Id: ID, Name: '/web', Config: { Image: 'box:1', Labels: { a: 'b' } } },
  });
  const { port1, port2 } = new MessageChannel();
  const warnings: string[] = [];
  const socket = { kind: 'docker', path: docker.path } as const;
  using lookups = answerContainerNames(port1, [socket], (text) => warnings.push(text));
  const names = new ContainerNames(port2);
  names.saw({ kind: 'user', uid: 0, name: 'root' });
  names.saw({ kind: 'cgroup', cgroupId: 6, paths: ['0::/system.slice/cron.service'] });
  assert.equal(names.take(), null);
  names.saw({ kind: 'cgroup', cgroupId: 7, paths: [`0::/docker/${ID}`] });
  names.saw({ kind: 'cgroup', cgroupId: 8, paths: [`0::/docker/${ID}/init.scope`] });
  let fact = null;
  for (let waits = 0; fact === null && waits < 200; waits++) {
    await sleep(5);
    fact = names.take();
  }
  assert.deepEqual(fact, {
    kind: 'container',
    id: ID,
    runtime: 'docker',
    name: 'web',
    image: 'box:1',
    pod: '',
    namespace: '',
    podUid: '',
    labels: { a: 'b' },
  });
  assert.equal(names.take(), null);
  assert.deepEqual([lookups.counters.asked, docker.asked.length, warnings], [1, 1, []]);
  port1.close();
});
