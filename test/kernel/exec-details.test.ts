import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmdirSync,
  rmSync,
  statfsSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import type { ExecDetailsView, ExecEventView } from '../../src/output/views.ts';
import { fileSystemName } from '../../src/output/linux-names.ts';
import { EventLog } from '../support/event-log.ts';
import { requireKernel } from '../support/kernel.ts';

requireKernel();

const PYTHON = '/usr/bin/python3';
const NOBODY = 65_534;
const LOADER = process.arch === 'arm64' ? '/lib/ld-linux-aarch64.so.1' : '/lib64/ld-linux-x86-64.so.2';

let log: EventLog;
let directory: string;
before(async () => {
  directory = realpathSync(mkdtempSync(join(tmpdir(), 'throughline-details-')));
  chmodSync(directory, 0o755);
  log = await EventLog.start();
});
after(async () => {
  await log[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true, force: true });
});

function detailsOf(exec: ExecEventView): ExecDetailsView {
  assert.ok(exec.details, 'it has details');
  return exec.details;
}

async function run(program: string, ...args: string[]): Promise<{ exec: ExecEventView; stdout: string }> {
  const { pid, stdout } = await log.run(program, args);
  return { exec: log.execOf(pid), stdout };
}

/** A program that somebody else started, found by its one argument. */
async function execWith(argument: string): Promise<ExecEventView> {
  const message = await log.agent.waitFor(
    ({ kind, type, argv }) =>
      kind === 'event' &&
      type === 'exec' &&
      (argv as string[]).length === 2 &&
      (argv as string[])[1] === argument,
  );
  return message as unknown as ExecEventView;
}

function copyOf(program: string, name: string): string {
  const path = join(directory, name);
  copyFileSync(realpathSync(program), path);
  chmodSync(path, 0o755);
  return path;
}

function shell(script: string): void {
  const { status, stderr } = spawnSync('/bin/sh', ['-ec', script], { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
}

/** A field of /proc/PID/status. */
const statusField = (status: string, name: string): string =>
  new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(status)?.[1] ?? '';

suite('the executable file', () => {
  test('permissions, owner, links, times and file system', async () => {
    const path = copyOf('/bin/true', 'plain');
    chownSync(path, 12, 34);
    chmodSync(path, 0o751);
    shell(`ln ${path} ${path}-link; touch -d '2001-02-03 04:05:06.789 UTC' ${path}`);
    const { file, traits, interpreter } = detailsOf((await run(path)).exec);
    const stat = statSync(path);
    assert.equal(file.mode, '0751');
    assert.deepEqual([file.uid, file.gid, file.links], [12, 34, 2]);
    assert.equal(file.modifiedAt, '2001-02-03T04:05:06.789Z');
    assert.ok(Math.abs(Date.parse(file.changedAt) - stat.ctimeMs) <= 1, `${file.changedAt} ${stat.ctimeMs}`);
    assert.equal(file.fileSystem, fileSystemName(statfsSync(path).type));
    assert.deepEqual(traits, []);
    assert.equal(interpreter, null);
  });

  test('made of memory, and executed by its descriptor', async () => {
    const { exec } = await run(
      PYTHON,
      '-c',
      `import os
fd = os.memfd_create("[kworker/0:1]")
os.write(fd, open("/bin/true", "rb").read())
os.execve(fd, ["[kworker/0:1]"], {})`,
    );
    assert.match(exec.path, /^\/dev\/fd\/\d+$/);
    assert.equal(exec.executable, '/memfd:[kworker/0:1]');
    const { traits, file } = detailsOf(exec);
    assert.deepEqual(traits, ['memfd']);
    assert.deepEqual([file.fileSystem, file.links], ['tmpfs', 0]);
  });

  test('deleted before it was executed; one of that name on tmpfs is no memfd', async () => {
    for (const path of [copyOf('/bin/true', 'deleted'), '/dev/shm/memfd:throughline']) {
      const { exec } = await run(
        PYTHON,
        '-c',
        `import os, shutil
path = "${path}"
shutil.copyfile("/bin/true", path); os.chmod(path, 0o755)
fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
os.unlink(path)
os.execve(fd, ["true"], {})`,
      );
      assert.equal(exec.executable, path);
      const { traits, file } = detailsOf(exec);
      assert.deepEqual(traits, ['deleted']);
      assert.equal(file.links, 0);
    }
  });

  test('in a directory, but without a name from the beginning', async () => {
    const { exec } = await run(
      PYTHON,
      '-c',
      `import os
fd = os.open("/dev/shm", os.O_TMPFILE | os.O_RDWR, 0o755)
os.write(fd, open("/bin/true", "rb").read())
reader = os.open(f"/proc/self/fd/{fd}", os.O_RDONLY | os.O_CLOEXEC)
os.close(fd)
os.execve(reader, ["true"], {})`,
    );
    assert.deepEqual(detailsOf(exec).traits, ['deleted']);
  });

  test('that anybody can write to', async () => {
    const path = copyOf('/bin/true', 'writable');
    chmodSync(path, 0o757);
    assert.deepEqual(detailsOf((await run(path)).exec).traits, ['world-writable']);
  });

  test('in the lower and in the upper layer of an overlay', async () => {
    const base = join(directory, 'overlay');
    const seen = spawnSync(
      '/usr/bin/unshare',
      [
        '--mount',
        '/bin/sh',
        '-ec',
        `mkdir -p ${base}; mount -t tmpfs tmpfs ${base}; cd ${base}; mkdir lower upper work merged
         cp /bin/true lower/image; cp /bin/true lower/changed
         mount -t overlay overlay -o lowerdir=lower,upperdir=upper,workdir=work merged
         cp /bin/true merged/dropped; chmod 755 merged/changed
         merged/image of-image; merged/changed of-changed; merged/dropped of-dropped`,
      ],
      { encoding: 'utf8' },
    );
    assert.equal(seen.status, 0, seen.stderr);
    const [image, changed, dropped] = await Promise.all(
      ['of-image', 'of-changed', 'of-dropped'].map(execWith),
    );
    assert.ok(image && changed && dropped);
    assert.equal(image.executable, join(base, 'merged/image'));
    assert.equal(detailsOf(image).file.fileSystem, 'overlay');
    assert.deepEqual(detailsOf(image).traits, []);
    assert.deepEqual(detailsOf(changed).traits, ['upper-layer']);
    assert.deepEqual(detailsOf(dropped).traits, ['upper-layer']);
  });
});

suite('who interprets it', () => {
  test('a script: the file is its interpreter, which is named as the script names it', async () => {
    const script = join(directory, 'script');
    writeFileSync(script, '#!/bin/sh -e\nexit 0\n', { mode: 0o755 });
    const { exec } = await run(script, 'argument');
    assert.equal(exec.path, script);
    assert.equal(exec.executable, realpathSync('/bin/sh'));
    assert.equal(exec.inode, statSync('/bin/sh').ino);
    assert.deepEqual(exec.argv, ['/bin/sh', '-e', script, 'argument']);
    assert.equal(detailsOf(exec).interpreter, '/bin/sh');
  });

  test('a script whose interpreter is a script: the last one', async () => {
    const inner = join(directory, 'inner');
    const outer = join(directory, 'outer');
    writeFileSync(inner, '#!/bin/sh\nexit 0\n', { mode: 0o755 });
    writeFileSync(outer, `#!${inner}\n`, { mode: 0o755 });
    const { exec } = await run(outer);
    assert.equal(exec.path, outer);
    assert.deepEqual(exec.argv, ['/bin/sh', inner, outer]);
    assert.equal(detailsOf(exec).interpreter, '/bin/sh');
  });

  test('an interpreter with nearly as long a path as the kernel takes', async () => {
    const script = join(directory, 'long');
    const path = `/${'./'.repeat(110)}bin/sh`;
    writeFileSync(script, `#!${path}\nexit 0\n`, { mode: 0o755 });
    assert.equal(detailsOf((await run(script)).exec).interpreter, path);
  });

  test('the loader itself: it is the file, and the program an argument', async () => {
    const { exec } = await run(LOADER, '/bin/true');
    assert.equal(exec.path, LOADER);
    assert.equal(exec.executable, realpathSync(LOADER));
    assert.deepEqual(exec.argv, [LOADER, '/bin/true']);
    assert.equal(detailsOf(exec).interpreter, null);
  });

  test('with more arguments than are told, the details are whole', async () => {
    const script = join(directory, 'many');
    writeFileSync(script, '#!/bin/sh\nexit 0\n', { mode: 0o755 });
    const { exec } = await run(script, ...Array.from({ length: 50 }, () => 'x'.repeat(1000)));
    assert.equal(exec.truncated, true);
    assert.equal(detailsOf(exec).interpreter, '/bin/sh');
    assert.equal(detailsOf(exec).file.links, statSync('/bin/sh').nlink);
  });
});

suite('who runs it', () => {
  const STATUS = ['/bin/cat', '/proc/self/status'] as const;

  function assertAsInStatus(exec: ExecEventView, status: string): void {
    const details = detailsOf(exec);
    const sets = details.capabilities;
    assert.equal(sets.effective, statusField(status, 'CapEff'));
    assert.equal(sets.permitted, statusField(status, 'CapPrm'));
    assert.equal(sets.inheritable, statusField(status, 'CapInh'));
    assert.equal(details.noNewPrivileges, statusField(status, 'NoNewPrivs') === '1');
    const modes = ['disabled', 'strict', 'filter'];
    assert.equal(details.seccomp, modes[Number(statusField(status, 'Seccomp'))]);
    assert.equal(details.suid, Number(statusField(status, 'Uid').split('\t')[2]));
    assert.equal(details.sgid, Number(statusField(status, 'Gid').split('\t')[2]));
  }

  test('as root', async () => {
    const { exec, stdout } = await run(...STATUS);
    assertAsInStatus(exec, stdout);
    assert.notEqual(detailsOf(exec).capabilities.effective, '0000000000000000');
  });

  test('with fewer capabilities', async () => {
    const drop = ['--bounding-set', '-sys_admin,-net_raw', '--inh-caps', '-all,+chown'];
    const { exec, stdout } = await run('/usr/bin/setpriv', ...drop, ...STATUS);
    assertAsInStatus(exec, stdout);
    const { effective, inheritable } = detailsOf(exec).capabilities;
    assert.equal(inheritable, '0000000000000001');
    // CAP_NET_RAW is 13, CAP_SYS_ADMIN 21.
    assert.equal(BigInt(`0x${effective}`) & ((1n << 13n) | (1n << 21n)), 0n);
  });

  test('as another user, without a way to new privileges, filtered', async () => {
    const ids = ['--reuid', String(NOBODY), '--regid', '65533', '--clear-groups'];
    const plain = await run('/usr/bin/setpriv', ...ids, '--no-new-privs', ...STATUS);
    assertAsInStatus(plain.exec, plain.stdout);
    assert.equal(detailsOf(plain.exec).noNewPrivileges, true);
    assert.equal(detailsOf(plain.exec).capabilities.effective, '0000000000000000');
    const filtered = await run(
      PYTHON,
      '-c',
      `import ctypes, os, struct
libc = ctypes.CDLL(None, use_errno=True)
allow = ctypes.create_string_buffer(struct.pack("HBBI", 6, 0, 0, 0x7fff0000))
program = struct.pack("HxxxxxxQ", 1, ctypes.addressof(allow))
assert libc.prctl(38, 1, 0, 0, 0) == 0
assert libc.prctl(22, 2, ctypes.create_string_buffer(program), 0, 0) == 0
os.execv("/bin/cat", ["cat", "/proc/self/status"])`,
    );
    assertAsInStatus(filtered.exec, filtered.stdout);
    assert.equal(detailsOf(filtered.exec).seccomp, 'filter');
  });

  test('with the rights of the owner of a set-user-id file', async () => {
    const path = copyOf('/bin/cat', 'setuid');
    chmodSync(path, 0o4755);
    const ids = ['--reuid', String(NOBODY), '--regid', String(NOBODY), '--clear-groups'];
    const { exec, stdout } = await run('/usr/bin/setpriv', ...ids, path, '/proc/self/status');
    assert.deepEqual([exec.uid, exec.euid], [NOBODY, 0]);
    assert.deepEqual(detailsOf(exec).traits, ['setuid']);
    assert.equal(detailsOf(exec).suid, 0);
    assertAsInStatus(exec, stdout);
  });

  test('session, process group, terminal and who logged in', async () => {
    const plain = await run('/bin/cat', '/proc/self/stat');
    const [, , , , group, session, terminal] = plain.stdout.split(' ').map(Number);
    const details = detailsOf(plain.exec);
    assert.deepEqual([details.processGroup, details.session], [group, session]);
    assert.equal(details.terminal === null, terminal === 0);
    const login = await run(
      PYTHON,
      '-c',
      `import os; open("/proc/self/loginuid", "w").write("1234"); os.setsid() if os.getpid() != os.getsid(0) else 0; os.execv("/bin/true", ["true"])`,
    );
    assert.equal(detailsOf(login.exec).loginUid, 1234);
    assert.equal(detailsOf(login.exec).session, login.exec.pid);
    assert.equal(detailsOf(login.exec).terminal, null);
  });

  test('on a terminal', async () => {
    shell(`script -qec '/bin/sh -c "tty; exec /bin/true on-a-terminal"' ${directory}/typescript </dev/null`);
    const exec = await execWith('on-a-terminal');
    const name = /\/dev\/pts\/(\d+)/.exec(readFileSync(join(directory, 'typescript'), 'utf8'))?.[1];
    assert.equal(detailsOf(exec).terminal, `pts${name}`);
  });

  test('in namespaces', async () => {
    const kinds = {
      cgroup: 'cgroup',
      ipc: 'ipc',
      mount: 'mnt',
      network: 'net',
      user: 'user',
      uts: 'uts',
      pid: 'pid',
    };
    const paths = Object.values(kinds).map((kind) => `/proc/self/ns/${kind}`);
    const read = (stdout: string): Record<string, number> => {
      const numbers = stdout.match(/\d+/g) ?? [];
      return Object.fromEntries(Object.keys(kinds).map((name, index) => [name, Number(numbers[index])]));
    };
    const host = await run('/bin/readlink', ...paths);
    assert.deepEqual(detailsOf(host.exec).namespaces, read(host.stdout));
    const flags = ['--cgroup', '--ipc', '--mount', '--net', '--uts', '--user', '--map-root-user'];
    const own = await run('/usr/bin/unshare', ...flags, '/bin/readlink', ...paths);
    const namespaces = detailsOf(own.exec).namespaces;
    assert.deepEqual(namespaces, read(own.stdout));
    for (const name of ['cgroup', 'ipc', 'mount', 'network', 'user', 'uts'] as const)
      assert.notEqual(namespaces[name], detailsOf(host.exec).namespaces[name], name);
    shell(`unshare --pid --fork /bin/true in-a-pid-namespace`);
    const inner = await execWith('in-a-pid-namespace');
    assert.notEqual(detailsOf(inner).namespaces.pid, detailsOf(host.exec).namespaces.pid);
    // Where its children will be is another one than its own.
    const unshared = await run('/usr/bin/unshare', '--pid', '/bin/true');
    assert.equal(detailsOf(unshared.exec).namespaces.pid, detailsOf(host.exec).namespaces.pid);
  });

  test('started by the kernel: the release agent of a control group', async () => {
    const root = join(directory, 'cgroups');
    const agent = copyOf('/bin/true', 'release-agent');
    mkdirSync(root);
    // A hierarchy of the test's own, which no other process is moved in.
    shell(`mount -t cgroup -o none,name=throughline-${process.pid} cgroup ${root}`);
    try {
      writeFileSync(join(root, 'release_agent'), agent);
      mkdirSync(join(root, 'group'));
      writeFileSync(join(root, 'group/notify_on_release'), '1');
      shell(`echo $$ > ${root}/group/cgroup.procs`);
      const exec = await execWith('/group');
      assert.equal(exec.executable, agent);
      assert.deepEqual(detailsOf(exec).traits, ['kernel-started']);
    } finally {
      rmdirSync(join(root, 'group'));
      // The group goes a moment later, and a hierarchy that still has one when it is unmounted stays for ever.
      shell(`sleep 0.2; umount ${root}`);
    }
  });
});
