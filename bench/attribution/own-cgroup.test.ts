import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { OwnCgroup } from './own-cgroup.ts';

const mount = /^\S+ (\S+) cgroup2 /m.exec(readFileSync('/proc/mounts', 'latin1'))?.[1];
const isPossible = process.getuid?.() === 0 && mount !== undefined;

test(
  'a process is moved, and the cgroup is gone afterwards',
  { skip: isPossible ? false : 'needs root and cgroup2' },
  async () => {
    const cgroup = new OwnCgroup('test');
    const child = spawn('/bin/sleep', ['60'], { stdio: 'ignore' });
    await once(child, 'spawn');
    cgroup.add(child.pid ?? 0);
    const path = /^0::(.*)$/m.exec(readFileSync(`/proc/${child.pid}/cgroup`, 'latin1'))?.[1] ?? '';
    assert.match(path, /\/throughline-test-\w+$/);
    child.kill('SIGKILL');
    await once(child, 'exit');
    await cgroup[Symbol.asyncDispose]();
    assert.ok(!existsSync(join(mount ?? '', path)));
  },
);

test('a process that there is not is nothing', async () => {
  await using cgroup = new OwnCgroup('test');
  cgroup.add(0);
  cgroup.add(2 ** 30);
});
