import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { byteStringFromText } from '../../base/bytes.ts';
import { UNIFIED } from '../../model/cgroup-hierarchy.ts';
import { CgroupReader } from './cgroup-reader.ts';
import { readClock } from './clock.ts';
import { readGroups, readHost, readUsers } from './host.ts';
import { parseStat, readProcesses, splitArguments } from './processes.ts';

const folders: string[] = [];
after(() => {
  for (const folder of folders) rmSync(folder, { recursive: true });
});

function statLine(pid: number, comm: string, parentPid: number, startTicks: number, state = 'S'): string {
  const middle = '1 1 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0';
  return `${pid} (${comm}) ${state} ${parentPid} ${middle} ${startTicks} 1 2 3\n`;
}

interface FakeProcess {
  pid: number;
  stat: string;
  cmdline?: string | Buffer;
  exe?: string;
  cgroup?: string;
}

/** A /proc and a cgroup2 mount in a temporary folder (with a blank in its name, as /proc/mounts escapes it). */
function fakeHost(
  processes: FakeProcess[],
  cgroups: string[] = [],
  hasMount = true,
): { proc: string; mount: string } {
  const root = mkdtempSync(join(tmpdir(), 'throughline facts '));
  folders.push(root);
  const proc = join(root, 'proc');
  const mount = join(root, 'cgroup');
  for (const cgroup of ['/', ...cgroups]) mkdirSync(join(mount, cgroup), { recursive: true });
  mkdirSync(proc);
  const line = `cgroup2 ${mount.replaceAll(' ', '\\040')} cgroup2 rw 0 0\n`;
  writeFileSync(join(proc, 'mounts'), `proc /proc proc rw 0 0\n${hasMount ? line + line : ''}`);
  for (const { pid, stat, cmdline = '', exe, cgroup = '0::/\n' } of processes) {
    const folder = join(proc, String(pid));
    mkdirSync(folder);
    writeFileSync(join(folder, 'stat'), stat);
    writeFileSync(join(folder, 'status'), 'Name:\tx\nUid:\t33\t0\t0\t0\nGid:\t34\t0\t0\t0\n');
    writeFileSync(join(folder, 'cmdline'), cmdline);
    writeFileSync(join(folder, 'cgroup'), cgroup);
    if (exe !== undefined) symlinkSync(exe, join(folder, 'exe'));
    symlinkSync('/srv', join(folder, 'cwd'));
  }
  return { proc, mount };
}

describe('processes of a made-up /proc', () => {
  test('facts in the order of start, kernel threads included, the unreadable left out', () => {
    const { proc, mount } = fakeHost(
      [
        { pid: 300, stat: statLine(300, 'kworker/0:1', 2, 5) },
        {
          pid: 77,
          stat: statLine(77, 'a) R 1 (b\n c', 300, 900),
          cmdline: Buffer.from('sh\0-c\0echo \xff\0\0', 'latin1'),
          exe: '/usr/bin/dash',
          cgroup: '3:cpu:/x\n0::/system.slice/web.service\n',
        },
        { pid: 80, stat: '' },
        { pid: 81, stat: statLine(81, 'gone', 1, 901, 'Z') },
        { pid: 82, stat: statLine(82, 'moved away', 1, 902), cgroup: '0::/../docker/x\n' },
      ],
      ['/system.slice/web.service'],
    );
    mkdirSync(join(proc, '99'));
    const facts = readProcesses(proc);
    assert.deepEqual(facts[0], {
      kind: 'process',
      pid: 300,
      parentPid: 2,
      startTicks: 5,
      comm: 'kworker/0:1',
      executable: '',
      argv: [],
      workingDirectory: '/srv',
      uid: 33,
      gid: 34,
      cgroupId: statSync(mount).ino,
    });
    assert.deepEqual(facts[1], {
      kind: 'process',
      pid: 77,
      parentPid: 300,
      startTicks: 900,
      comm: 'a) R 1 (b\n c',
      executable: '/usr/bin/dash',
      argv: ['sh', '-c', 'echo \xff', ''],
      workingDirectory: '/srv',
      uid: 33,
      gid: 34,
      cgroupId: statSync(join(mount, 'system.slice/web.service')).ino,
    });
    assert.deepEqual([facts[2]?.pid, facts[2]?.cgroupId], [82, 0]);
    assert.equal(facts.length, 3);
  });

  test('without a cgroup2 mount the cgroup is unknown', () => {
    const { proc } = fakeHost([{ pid: 5, stat: statLine(5, 'x', 1, 1) }], [], false);
    assert.equal(readProcesses(proc)[0]?.cgroupId, 0);
  });

  test('stat: odd input', () => {
    assert.equal(parseStat(null), null);
    assert.equal(parseStat('12 (x'), null);
    assert.equal(parseStat('12 (x) S 1'), null);
    assert.equal(parseStat(statLine(1, ')', 0, 12))?.comm, ')');
    // The leader has ended, another thread lives.
    assert.equal(parseStat(statLine(1, 'x', 0, 12, 'Z').replace(' 20 0 1 0 ', ' 20 0 2 0 '))?.isEnded, false);
  });

  test('arguments', () => {
    assert.deepEqual(splitArguments(''), []);
    assert.deepEqual(splitArguments('a\0b c\0'), ['a', 'b c']);
    assert.deepEqual(splitArguments('\0'), ['']);
    assert.deepEqual(splitArguments('cut of'), ['cut of']);
    assert.deepEqual(splitArguments('nginx: worker process\0\0\0\0\0'), ['nginx: worker process']);
  });
});

describe('this machine', () => {
  test('its own process is found as it is', () => {
    const own = readProcesses().find((fact) => fact.pid === process.pid);
    assert.ok(own !== undefined);
    assert.equal(own.parentPid, process.ppid);
    assert.equal(own.uid, process.getuid?.());
    assert.equal(own.gid, process.getgid?.());
    assert.equal(own.executable, byteStringFromText(realpathSync('/proc/self/exe')));
    assert.equal(own.workingDirectory, byteStringFromText(process.cwd()));
    const argv = readFileSync('/proc/self/cmdline').toString('latin1').split('\0').slice(0, -1);
    assert.deepEqual(own.argv, argv);
    const [, afterComm = ''] = readFileSync('/proc/self/stat', 'latin1').split(/\) (?=[RSDZT] )/);
    assert.equal(own.startTicks, Number(afterComm.split(' ')[19]));
    const startedMs =
      (Number(readFileSync('/proc/uptime', 'latin1').split(' ')[0]) - own.startTicks / 100) * 1000;
    assert.ok(Math.abs(startedMs - performance.now()) < 2000);
  });

  test('parents come before their children, and process 1 is there', () => {
    const facts = readProcesses();
    assert.ok(facts.some((fact) => fact.pid === 1));
    const place = new Map(facts.map((fact, index) => [fact.pid, index]));
    const own = place.get(process.pid) ?? -1;
    assert.ok((place.get(process.ppid) ?? Infinity) < own);
  });

  test('a child whose executable was deleted is called by its name', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'throughline-exe-'));
    folders.push(folder);
    const copy = join(folder, 'sleep');
    writeFileSync(copy, readFileSync(realpathSync('/bin/sleep')), { mode: 0o755 });
    const child = spawn(copy, ['100']);
    try {
      await new Promise((resolve) => child.once('spawn', resolve));
      rmSync(copy);
      const fact = readProcesses().find(({ pid }) => pid === child.pid);
      assert.deepEqual([fact?.executable, fact?.argv], [byteStringFromText(copy), [copy, '100']]);
      assert.equal(fact?.parentPid, process.pid);
    } finally {
      child.kill();
    }
  });

  test('the cgroup of this process', () => {
    const own = readProcesses().find((fact) => fact.pid === process.pid);
    if (own === undefined || own.cgroupId === 0) return;
    const fact = new CgroupReader().resolve(own.cgroupId, process.pid);
    assert.deepEqual(fact?.paths, readFileSync('/proc/self/cgroup', 'latin1').trimEnd().split('\n'));
  });

  test('both clocks', () => {
    const before = { uptime: uptimeNs(), wallMs: Date.now() };
    const clock = readClock();
    const later = { uptime: uptimeNs(), wallMs: Date.now() };
    assert.ok(clock.bootNs >= before.uptime - 1e6 && clock.bootNs <= later.uptime + 11e6);
    assert.ok(clock.wallMs >= before.wallMs && clock.wallMs <= later.wallMs);
  });

  test('host', () => {
    const host = readHost();
    assert.equal(host.kernel, readFileSync('/proc/sys/kernel/osrelease', 'latin1').trim());
    assert.notEqual(host.sessionId, readHost().sessionId);
  });
});

function uptimeNs(): number {
  return Number(readFileSync('/proc/uptime', 'latin1').split(' ')[0]) * 1e9;
}

test('a clock without /proc/uptime, or with one that stands still, is the monotonic one', () => {
  const { proc } = fakeHost([]);
  const [seconds] = process.hrtime();
  assert.ok(Math.abs(readClock(proc).bootNs / 1e9 - seconds) < 2);
  writeFileSync(join(proc, 'uptime'), '123456789.00 1.00\n');
  assert.ok(Math.abs(readClock(proc).bootNs / 1e9 - seconds) < 2);
});

test('users: the first name of a uid, no comments, no NIS entries', () => {
  const { proc } = fakeHost([]);
  const path = join(proc, 'passwd');
  writeFileSync(
    path,
    'root:x:0:0:root:/root:/bin/sh\ntoor:x:0:0::/:\n#no:x:1:1:::\n+nis::::::\nzoë:x:1000:5:::\nbad:x:\n',
  );
  assert.deepEqual(readUsers(path), [
    { kind: 'user', uid: 0, name: 'root', home: '/root', shell: '/bin/sh' },
    { kind: 'user', uid: 1000, name: 'zoë', home: '', shell: '' },
  ]);
  assert.deepEqual(readUsers(join(proc, 'none')), []);
  assert.equal(readUsers().find((user) => user.uid === 0)?.name, 'root');
});

test('groups: likewise', () => {
  const { proc } = fakeHost([]);
  const path = join(proc, 'group');
  writeFileSync(path, 'root:x:0:\nwheel:x:0:root\n#no:x:1:\n+:::\nwww-data:x:33:a,b\nbad:x:\n');
  assert.deepEqual(readGroups(path), [
    { kind: 'group', gid: 0, name: 'root' },
    { kind: 'group', gid: 33, name: 'www-data' },
  ]);
  assert.deepEqual(readGroups(join(proc, 'none')), []);
  assert.equal(readGroups().find((group) => group.gid === 0)?.name, 'root');
});

describe('cgroups by id', () => {
  const container = `/docker/${'ab'.repeat(32)}`;

  test('from the process, where it is still in that cgroup', () => {
    const cgroup = `4:memory:/y\n0::${container}\n`;
    const { proc, mount } = fakeHost([{ pid: 5, stat: '', cgroup }], [container, '/other']);
    const reader = new CgroupReader(proc);
    const cgroupId = statSync(join(mount, container)).ino;
    assert.deepEqual(reader.resolve(cgroupId, 5), {
      kind: 'cgroup',
      cgroupId,
      paths: ['4:memory:/y', `0::${container}`],
    });
    // The pid is another's by now: the id decides.
    const otherId = statSync(join(mount, 'other')).ino;
    assert.deepEqual(reader.resolve(otherId, 5)?.paths, ['/other']);
  });

  test('from the mount, where the process is gone; walks at most once a second', () => {
    let nowMs = 0;
    const { proc, mount } = fakeHost([], ['/a/b/c']);
    const reader = new CgroupReader(proc, UNIFIED, () => nowMs);
    assert.deepEqual(reader.resolve(statSync(join(mount, 'a/b/c')).ino, 5)?.paths, ['/a/b/c']);
    assert.deepEqual(reader.resolve(statSync(mount).ino, 5)?.paths, ['/']);
    mkdirSync(join(mount, 'new'));
    const newId = statSync(join(mount, 'new')).ino;
    nowMs = 999;
    assert.equal(reader.resolve(newId, 5), null);
    nowMs = 1000;
    assert.deepEqual(reader.resolve(newId, 5)?.paths, ['/new']);
  });

  test('an unknown id is remembered for some seconds, and the memory is bounded', () => {
    let nowMs = 0;
    const { proc, mount } = fakeHost([], ['/a']);
    const reader = new CgroupReader(proc, UNIFIED, () => nowMs);
    // The next directories get the inodes that this one gives back, or others: try an id that nothing has.
    assert.equal(reader.resolve(2 ** 50, 5), null);
    assert.equal(reader.unknownCount, 1);
    nowMs = 2000;
    mkdirSync(join(mount, 'b'));
    assert.equal(reader.resolve(2 ** 50, 5), null);
    assert.equal(reader.unknownCount, 1);
    for (let id = 0; id < 4200; id++) {
      nowMs += 1001;
      reader.resolve(2 ** 51 + id, 5);
    }
    assert.equal(reader.unknownCount, 4096);
  });

  test('where no cgroup2 is mounted, the lines of the process are trusted', () => {
    const { proc } = fakeHost([{ pid: 5, stat: '', cgroup: '1:cpu:/x\n0::/y\n' }], [], false);
    const reader = new CgroupReader(proc);
    assert.deepEqual(reader.resolve(9, 5)?.paths, ['1:cpu:/x', '0::/y']);
    assert.equal(reader.resolve(9, 6), null);
  });
});
