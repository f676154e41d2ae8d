/** Whose events are is told on hosts without the unified hierarchy of cgroups, too. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test, type TestContext } from 'node:test';
import { hierarchyMounts, mountedV1, unifiedMounts } from '../../src/capture/facts/cgroup-mounts.ts';
import type { CgroupHierarchy } from '../../src/model/cgroup-hierarchy.ts';
import type { ExecEventView } from '../../src/output/views.ts';
import { runToEnd } from '../support/event-log.ts';
import { requireKernel } from '../support/kernel.ts';
import { SLOWNESS } from '../support/slowness.ts';
import { startThroughline } from '../support/throughline.ts';

requireKernel();

const PROGRAM = join(import.meta.dirname, '..', '..', 'bin', 'throughline');
const UID = '8b0d2c4e-1a9f-4c3d-9e8f-0123456789ab';
const POD_SLICE = `kubepods-burstable-pod${UID.replaceAll('-', '_')}.slice`;
/** Where engines put a container. */
const ENGINES: readonly (readonly [engine: string, path: (id: string) => string, podUid: string | null])[] = [
  ['docker', (id) => `/docker/${id}`, null],
  ['docker, systemd', (id) => `/system.slice/docker-${id}.scope`, null],
  ['podman', (id) => `/libpod_parent/libpod-${id}`, null],
  ['kubernetes, containerd', (id) => `/kubepods/burstable/pod${UID}/${id}`, UID],
  ['kubernetes, systemd, CRI-O', (id) => `/kubepods.slice/${POD_SLICE}/crio-${id}.scope`, UID],
];

/** Runs a program in a cgroup that is made for it and removed as soon as it has ended. */
async function runInCgroup(mount: string, path: string, command: string): Promise<void> {
  const made: string[] = [];
  let folder = mount;
  for (const name of path.split('/').slice(1)) {
    folder = join(folder, name);
    if (existsSync(folder)) continue;
    mkdirSync(folder);
    made.unshift(folder);
  }
  try {
    await runToEnd('/bin/sh', ['-c', `echo $$ >${folder}/cgroup.procs && exec ${command}`]);
  } finally {
    for (const one of made) rmdirSync(one);
  }
}

/** A hierarchy of version 1, and how to start the agent where it sees no other. */
function hostWithoutUnified(t: TestContext): {
  readonly hierarchy: CgroupHierarchy;
  readonly mount: string;
  readonly command: readonly [string, ...string[]];
} | null {
  const [hierarchy] = mountedV1('/proc');
  const [mount] = hierarchy === undefined ? [] : hierarchyMounts('/proc', hierarchy);
  if (hierarchy === undefined || mount === undefined) {
    t.skip('no hierarchy of version 1 is mounted: node scripts/test-kernels.ts --v1 has some');
    return null;
  }
  const unified = unifiedMounts('/proc');
  if (unified.length === 0) return { hierarchy, mount, command: [PROGRAM] };
  const script = `${unified.map((path) => `umount -l '${path}'`).join(' && ')} && exec "$0" "$@"`;
  return { hierarchy, mount, command: ['unshare', '--mount', '/bin/sh', '-c', script, PROGRAM] };
}

suite('a host without the unified hierarchy of cgroups', () => {
  test('doctor says by which cgroups containers are told', (t) => {
    const host = hostWithoutUnified(t);
    if (host === null) return;
    const [program, ...args] = host.command;
    const { stdout } = spawnSync(program, [...args, 'doctor', '--json'], { encoding: 'utf8' });
    assert.deepEqual((JSON.parse(stdout) as { cgroups: unknown }).cgroups, {
      hierarchy: `${host.hierarchy.controller} (v1)`,
      reason: 'the unified one is mounted nowhere',
    });
  });

  test('containers have their ids, however short they live', async (t) => {
    const host = hostWithoutUnified(t);
    if (host === null) return;
    await using agent = await startThroughline(['events', '--type', 'exec', '--json'], {
      command: host.command,
    });
    for (const [index, [engine, path, podUid]] of ENGINES.entries()) {
      const id = `f${index}`.repeat(32);
      await runInCgroup(host.mount, path(id), `/bin/echo in-${index}`);
      const event = (await agent.waitFor(
        ({ type, argv }) => type === 'exec' && (argv as string[])[1] === `in-${index}`,
        10_000 * SLOWNESS,
      )) as unknown as ExecEventView;
      assert.deepEqual([event.container?.id, event.container?.podUid], [id, podUid], engine);
      assert.ok(event.cgroupId > 1, engine);
    }
    await agent.stop();
  });

  test('one that was there before the agent has its id, too', async (t) => {
    const host = hostWithoutUnified(t);
    if (host === null) return;
    const id = 'be'.repeat(32);
    // Waits for the agent, then starts another program.
    const running = runInCgroup(
      host.mount,
      `/docker/${id}`,
      `/bin/sh -c 'while [ ! -e /run/throughline-v1-${process.pid} ]; do sleep 0.1; done; /bin/echo from-before'`,
    );
    try {
      await using agent = await startThroughline(['events', '--type', 'exec', '--json'], {
        command: host.command,
      });
      await runToEnd('/bin/touch', [`/run/throughline-v1-${process.pid}`]);
      const event = (await agent.waitFor(
        ({ type, argv }) => type === 'exec' && (argv as string[])[1] === 'from-before',
        10_000 * SLOWNESS,
      )) as unknown as ExecEventView;
      assert.equal(event.container?.id, id);
      await agent.stop();
    } finally {
      await running;
      await runToEnd('/bin/rm', ['-f', `/run/throughline-v1-${process.pid}`]);
    }
  });
});
