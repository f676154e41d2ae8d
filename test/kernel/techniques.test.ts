/**
 * Evasions that are known of this kind of tool, each done for real: what is told of it, and what is not. docs/EVASIONS.md says the
 * same for people.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { arch, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import type { EventView } from '../../src/output/views.ts';
import { compileProgram } from '../support/compile.ts';
import { EventLog, runToEnd } from '../support/event-log.ts';
import { requireKernel } from '../support/kernel.ts';
import { planInForce } from '../support/plans.ts';

requireKernel();

const TRUE = realpathSync('/bin/true');
const TYPES = [
  ...['exec', 'fork', 'exit', 'open', 'connect'],
  ...[
    'memfd_create',
    'open_by_handle',
    'ptrace',
    'process_vm_writev',
    'mmap',
    'mount',
    'prctl',
    'unlink',
    'mkdir',
  ],
];
const SWAPS = 40;
const isX64 = arch() === 'x64';

let log: EventLog;
let directory: string;
let tricks: string;

before(async () => {
  directory = realpathSync(mkdtempSync(join(tmpdir(), 'throughline-tricks-')));
  chmodSync(directory, 0o755);
  tricks = compileProgram('tricks', directory);
  writeFileSync(join(directory, 'benign'), 'benign');
  writeFileSync(join(directory, 'hidden'), 'hidden');
  log = await EventLog.start(TYPES);
});
after(async () => {
  await log[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true, force: true });
});

const trick = (...args: string[]) => log.run(tricks, args, { cwd: directory });
const at = (name: string): string => join(directory, name);
const lines = (stdout: string): string[] => stdout.trim().split('\n');

/** What processes did that a process had started. */
function ofChildren(pid: number): EventView[] {
  const children = new Set(log.ofType(pid, 'fork').map(({ childPid }) => childPid));
  return (log.agent.messages as unknown as EventView[]).filter((event) => children.has(event.pid));
}

suite('arguments that a second thread swaps between check and use', () => {
  test('of exec: told is what the new program got', async () => {
    const { pid, stdout } = await trick('argv', String(SWAPS));
    const told = ofChildren(pid).flatMap((event) => (event.type === 'exec' ? [event.argv[1]] : []));
    assert.equal(told.length, SWAPS);
    assert.deepEqual(told, lines(stdout));
  });

  test('of open: told is the file that was opened, by its own path; the one that was passed may be another, but not by functions', async () => {
    const { pid, stdout } = await trick('open', String(SWAPS * 10));
    const opens = log.ofType(pid, 'open').filter(({ resolvedPath }) => resolvedPath.startsWith(directory));
    const really = lines(stdout).map(Number);
    const names = new Map(['benign', 'hidden'].map((name) => [statSync(at(name)).ino, at(name)]));
    assert.equal(opens.length, really.length);
    assert.deepEqual(
      opens.filter(({ error }) => error === null).map(({ inode, resolvedPath }) => [inode, resolvedPath]),
      really.filter((inode) => inode > 0).map((inode) => [inode, names.get(inode)]),
    );
    // Of what could not be opened, nothing but the caller's memory says after the call what it was: that is said.
    const isByFunctions = planInForce() === 'trampolines';
    for (const { error, readFrom } of opens)
      assert.equal(readFrom, error === null || isByFunctions ? 'kernel' : 'caller');
    if (isByFunctions)
      for (const { path, error, resolvedPath } of opens)
        if (error === null) assert.equal(at(path), resolvedPath);
  });

  test('of connect: told is the peer; of a connection that failed, what the caller’s memory said after, or the kernel’s copy', async () => {
    const servers = [createServer(), createServer()];
    const ports = await Promise.all(servers.map(listening));
    const { pid, stdout } = await trick('connect', ...ports.map(String), String(SWAPS));
    const connects = log.ofType(pid, 'connect').filter(({ family }) => family === 'ipv4');
    assert.deepEqual(
      connects.map(({ port, readFrom }) => [port, readFrom]),
      lines(stdout).map((port) => [Number(port), 'kernel']),
    );
    for (const server of servers) server.close();
    const [first = 0, second = 0] = ports;
    const refused = await trick('connect', String(first), String(second), '5');
    const failed = log.ofType(refused.pid, 'connect').filter(({ error }) => error === 'ECONNREFUSED');
    assert.equal(failed.length, 5);
    const from = planInForce() === 'trampolines' ? 'kernel' : 'caller';
    assert.ok(failed.every(({ port, readFrom }) => ports.includes(port) && readFrom === from));
  });
});

async function listening(server: Server): Promise<number> {
  server.on('connection', (socket) => socket.destroy());
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return (server.address() as AddressInfo).port;
}

suite('other names', () => {
  test('argv[0] and the thread’s name are lies: the executable is not', async () => {
    const { pid } = await trick('names', TRUE);
    const exec = log.execOf(pid);
    assert.deepEqual(exec.argv, ['[kworker/0:1]']);
    assert.equal(exec.executable, TRUE);
    assert.equal(exec.inode, statSync(TRUE).ino);
    const renamed = log.ofType(pid, 'action').find(({ action }) => action === 'prctl');
    assert.equal(renamed?.arguments['option'], 'PR_SET_NAME');
  });

  test('a copy has a path and a file of its own; a link has the file of its original', async () => {
    copyFileSync(TRUE, at('copy'));
    linkSync(at('copy'), at('hard'));
    symlinkSync(at('copy'), at('soft'));
    const execs = [];
    for (const name of ['copy', 'hard', 'soft']) execs.push(log.execOf((await log.run(at(name), [])).pid));
    assert.deepEqual(
      execs.map(({ path, executable }) => [path, executable]),
      [
        [at('copy'), at('copy')],
        [at('hard'), at('hard')],
        [at('soft'), at('copy')],
      ],
    );
    const { ino } = statSync(at('copy'));
    assert.deepEqual(new Set(execs.map(({ inode }) => inode)), new Set([ino]));
    assert.notEqual(ino, statSync(TRUE).ino);
  });
});

suite('programs without a file', () => {
  test('from memory', async () => {
    const { pid } = await trick('memfd', TRUE);
    const exec = log.execOf(pid);
    assert.match(exec.executable, /^\/memfd:payload/);
    assert.deepEqual(exec.argv, ['[kworker/0:1]']);
    const [made] = log.ofType(pid, 'action').filter(({ action }) => action === 'memfd_create');
    assert.equal(made?.arguments['name'], 'payload');
  });

  test('from a file that never had a name: the name that the kernel gives it', async () => {
    const { pid } = await trick('tmpfile', directory, TRUE);
    const exec = log.execOf(pid);
    const opened = log.ofType(pid, 'open').find(({ flags }) => flags.includes('O_TMPFILE'));
    assert.equal(exec.inode, opened?.inode);
    assert.equal(exec.executable, join(directory, `#${exec.inode}`));
  });

  test('from a file that was deleted: the path that it had, and that it went', async () => {
    const { pid } = await trick('deleted', at('gone'), TRUE);
    const exec = log.execOf(pid);
    const unlinked = log.ofType(pid, 'action').find(({ action }) => action === 'unlink');
    assert.equal(exec.executable, at('gone'));
    assert.equal(unlinked?.arguments['path'], at('gone'));
    assert.ok(!existsSync(at('gone')));
    assert.match(exec.path, /^\/proc\/self\/fd\//);
  });

  test('from shared memory', async () => {
    const shared = mkdtempSync('/dev/shm/throughline-');
    try {
      copyFileSync(TRUE, join(shared, 'payload'));
      const { pid } = await log.run(join(shared, 'payload'), []);
      assert.equal(log.execOf(pid).executable, join(shared, 'payload'));
    } finally {
      rmSync(shared, { recursive: true });
    }
  });
});

suite('another program runs it', () => {
  test('the dynamic linker: it is the executable, what it runs is an argument and mapped executable', async () => {
    const linker = /\S*\/ld-linux\S*/.exec(readFileSync('/proc/self/maps', 'utf8'))?.[0];
    assert.ok(linker);
    const { pid } = await log.run(linker, [TRUE]);
    const exec = log.execOf(pid);
    assert.equal(exec.executable, realpathSync(linker));
    assert.deepEqual(exec.argv, [linker, TRUE]);
    assert.ok(mappedBy(pid).includes(TRUE));
  });

  test('an interpreter: what is passed as an argument is told, what comes through a pipe is not', async () => {
    const { pid } = await log.run('/bin/sh', ['-c', 'true hidden-in-argument']);
    assert.deepEqual(log.execOf(pid).argv, ['/bin/sh', '-c', 'true hidden-in-argument']);
    const piped = await log.run('/bin/sh', ['-c', 'echo "true hidden-in-pipe" | sh']);
    const [shell] = ofChildren(piped.pid).filter((event) => event.type === 'exec');
    assert.deepEqual(shell?.argv, ['sh']);
    assert.equal(shell?.stdio[0], 'pipe');
  });

  test('a script: its path was passed, its interpreter is the executable', async () => {
    writeFileSync(at('script'), '#!/bin/sh\ntrue\n', { mode: 0o755 });
    const { pid } = await log.run(at('script'), ['one']);
    const exec = log.execOf(pid);
    assert.equal(exec.path, at('script'));
    assert.equal(exec.executable, realpathSync('/bin/sh'));
    assert.deepEqual(exec.argv, ['/bin/sh', at('script'), 'one']);
  });
});

function mappedBy(pid: number): unknown[] {
  return log
    .ofType(pid, 'action')
    .filter(({ action }) => action === 'mmap')
    .map(({ arguments: passed }) => passed['file']);
}

suite('other calls', () => {
  test('of 32-bit programs', { skip: isX64 ? false : 'made with an instruction of x86' }, async (t) => {
    const server = createServer();
    const port = await listening(server);
    const { pid, stdout } = await trick('compat', at('compat'), at('benign'), String(port));
    server.close();
    const [made, opened, connected] = lines(stdout).map(Number);
    if (made !== 0) {
      t.skip(`this kernel has no 32-bit calls: ${made}`);
      return;
    }
    assert.ok(statSync(at('compat')).isDirectory(), 'it was made');
    const told = log.ofType(pid, 'action').find(({ action }) => action === 'mkdir');
    assert.equal(told?.syscall, 'mkdir');
    assert.deepEqual(told?.arguments, { path: at('compat'), mode: '0700' });
    assert.equal(told?.error, null);
    assert.ok((opened ?? -1) >= 0);
    const open = log.ofType(pid, 'open').find(({ resolvedPath }) => resolvedPath === at('benign'));
    assert.deepEqual([open?.inode, open?.error, open?.flags], [statSync(at('benign')).ino, null, ['O_RDWR']]);
    const isByFunctions = planInForce() === 'trampolines';
    assert.equal(open?.descriptor, isByFunctions ? null : opened);
    assert.equal(connected, 0);
    const [made32] = log.ofType(pid, 'connect');
    assert.ok((made32?.descriptor ?? 3) > 2 && (made32?.descriptor === null) === isByFunctions);
    assert.ok(made32?.local?.ip === '127.0.0.1' && made32.local.port > 0);
    assert.deepEqual(
      log.ofType(pid, 'connect').map(({ address, port: to, error }) => [address, to, error]),
      [['127.0.0.1', port, null]],
    );
  });

  test('by a handle: that it was opened is told, which file it was by functions alone', async () => {
    const { pid, stdout } = await trick('handle', at('benign'));
    assert.equal(stdout.trim(), '1');
    const [opened] = log.ofType(pid, 'action').filter(({ action }) => action === 'open_by_handle');
    assert.equal(opened?.error, null);
    assert.deepEqual(opened?.arguments, { mount: directory, flags: 2 });
    assert.ok(!JSON.stringify(log.of(pid).filter(({ type }) => type === 'action')).includes(at('benign')));
    const opens = log.ofType(pid, 'open').filter(({ path }) => path === '');
    const which = opens.map(({ inode, resolvedPath }) => [inode, resolvedPath]);
    assert.deepEqual(
      which,
      planInForce() === 'trampolines' ? [[statSync(at('benign')).ino, at('benign')]] : [],
    );
  });
});

suite('other paths', () => {
  test('symbolic links, dots and /proc/self/root lead to the path of the file; a bind mount has its own', async () => {
    const { pid } = await trick('paths');
    const opens = log.ofType(pid, 'open').filter(({ resolvedPath }) => resolvedPath.startsWith(directory));
    assert.deepEqual(
      opens.map(({ path, resolvedPath }) => [path, resolvedPath]),
      [
        ['symbolic', at('benign')],
        ['bound/../bound/.././benign', at('benign')],
        [`/proc/self/root${at('benign')}`, at('benign')],
        ['bound/benign', at('bound/benign')],
      ],
    );
    // The file is the same, and that it was mounted there is told.
    assert.deepEqual(new Set(opens.map(({ inode }) => inode)), new Set([statSync(at('benign')).ino]));
    const mounts = log.ofType(pid, 'action').filter(({ action }) => action === 'mount');
    assert.deepEqual(mounts.at(-1)?.arguments, {
      source: '.',
      path: at('bound'),
      type: '',
      flags: ['MS_BIND'],
    });
  });
});

suite('code in other processes', () => {
  test('by ptrace, process_vm_writev and /proc/PID/mem: whose memory it was', async () => {
    const { pid, stdout } = await trick('inject');
    const [target = 0, ...values] = lines(stdout).map(Number);
    assert.deepEqual(values, [1, 2, 3], 'each did change the other process');
    const traced = log.ofType(pid, 'action').filter(({ action }) => action === 'ptrace');
    assert.deepEqual(
      traced.map(({ arguments: { request, target: of } }) => [request, of]),
      ['PTRACE_ATTACH', 'PTRACE_POKEDATA', 'PTRACE_DETACH'].map((request) => [request, target]),
    );
    const [written] = log.ofType(pid, 'action').filter(({ action }) => action === 'process_vm_writev');
    assert.equal(written?.arguments['target'], target);
    assert.ok(
      log.ofType(pid, 'open').some(({ resolvedPath }) => resolvedPath === `/proc/${target}/mem`),
      JSON.stringify(log.ofType(pid, 'open').map(({ resolvedPath }) => resolvedPath)),
    );
  });

  test('by LD_PRELOAD: the library is mapped executable, the environment is not told', async () => {
    const library = compileProgram('preloaded', directory, ['-shared', '-fPIC']);
    const { pid, stdout } = await log.run(TRUE, [], { env: { LD_PRELOAD: library } });
    assert.equal(stdout, 'injected\n');
    assert.ok(mappedBy(pid).includes(library));
    assert.ok(!JSON.stringify(log.execOf(pid)).includes('preloaded'));
  });
});

suite('the kernel runs it', () => {
  test('as the release agent of a cgroup: a program whose parent is a kernel thread', async (t) => {
    const hierarchy = at('hierarchy');
    mkdirSync(hierarchy);
    writeFileSync(at('agent'), `#!/bin/sh\ntouch ${at('released')}\n`, { mode: 0o755 });
    try {
      execFileSync('/bin/mount', ['-t', 'cgroup', '-o', 'none,name=throughline-test', 'none', hierarchy], {
        stdio: 'ignore',
      });
    } catch {
      t.skip('this kernel has no version 1 of cgroups to make a hierarchy of');
      return;
    }
    try {
      writeFileSync(join(hierarchy, 'release_agent'), at('agent'));
      mkdirSync(join(hierarchy, 'short'));
      writeFileSync(join(hierarchy, 'short', 'notify_on_release'), '1');
      await log.run('/bin/sh', ['-c', `echo $$ > ${join(hierarchy, 'short', 'cgroup.procs')}`]);
      const message = await log.agent.waitFor((one) => one['type'] === 'exec' && one['path'] === at('agent'));
      const exec = message as unknown as Extract<EventView, { type: 'exec' }>;
      assert.equal(exec.executable, realpathSync('/bin/sh'));
      assert.equal(exec.uid, 0);
      assert.equal(
        readFileSync(`/proc/${exec.ppid}/cmdline`, 'utf8'),
        '',
        'kernel threads have no arguments',
      );
    } finally {
      // The group goes a moment later, and a hierarchy that still has one when it is unmounted stays for ever.
      execFileSync('sh', ['-c', `rmdir ${join(hierarchy, 'short')}; sleep 0.2; umount ${hierarchy}`]);
    }
  });
});

test('flooding: what does not fit is counted', async () => {
  const count = 200_000;
  const { pid } = await runToEnd(tricks, ['flood', String(count)], { cwd: directory });
  let told = 0;
  let lost = 0;
  await log.agent.waitFor((message) => {
    if (message['type'] === 'open' && message['pid'] === pid) told++;
    if (message.kind === 'loss') {
      const reasons = message['reasons'] as Readonly<Record<string, number>>;
      // No room in the ring, or none in what the cgroup may have of it.
      lost += (reasons['security-ring-full'] ?? 0) + (reasons['cgroup-budget'] ?? 0);
    }
    return told + lost >= count;
  }, 30_000);
});
