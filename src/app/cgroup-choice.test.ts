import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { CgroupReader } from '../capture/facts/cgroup-reader.ts';
import { readProcesses } from '../capture/facts/processes.ts';
import { hierarchyName } from '../model/cgroup-hierarchy.ts';
import { chooseHierarchy } from './cgroup-choice.ts';

const ID = '4f1c'.repeat(16);

const folders: string[] = [];
after(() => {
  for (const folder of folders) rmSync(folder, { recursive: true });
});

type Mount = 'unified' | 'pids' | 'memory' | 'cpu';
const NUMBERS = { pids: 8, memory: 4, cpu: 1 };

/** A /proc with these hierarchies mounted, and one process for each content of /proc/PID/cgroup. */
function host(mounted: readonly Mount[], cgroups: readonly string[] = [], paths: readonly string[] = []) {
  const root = mkdtempSync(join(tmpdir(), 'throughline-cgroups-'));
  folders.push(root);
  const proc = join(root, 'proc');
  mkdirSync(proc);
  const lines = mounted.map((name) => {
    for (const path of ['/', ...paths]) mkdirSync(join(root, name, path), { recursive: true });
    const type = name === 'unified' ? 'cgroup2' : 'cgroup';
    return `${type} ${root}/${name} ${type} rw,relatime${name === 'unified' ? '' : `,${name}`} 0 0`;
  });
  writeFileSync(join(proc, 'mounts'), lines.join('\n') + '\n');
  const table = Object.entries(NUMBERS).map(
    ([name, number]) => `${name}\t${mounted.includes(name as Mount) ? number : 0}\t1\t1`,
  );
  writeFileSync(
    join(proc, 'cgroups'),
    ['#subsys_name\thierarchy\tnum_cgroups\tenabled', ...table, ''].join('\n'),
  );
  cgroups.forEach((text, index) => {
    const folder = join(proc, String(100 + index));
    mkdirSync(folder);
    writeFileSync(join(folder, 'cgroup'), text);
    writeFileSync(join(folder, 'stat'), `${100 + index} (sh) S 1 ${'0 '.repeat(15)}1 0 900 1 2 3\n`);
  });
  return { root, proc };
}

function chosen(mounted: readonly Mount[], cgroups: readonly string[] = [], asked?: string): string {
  // Not what this test's own environment asks for.
  const hierarchy = chooseHierarchy(host(mounted, cgroups).proc, asked ?? '');
  return `${hierarchyName(hierarchy)} ${hierarchy.number}`;
}

test('the unified hierarchy, where it is the only one, or in use beside others', () => {
  assert.equal(chosen(['unified']), 'unified (v2) 0');
  assert.equal(chosen([]), 'unified (v2) 0');
  assert.equal(chosen(['unified', 'pids']), 'unified (v2) 0');
  assert.equal(chosen(['unified', 'pids'], [`8:pids:/docker/${ID}\n0::/docker/${ID}\n`]), 'unified (v2) 0');
  assert.equal(chosen(['unified', 'cpu'], [`1:cpu:/docker/${ID}\n0::/\n`]), 'unified (v2) 0');
});

test('one of version 1 where there is no other, or all containers are in that', () => {
  assert.equal(chosen(['pids', 'memory', 'cpu']), 'pids (v1) 8');
  assert.equal(chosen(['memory']), 'memory (v1) 4');
  assert.equal(
    chosen(
      ['unified', 'pids'],
      ['8:pids:/\n0::/\n', `8:pids:/docker/${ID}\n0::/system.slice/docker.service\n`],
    ),
    'pids (v1) 8',
  );
});

test('what the environment asks for, or why not', () => {
  assert.equal(chosen(['unified', 'pids'], [], 'v1'), 'pids (v1) 8');
  assert.equal(chosen(['pids'], [], 'v2'), 'unified (v2) 0');
  assert.throws(() => chosen(['unified'], [], 'v1'), /TL3002|none is mounted/);
  assert.throws(() => chosen(['unified'], [], 'v9'), /TL3002|none of v1, v2/);
});

test('processes and ids are found in the hierarchy that was chosen', () => {
  const path = `/docker/${ID}`;
  const { root, proc } = host(['pids', 'memory'], [`8:pids:${path}\n4:memory:/other\n`], [path, '/other']);
  const hierarchy = chooseHierarchy(proc, '');
  const cgroupId = statSync(join(root, 'pids', path)).ino;
  assert.equal(readProcesses(proc, new Set(), hierarchy)[0]?.cgroupId, cgroupId);
  const reader = new CgroupReader(proc, hierarchy);
  // The line of another controller does not hold for all who have this id.
  assert.deepEqual(reader.resolve(cgroupId, 100)?.paths, [path]);
  // The process is gone: found by a walk.
  assert.deepEqual(reader.resolve(statSync(join(root, 'pids', 'other')).ino, 4)?.paths, ['/other']);
});
