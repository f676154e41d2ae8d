import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { EventHeader, ExecEvent, ExitEvent, Fact, ForkEvent } from '../model/event.ts';
import type { Container } from '../model/container.ts';
import type { Process } from '../model/process.ts';
import { makeDetails } from '../model/testing.ts';
import { ProcessTable } from './process-table.ts';

const ID = 'ab12'.repeat(16);

function header(pid: number, startTicks: number, more: Partial<EventHeader> = {}): EventHeader {
  return {
    timeNs: startTicks * 1e7,
    pid,
    tid: pid,
    unit: pid,
    startTicks,
    cgroupId: 7,
    cpu: 0,
    stampConnection: 0,
    stampSequence: 0,
    stampOrigin: 'none',
    readyCount: 0,
    isTruncated: false,
    ...more,
  };
}

function fork(parent: [number, number], child: [number, number], more: Partial<EventHeader> = {}): ForkEvent {
  const times = { timeNs: child[1] * 1e7, ...more };
  return { ...header(...parent, times), kind: 'fork', childPid: child[0], childStartTicks: child[1] };
}

function exec(pid: number, startTicks: number, program: string, more: Partial<ExecEvent> = {}): ExecEvent {
  return {
    ...header(pid, startTicks),
    kind: 'exec',
    parentPid: 1,
    uid: 33,
    gid: 33,
    effectiveUid: 33,
    effectiveGid: 33,
    groups: [33, 44],
    inode: 99,
    device: 8,
    stdio: ['pipe', 'socket', 'file'],
    comm: program.slice(0, 15),
    path: program,
    executable: `/bin/${program}`,
    workingDirectory: '/srv',
    argv: [program, '-c', 'id'],
    ...more,
  };
}

function exit(pid: number, startTicks: number, code = 0, more: Partial<EventHeader> = {}): ExitEvent {
  return { ...header(pid, startTicks, more), kind: 'exit', code };
}

function fact(
  pid: number,
  startTicks: number,
  parentPid: number,
  program: string,
): Extract<Fact, { kind: 'process' }> {
  return {
    kind: 'process',
    pid,
    parentPid,
    startTicks,
    comm: program,
    executable: `/bin/${program}`,
    argv: [program],
    workingDirectory: '/',
    uid: 0,
    gid: 0,
    cgroupId: 7,
  };
}

function names(processes: Process[]): string[] {
  return processes.map((process) => process.comm);
}

describe('process table', () => {
  test('a request becomes a shell: fork copies the program, exec replaces it in place', () => {
    const table = new ProcessTable();
    table.applyFact(fact(1, 0, 0, 'init'));
    table.applyFact(fact(50, 10, 1, 'httpd'));
    const child = table.applyFork(fork([50, 10], [60, 20]));
    assert.equal(child.comm, 'httpd');
    assert.equal(child.parentPid, 50);
    assert.equal(child.uid, 0);
    assert.equal(table.applyExec(exec(60, 20, 'sh', { parentPid: 50 })), child);
    assert.deepEqual(
      [
        child.executable,
        child.argv,
        child.uid,
        child.groups,
        child.stdio,
        child.inode,
        child.workingDirectory,
      ],
      ['/bin/sh', ['sh', '-c', 'id'], 33, [33, 44], ['pipe', 'socket', 'file'], 99, '/srv'],
    );
    assert.deepEqual(names(table.ancestors(child)), ['httpd', 'init']);
    assert.equal(table.processOf(header(60, 20)), child);
    assert.equal(child.exitedNs, null);
    assert.equal(table.applyExit(exit(60, 20, 137, { timeNs: 5e9 })), child);
    assert.deepEqual([child.exitedNs, child.exitCode], [5e9, 137]);
    assert.deepEqual([table.livingCount, table.retiredCount], [2, 1]);
    assert.equal(table.counters.unseen, 0);
  });

  test('a late event of an exited process finds it, for a minute', () => {
    const table = new ProcessTable();
    const process = table.applyExec(exec(60, 20, 'sh'));
    table.applyExit(exit(60, 20));
    assert.equal(table.processOf(header(60, 20)), process);
    assert.equal(table.lookup(60, 20), process);
    assert.equal(table.livingCount, 0);
    table.applyExec(exec(61, 8000, 'sh'));
    table.applyExit(exit(61, 8000));
    assert.equal(table.lookup(60, 20), null);
    assert.notEqual(table.lookup(61, 8000), null);
  });

  test('what an exec tells of its file goes to children, until one executes another file', () => {
    const table = new ProcessTable();
    const details = makeDetails({ isMemoryFile: true });
    const process = table.applyExec(exec(60, 20, 'dropped', { details }));
    const child = table.applyFork(fork([60, 20], [61, 30]));
    assert.equal(process.details, details);
    assert.equal(child.details, details);
    table.applyExec(exec(61, 30, 'sh'));
    assert.equal(child.details, null);
    table.applyFact(fact(60, 20, 1, 'another'));
    assert.equal(process.details, null, 'the exec of what it runs now was not seen');
  });

  test('an unseen process gets a stub that is not root, completed by exec, fact or fork', () => {
    const table = new ProcessTable();
    const [first, second, third] = [70, 71, 72].map((pid) => table.processOf(header(pid, 30)));
    assert.deepEqual([first?.comm, first?.executable, first?.uid, first?.parent], ['', '', -1, null]);
    table.applyExec(exec(70, 30, 'sh'));
    table.applyFact(fact(71, 30, 70, 'cat'));
    table.applyFork(fork([70, 30], [72, 30]));
    assert.deepEqual([first?.comm, second?.comm, third?.comm], ['sh', 'cat', 'sh']);
    assert.equal(second?.parent, first);
    assert.equal(third?.parent, first);
    assert.deepEqual([table.counters.unseen, table.counters.stubsCompleted], [3, 3]);
  });

  test('a pid is taken over while the exit of its holder was lost', () => {
    const table = new ProcessTable();
    const old = table.applyExec(exec(60, 20, 'old'));
    table.applyFork(fork([1, 0], [60, 500]));
    const young = table.processOf(header(60, 500));
    assert.notEqual(young, old);
    assert.equal(old.exitedNs, 5e9);
    assert.equal(old.exitCode, null);
    assert.equal(table.counters.exitsLost, 1);
    // A late event of the old one does not disturb the new one.
    assert.equal(table.processOf(header(60, 20)), old);
    assert.equal(table.processOf(header(60, 500)), young);
    table.applyExit(exit(60, 20, 3));
    assert.equal(old.exitCode, 3);
    assert.equal(young.exitedNs, null);
  });

  test('an event of a holder that was never seen does not push out the newer one', () => {
    const table = new ProcessTable();
    const young = table.applyExec(exec(60, 500, 'young'));
    const old = table.processOf(header(60, 20));
    assert.notEqual(old.exitedNs, null);
    assert.equal(table.lookup(60, 20), old);
    assert.equal(table.processOf(header(60, 500)), young);
    assert.equal(table.livingCount, 1);
  });

  test('exit before the late fork: nothing lives on', () => {
    const table = new ProcessTable();
    table.applyFact(fact(50, 10, 1, 'httpd'));
    assert.equal(table.applyExit(exit(60, 20, 1)), null);
    const child = table.applyFork(fork([50, 10], [60, 20]));
    assert.equal(child.comm, 'httpd');
    assert.equal(child.exitCode, 1);
    assert.equal(table.livingCount, 1);
    assert.equal(table.lookup(60, 20), child);
  });

  test('exec before the late fork: the newer program stays, the parent is filled in', () => {
    const table = new ProcessTable();
    table.applyFact(fact(50, 10, 1, 'httpd'));
    const child = table.applyExec(exec(60, 20, 'sh', { parentPid: 4 }));
    table.applyFork(fork([50, 10], [60, 20]));
    assert.equal(child.comm, 'sh');
    assert.equal(child.parent?.comm, 'httpd');
  });

  test('a lost fork is mended by the parent pid of the exec, even where the parent shows up later', () => {
    const table = new ProcessTable();
    const child = table.applyExec(exec(60, 20, 'sh', { parentPid: 50 }));
    assert.deepEqual(table.ancestors(child), []);
    const parent = table.applyExec(exec(50, 10, 'httpd'));
    assert.deepEqual(table.ancestors(child), [parent]);
    const other = table.applyExec(exec(61, 20, 'sh', { parentPid: 51 }));
    table.applyExec(exec(51, 30, 'later', { parentPid: 1 }));
    assert.deepEqual(table.ancestors(other), [], 'whoever started later was not the parent');
    assert.equal(table.counters.linksRefused, 0);
  });

  test('the parent exits first: parentPid becomes 1, parent stays', () => {
    const table = new ProcessTable();
    table.applyExec(exec(50, 10, 'httpd'));
    const child = table.applyFork(fork([50, 10], [60, 20]));
    assert.equal(child.parentPid, 50);
    table.applyExit(exit(50, 10));
    assert.equal(child.parentPid, 1);
    assert.equal(child.parent?.comm, 'httpd');
    table.applyExec(exec(60, 20, 'sh', { parentPid: 42 }));
    assert.equal(child.parentPid, 42, 'a subreaper took it');
    assert.deepEqual(names(table.ancestors(child)), ['httpd']);
  });

  test('an exec by another thread than the leader replaces the program of the process', () => {
    const table = new ProcessTable();
    const process = table.applyExec(exec(60, 20, 'java'));
    assert.equal(table.applyExec(exec(60, 20, 'sh', { tid: 60 })), process);
    assert.equal(table.processOf(header(60, 20, { tid: 75 })).comm, 'sh');
    assert.equal(table.livingCount, 1);
  });

  test('a cgroup fact fills in the processes that are there, and those that come', () => {
    const table = new ProcessTable();
    const early = table.applyExec(exec(60, 20, 'sh'));
    assert.equal(early.containerId, null);
    table.applyFact({ kind: 'cgroup', cgroupId: 7, paths: ['3:cpu:/', `0::/docker/${ID}`] });
    table.applyFact({ kind: 'cgroup', cgroupId: 8, paths: ['/system.slice/cron.service'] });
    assert.equal(early.containerId, ID);
    assert.equal(table.applyFork(fork([60, 20], [61, 21])).containerId, ID);
    // It moved, and no event tells but its next one.
    assert.equal(table.processOf(header(60, 20, { cgroupId: 8 })), early);
    assert.deepEqual([early.containerId, early.serviceUnit, early.cgroupId], [null, 'cron.service', 8]);
  });

  test('what a runtime told of a container is filled in, whenever it comes', () => {
    const table = new ProcessTable();
    const told: Container = {
      id: ID,
      runtime: 'docker',
      name: 'web',
      image: 'nginx:1.25',
      pod: '',
      namespace: '',
      podUid: '',
      labels: {},
    };
    const early = table.applyExec(exec(60, 20, 'sh'));
    table.applyFact({ kind: 'cgroup', cgroupId: 7, paths: [`0::/docker/${ID}`] });
    assert.deepEqual([early.containerId, early.container], [ID, null]);
    table.applyFact({ kind: 'container', ...told });
    assert.equal(early.container?.name, 'web');
    // A cgroup below that of the container, and one of another.
    table.applyFact({ kind: 'cgroup', cgroupId: 8, paths: [`0::/docker/${ID}/init.scope`] });
    table.applyFact({ kind: 'cgroup', cgroupId: 9, paths: [`0::/docker/${'ef'.repeat(32)}`] });
    const cgroupOf = (cgroupId: number) => table.processOf(header(60, 20, { cgroupId })).container?.name;
    assert.deepEqual([8, 9, 7].map(cgroupOf), ['web', undefined, 'web']);
    assert.equal(table.cgroupOf(8)?.container?.image, 'nginx:1.25');
    assert.equal(table.cgroupOf(10), null);
    // Told again, of a container that has another name now.
    table.applyFact({ kind: 'container', ...told, name: 'shop' });
    assert.equal(early.container?.name, 'shop');
  });

  test('however many containers are told, memory is bounded, and who has its name keeps it', () => {
    const table = new ProcessTable();
    const early = table.applyExec(exec(60, 20, 'sh'));
    table.applyFact({ kind: 'cgroup', cgroupId: 7, paths: [`0::/docker/${ID}`] });
    const tell = (id: string) =>
      table.applyFact({
        kind: 'container',
        id,
        runtime: 'docker',
        name: id,
        image: '',
        pod: '',
        namespace: '',
        podUid: '',
        labels: {},
      });
    tell(ID);
    for (let index = 0; index < 5000; index++) tell(index.toString(16).padStart(64, '0'));
    assert.equal(early.container?.name, ID);
    table.applyFact({ kind: 'cgroup', cgroupId: 8, paths: [`0::/docker/${ID}`] });
    assert.equal(table.cgroupOf(8)?.container, null, 'it was forgotten');
  });

  test('a container of cgroup v1 is not put on everyone in the same v2 cgroup', () => {
    const table = new ProcessTable();
    const process = table.applyExec(exec(60, 20, 'sh', { cgroupId: 1 }));
    table.applyFact({ kind: 'cgroup', cgroupId: 1, paths: [`9:name=systemd:/docker/${ID}`, '0::/'] });
    assert.equal(process.containerId, null);
  });

  test('users are named, also after the fact', () => {
    const table = new ProcessTable({ users: 1 });
    const process = table.applyExec(exec(60, 20, 'sh'));
    assert.equal(process.userName, null);
    table.applyFact({ kind: 'user', uid: 33, name: 'www-data' });
    table.applyFact({ kind: 'user', uid: 34, name: 'one-too-many' });
    assert.equal(process.userName, 'www-data');
    assert.equal(table.counters.usersIgnored, 1);
  });

  test('users have homes and shells, and groups names', () => {
    const table = new ProcessTable({ users: 1 });
    const process = table.applyExec(exec(60, 20, 'sh', { gid: 33 }));
    assert.deepEqual([process.homeDirectory, process.loginShell, process.groupName], [null, null, null]);
    table.applyFact({ kind: 'user', uid: 33, name: 'www-data' });
    assert.deepEqual([process.homeDirectory, process.loginShell], [null, null], 'an older recording');
    table.applyFact({ kind: 'user', uid: 33, name: 'www-data', home: '/var/www', shell: '/bin/false' });
    table.applyFact({ kind: 'group', gid: 33, name: 'web' });
    table.applyFact({ kind: 'group', gid: 34, name: 'one-too-many' });
    assert.deepEqual(
      [process.homeDirectory, process.loginShell, process.groupName],
      ['/var/www', '/bin/false', 'web'],
    );
    assert.equal(table.counters.usersIgnored, 1);
  });

  test('the user who logged in is named, of children too, and not where nobody did', () => {
    const table = new ProcessTable();
    table.applyFact({ kind: 'user', uid: 1000, name: 'jo' });
    const process = table.applyExec(exec(60, 20, 'sh', { details: makeDetails({ loginUid: 1000 }) }));
    assert.equal(process.loginName, 'jo');
    const child = table.applyFork(fork([60, 20], [61, 21]));
    assert.equal(child.loginName, 'jo');
    table.applyExec(exec(60, 20, 'sh', { details: makeDetails() }));
    assert.equal(process.loginName, null);
  });

  test('/proc mends a lost exec, and leaves alone what an exec event told better', () => {
    const table = new ProcessTable();
    const process = table.applyExec(exec(60, 20, 'sh'));
    table.applyFact({ ...fact(60, 20, 1, 'sh'), argv: ['a title'], uid: 1000 });
    assert.deepEqual([process.argv, process.inode, process.uid], [['sh', '-c', 'id'], 99, 1000]);
    table.applyFact(fact(60, 20, 1, 'python3'));
    assert.deepEqual([process.argv, process.inode, process.executable], [['python3'], 0, '/bin/python3']);
  });

  test('a daemon that forks itself for ever keeps its origin and is bounded', () => {
    const table = new ProcessTable();
    table.applyFact(fact(10, 0, 1, 'httpd'));
    let pid = 10;
    let ticks = 0;
    for (let generation = 1; generation <= 5000; generation++) {
      const child: [number, number] = [10 + generation, generation];
      table.applyFork(fork([pid, ticks], child));
      if (generation > 1) table.applyExit(exit(pid, ticks));
      [pid, ticks] = child;
    }
    const last = table.processOf(header(pid, ticks));
    assert.ok(chainLength(last) <= 34, String(chainLength(last)));
    const ancestors = table.ancestors(last);
    assert.ok(ancestors.length >= 28 && ancestors.length <= 32);
    assert.deepEqual(
      ancestors.slice(0, 15).map((process) => process.pid),
      Array.from({ length: 15 }, (_, index) => pid - 1 - index),
    );
    assert.equal(table.lookup(10, 0)?.exitedNs, null);
    assert.ok(ancestors.some((process) => process.pid === 10));
  });

  test('a chain that was long while it lived shrinks once it is dead', () => {
    const table = new ProcessTable();
    for (let pid = 1; pid < 300; pid++) table.applyFork(fork([pid, pid], [pid + 1, pid + 1]));
    for (let pid = 1; pid < 300; pid++) table.applyExit(exit(pid, pid));
    assert.ok(chainLength(table.processOf(header(300, 300))) > 200);
    for (let pid = 300; pid < 450; pid++) {
      table.applyFork(fork([pid, pid], [pid + 1, pid + 1]));
      table.applyExit(exit(pid, pid));
    }
    assert.ok(chainLength(table.processOf(header(450, 450))) <= 34);
  });

  test('parents that cannot be are refused', () => {
    const table = new ProcessTable();
    table.applyFork(fork([10, 5], [11, 5]));
    table.applyFork(fork([11, 5], [12, 5]));
    table.applyFork(fork([12, 5], [10, 5]));
    table.applyFork(fork([12, 5], [12, 5]));
    table.applyFork(fork([20, 9], [21, 3]));
    assert.equal(table.counters.linksRefused, 3);
    assert.equal(table.ancestors(table.processOf(header(10, 5))).length, 0);
  });

  test('a full table gives up stubs first; who was put aside comes back with its next event', () => {
    const table = new ProcessTable({ living: 3 });
    const server = table.applyExec(exec(50, 10, 'httpd'));
    table.applyExec(exec(51, 10, 'cron'));
    table.processOf(header(52, 10));
    table.processOf(header(53, 10));
    assert.deepEqual([table.counters.stubsEvicted, table.counters.processesEvicted], [1, 0]);
    table.applyExec(exec(53, 10, 'sh'));
    table.applyExec(exec(54, 10, 'sh'));
    assert.equal(table.counters.processesEvicted, 1);
    assert.equal(table.livingCount, 3);
    assert.equal(table.processOf(header(50, 10)), server);
    assert.equal(table.livingCount, 3);
    assert.equal(table.counters.unseen, 5);
  });

  test('a flood of unseen processes stays within the default bounds', () => {
    const table = new ProcessTable();
    const server = table.applyExec(exec(50, 10, 'httpd'));
    for (let pid = 100; pid < 200_100; pid++) table.processOf(header(pid, 20, { cgroupId: pid }));
    assert.ok(table.livingCount <= 65_536);
    assert.equal(table.retiredCount, 4096);
    assert.equal(table.processOf(header(50, 10)), server);
    assert.equal(table.counters.processesEvicted, 0);
  });

  test('the youngest of many exits are found, the oldest are not', () => {
    const table = new ProcessTable({ retired: 1500 });
    for (let pid = 1; pid <= 10_000; pid++) table.applyExit(exit(pid, 5));
    assert.equal(table.retiredCount, 1500);
    assert.equal(table.lookup(8500, 5), null);
    assert.equal(table.lookup(8501, 5)?.exitCode, 0);
  });

  test('cgroups that living processes are in are not forgotten', () => {
    const table = new ProcessTable({ cgroups: 8 });
    table.applyFact({ kind: 'cgroup', cgroupId: 7, paths: [`/docker/${ID}`] });
    table.applyExec(exec(50, 10, 'httpd'));
    for (let id = 100; id < 200; id++)
      table.applyFact({ kind: 'cgroup', cgroupId: id, paths: ['/a.service'] });
    assert.equal(table.applyExec(exec(51, 10, 'sh')).containerId, ID);
    assert.equal(table.applyExec(exec(52, 10, 'sh', { cgroupId: 199 })).serviceUnit, 'a.service');
    assert.equal(table.applyExec(exec(53, 10, 'sh', { cgroupId: 100 })).serviceUnit, null);
  });

  test('arguments of the dead are bounded by size', () => {
    const table = new ProcessTable({ retiredArgvBytes: 100_000 });
    const child = table.applyFork(fork([50, 1], [51, 1]));
    const long = 'x'.repeat(30_000);
    const held: Process[] = [];
    for (let pid = 100; pid < 110; pid++) {
      held.push(table.applyExec(exec(pid, 2, 'sh', { argv: ['sh', long] })));
      table.applyExit(exit(pid, 2));
    }
    assert.equal(table.retiredCount, 3);
    assert.equal(child.exitedNs, null);
    const [first] = held;
    assert.deepEqual(
      first?.argv.map((argument) => argument.length),
      [2, 1021],
    );
    assert.equal(first?.argvTruncated, true);
    assert.equal(held.at(-1)?.argv[1]?.length, 30_000);
  });
});

/** Without the bound that ancestors() has. A cycle would make it endless, so it gives up. */
function chainLength(process: Process): number {
  let length = 0;
  for (let node = process.parent; node !== null; node = node.parent) {
    length++;
    if (length > 100_000) throw new Error('cycle');
  }
  return length;
}

test('process table: whatever is lost, late or nonsense, it is bounded, has no cycles and never throws', () => {
  const limits = { living: 12, retired: 8, retiredArgvBytes: 60, cgroups: 4 };
  const pid = fc.integer({ min: 0, max: 8 });
  const ticks = fc.oneof(fc.integer({ min: 0, max: 3 }), fc.constantFrom(-1, 2 ** 31, 2 ** 33, 1e300, NaN));
  const step = fc.record({
    kind: fc.constantFrom('fork', 'exec', 'exit', 'event', 'fact', 'cgroup'),
    pid,
    ticks,
    other: pid,
    otherTicks: ticks,
    timeNs: fc.integer({ min: 0, max: 200e9 }),
    cgroupId: fc.integer({ min: 0, max: 9 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      const table = new ProcessTable(limits);
      for (const { kind, pid, ticks, other, otherTicks, timeNs, cgroupId } of steps) {
        const more = { timeNs, cgroupId };
        if (kind === 'fork') table.applyFork(fork([pid, ticks], [other, otherTicks], more));
        if (kind === 'exec') table.applyExec(exec(pid, ticks, 'sh', { ...more, parentPid: other }));
        if (kind === 'exit') table.applyExit(exit(pid, ticks, 0, more));
        if (kind === 'event') assert.equal(table.processOf(header(pid, ticks, more)).pid, pid);
        if (kind === 'fact') table.applyFact({ ...fact(pid, ticks, other, 'x'), cgroupId });
        if (kind === 'cgroup') table.applyFact({ kind: 'cgroup', cgroupId, paths: ['/docker/x'] });
        assert.ok(table.livingCount <= limits.living);
        assert.ok(table.retiredCount <= limits.retired);
        for (const [ofPid, ofTicks] of [
          [pid, ticks],
          [other, otherTicks],
        ] as const) {
          const process = table.lookup(ofPid, ofTicks);
          if (process === null) continue;
          assert.deepEqual([process.pid, process.startTicks], [ofPid, ofTicks]);
          chainLength(process);
          assert.ok(table.ancestors(process).length <= 32);
        }
      }
    }),
    { numRuns: 500 },
  );
});

test('process table: with every event, in any order within a family, ancestry is right', () => {
  // A small server's life, shuffled a little: each event may come up to some places late.
  fc.assert(
    fc.property(fc.array(fc.nat(2), { minLength: 40, maxLength: 40 }), (delays) => {
      const events: (ForkEvent | ExecEvent | ExitEvent)[] = [];
      for (let request = 0; request < 10; request++) {
        const shell: [number, number] = [100 + 2 * request, 100 + request];
        const tool: [number, number] = [101 + 2 * request, 100 + request];
        events.push(fork([50, 10], shell), exec(...shell, 'sh', { parentPid: 50 }), fork(shell, tool));
        events.push(exec(...tool, 'id', { parentPid: shell[0] }));
      }
      const table = new ProcessTable();
      table.applyFact(fact(50, 10, 1, 'httpd'));
      const order = events.map((event, index) => ({ event, at: index + (delays[index] ?? 0) }));
      order.sort((left, right) => left.at - right.at);
      for (const { event } of order) {
        if (event.kind === 'fork') table.applyFork(event);
        else if (event.kind === 'exec') table.applyExec(event);
      }
      for (let request = 0; request < 10; request++) {
        const tool = table.processOf(header(101 + 2 * request, 100 + request));
        assert.deepEqual([tool.comm, ...names(table.ancestors(tool))], ['id', 'sh', 'httpd']);
      }
    }),
  );
});
