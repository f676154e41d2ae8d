/** Each system call of the catalogue of actions, made for real: what is told of it has every argument, and the result. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readlinkSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { arch, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { ACTION_LIST } from '../../src/model/actions.ts';
import { SYSCALLS, type SyscallName } from '../../src/model/syscalls.ts';
import type { ActionArguments } from '../../src/output/action-view.ts';
import { EventLog } from '../support/event-log.ts';
import { requireKernel } from '../support/kernel.ts';

requireKernel();

type Passed = number | string | readonly ['open' | 'bytes', string];

interface Call {
  readonly syscall: SyscallName;
  readonly passed: readonly Passed[];
  readonly told: ActionArguments;
}

const PYTHON = '/usr/bin/python3';
const PROGRAM = join(import.meta.dirname, 'programs', 'calls.py');
const HERE = -100;
const NOBODY = 65_534;
const NO_DESCRIPTOR = -1;
const architecture = arch() === 'arm64' ? 'arm64' : 'x64';
/** struct sockaddr_in of 127.0.0.1:0 */
const LOOPBACK = '02000000' + '7f000001' + '00'.repeat(8);

const directory = realpathSync(mkdtempSync(join(tmpdir(), 'throughline-actions-')));
const at = (name: string): string => join(directory, name);

function call(syscall: SyscallName, passed: readonly Passed[], told: ActionArguments): Call {
  return { syscall, passed, told };
}

/** In an order in which each finds what it needs. What would change the host is passed so that it fails. */
const CALLS: readonly Call[] = [
  call('mkdir', ['made', 0o755], { path: at('made'), mode: '0755' }),
  call('mkdirat', [['open', at('made')], 'inner', 0o700], { path: at('made/inner'), mode: '0700' }),
  call('rmdir', ['made/../made/inner'], { path: at('made/inner') }),
  call('mknod', ['pipe', 0o010600, 0], { path: at('pipe'), mode: '010600', device: 0 }),
  call('mknodat', [HERE, at('pipe2'), 0o010600, 0], { path: at('pipe2'), mode: '010600', device: 0 }),
  call('rename', ['pipe', 'renamed'], { path: at('pipe'), newPath: at('renamed') }),
  call('renameat', [HERE, 'renamed', ['open', at('made')], 'b'], {
    path: at('renamed'),
    newPath: at('made/b'),
  }),
  call('renameat2', [HERE, 'made/b', HERE, 'b', 1], {
    path: at('made/b'),
    newPath: at('b'),
    flags: ['RENAME_NOREPLACE'],
  }),
  call('link', ['file', 'link'], { path: at('file'), newPath: at('link') }),
  call('linkat', [HERE, 'file', HERE, 'link2', 0x400], {
    path: at('file'),
    newPath: at('link2'),
    flags: ['AT_SYMLINK_FOLLOW'],
  }),
  call('symlink', ['../x', 'symbolic'], { target: '../x', path: at('symbolic') }),
  call('symlinkat', ['/etc/passwd', HERE, 'symbolic2'], { target: '/etc/passwd', path: at('symbolic2') }),
  call('chmod', ['file', 0o4755], { path: at('file'), mode: '04755' }),
  call('fchmod', [['open', at('file')], 0o600], { path: at('file'), mode: '0600' }),
  call('fchmodat', [HERE, 'file', 0o644], { path: at('file'), mode: '0644' }),
  call('fchmodat2', [HERE, 'file', 0o640, 0x100], {
    path: at('file'),
    mode: '0640',
    flags: ['AT_SYMLINK_NOFOLLOW'],
  }),
  call('chown', ['file', 1, 2], { path: at('file'), uid: 1, gid: 2 }),
  call('lchown', ['symbolic', 1, -1], { path: at('symbolic'), uid: 1, gid: -1 }),
  call('fchown', [['open', at('file')], 0, 0], { path: at('file'), uid: 0, gid: 0 }),
  call('fchownat', [['open', at('file')], '', 3, 4, 0x1000], {
    path: at('file'),
    uid: 3,
    gid: 4,
    flags: ['AT_EMPTY_PATH'],
  }),
  call('truncate', ['file', 5], { path: at('file'), size: 5 }),
  call('ftruncate', [['open', at('file')], 7], { path: at('file'), size: 7 }),
  call('setxattr', ['file', 'user.mark', ['bytes', '00'], 1, 0], { path: at('file'), name: 'user.mark' }),
  call('lsetxattr', ['file', 'user.mark', ['bytes', '00'], 1, 0], { path: at('file'), name: 'user.mark' }),
  call('fsetxattr', [['open', at('file')], 'user.mark', ['bytes', '00'], 1, 0], {
    path: at('file'),
    name: 'user.mark',
  }),
  call('unlink', ['link'], { path: at('link') }),
  call('unlinkat', [HERE, 'made', 0x200], { path: at('made'), flags: ['AT_REMOVEDIR'] }),
  call('open_by_handle_at', [['open', directory], 0, 0o2], { mount: directory, flags: 2 }),
  call('chdir', ['/tmp/../' + directory], { path: directory }),
  call('fchdir', [['open', directory]], { path: directory }),
  call('dup2', [['open', '/dev/null'], 0], { file: '/dev/null', descriptor: 0 }),
  call('dup3', [['open', '/dev/null'], 0, 0], { file: '/dev/null', descriptor: 0, flags: 0 }),
  call('memfd_create', ['payload', 1], { name: 'payload', flags: ['MFD_CLOEXEC'] }),
  call('mprotect', [0x1000, 4096, 5], {
    address: '0x1000',
    size: 4096,
    protection: ['PROT_READ', 'PROT_EXEC'],
  }),
  call('pkey_mprotect', [0x1000, 4096, 4, 0], { address: '0x1000', size: 4096, protection: ['PROT_EXEC'] }),
  call('mmap', [0, 4096, 5, 2, ['open', at('file')], 0], {
    address: '0x0',
    size: 4096,
    protection: ['PROT_READ', 'PROT_EXEC'],
    flags: 2,
    file: at('file'),
    offset: 0,
  }),
  call('ptrace', [16, 1, 0, 0], { request: 'PTRACE_ATTACH', target: 1 }),
  call('process_vm_readv', [-5, 0, 0, 0, 0, 1], { target: -5 }),
  call('process_vm_writev', [-5, 0, 0, 0, 0, 1], { target: -5 }),
  call('kill', [2 ** 30, 15], { target: 2 ** 30, signal: 'SIGTERM' }),
  call('tgkill', [2 ** 30, 2 ** 30, 9], { target: 2 ** 30, thread: 2 ** 30, signal: 'SIGKILL' }),
  call('tkill', [2 ** 30, 9], { thread: 2 ** 30, signal: 'SIGKILL' }),
  call('rt_sigqueueinfo', [2 ** 30, 10, 0], { target: 2 ** 30, signal: 'SIGUSR1' }),
  call('pidfd_send_signal', [NO_DESCRIPTOR, 15, 0, 0], { descriptor: NO_DESCRIPTOR, signal: 'SIGTERM' }),
  call('pidfd_getfd', [NO_DESCRIPTOR, 3, 0], { descriptor: NO_DESCRIPTOR, target: 3 }),
  call('prlimit64', [2 ** 30, 7, 0, 0], { target: 2 ** 30, resource: 'RLIMIT_NOFILE', newLimit: '0x0' }),
  call('prctl', [38, 0, 0, 0, 0], { option: 'PR_SET_NO_NEW_PRIVS', value: 0 }),
  call('seccomp', [99, 0, 0], { operation: 99, flags: 0 }),
  call('setns', [['open', `/proc/${process.pid}/ns/uts`], 0x4000000], {
    namespace: readlinkSync('/proc/self/ns/uts').replace('uts:', ''),
    type: ['CLONE_NEWUTS'],
  }),
  call('unshare', [0x20000], { flags: ['CLONE_NEWNS'] }),
  call('mount', ['none', 'mounted', 'tmpfs', 6, 0], {
    source: 'none',
    path: at('mounted'),
    type: 'tmpfs',
    flags: ['MS_NOSUID', 'MS_NODEV'],
  }),
  call('move_mount', [HERE, 'mounted', HERE, 'nowhere', 0], {
    source: at('mounted'),
    path: at('nowhere'),
    flags: 0,
  }),
  call('umount2', ['mounted', 2], { path: at('mounted'), flags: ['MNT_DETACH'] }),
  call('pivot_root', ['mounted', 'nowhere'], { path: at('mounted'), oldPath: at('nowhere') }),
  call('chroot', ['absent'], { path: at('absent') }),
  call('init_module', [0, 16, 'option=1'], { size: 16, parameters: 'option=1' }),
  call('finit_module', [['open', at('file')], 'option=2', 0], {
    path: at('file'),
    parameters: 'option=2',
    flags: 0,
  }),
  call('delete_module', ['no_such_module', 0], { name: 'no_such_module', flags: 0 }),
  call('bpf', [5, 0, 0], { command: 'BPF_PROG_LOAD' }),
  call('userfaultfd', [0xffff], { flags: 0xffff }),
  call('keyctl', [0, -3, 0], { operation: 'KEYCTL_GET_KEYRING_ID' }),
  call('perf_event_open', [0, -1, -1, -1, 0], { target: -1 }),
  call('kexec_load', [0, 0, 0, 0xffff], {}),
  call('kexec_file_load', [['open', at('file')], NO_DESCRIPTOR, 0, 0, 0xffff], { path: at('file') }),
  call('reboot', [0, 0, 0xffff, 0], { command: 0xffff }),
  call('io_uring_setup', [8, 0], { entries: 8 }),
  call('settimeofday', [0, 0], {}),
  call('clock_settime', [-1, 0], { clock: -1 }),
  call('sethostname', ['throughline-test', 16], { name: 'throughline-test' }),
  call('socket', [2, 1, 0], { family: 'AF_INET', type: 1, protocol: 0 }),
  call('bind', [NO_DESCRIPTOR, ['bytes', LOOPBACK], 16], { address: '127.0.0.1:0' }),
  call('listen', [NO_DESCRIPTOR, 7], { descriptor: NO_DESCRIPTOR, backlog: 7 }),
  call('setsid', [], {}),
  call('capset', [0, 0], { effectiveAndPermitted: '0x0' }),
  call('setgroups', [0, 0], { count: 0 }),
  call('setfsgid', [0], { fsGid: 0 }),
  call('setfsuid', [0], { fsUid: 0 }),
  call('setregid', [-1, 0], { gid: -1, effectiveGid: 0 }),
  call('setreuid', [-1, 0], { uid: -1, effectiveUid: 0 }),
  call('setresgid', [NOBODY, NOBODY, 0], { gid: NOBODY, effectiveGid: NOBODY, savedGid: 0 }),
  call('setgid', [NOBODY], { gid: NOBODY }),
  call('setresuid', [NOBODY, NOBODY, 0], { uid: NOBODY, effectiveUid: NOBODY, savedUid: 0 }),
  call('setuid', [NOBODY], { uid: NOBODY }),
].filter(({ syscall }) => SYSCALLS[syscall][architecture] !== null);

let log: EventLog;
before(async () => {
  writeFileSync(at('file'), 'x');
  for (const name of ['mounted', 'nowhere']) mkdirSync(at(name));
  log = await EventLog.start();
});
after(async () => {
  await log[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true, force: true });
});

suite('actions', () => {
  test('there is a call for each in the catalogue', () => {
    const catalogue = ACTION_LIST.flatMap(({ calls }) => Object.keys(calls) as SyscallName[]);
    const here = catalogue.filter((syscall) => SYSCALLS[syscall][architecture] !== null);
    assert.deepEqual(CALLS.map(({ syscall }) => syscall).toSorted(), here.toSorted());
  });

  test('each is told with its arguments and its result', async () => {
    const numbers = CALLS.map(({ syscall, passed }) => [SYSCALLS[syscall][architecture], ...passed]);
    const { stdout } = await log.run(PYTHON, [PROGRAM, JSON.stringify(numbers), directory]);
    const [pid = 0, ...results] = stdout.trim().split('\n').map(Number);
    const events = log.ofType(pid, 'action');
    let searched = 0;
    for (const [index, { syscall, told }] of CALLS.entries()) {
      // The program makes calls of its own in between, some of the same kind.
      const at = events.findIndex(
        (event, position) =>
          position >= searched &&
          event.syscall === syscall &&
          JSON.stringify(event.arguments) === JSON.stringify(told),
      );
      const alike = events.filter((event) => event.syscall === syscall).map((event) => event.arguments);
      assert.ok(at >= 0, `${syscall} ${JSON.stringify(told)} was not told, but ${JSON.stringify(alike)}`);
      searched = at + 1;
      const event = events[at];
      const result = results[index] ?? Number.NaN;
      if (result < 0) {
        assert.equal(event?.result, null, syscall);
        assert.match(event?.error ?? '', /^E[A-Z0-9]+$/, syscall);
      } else {
        assert.equal(event?.error, null, syscall);
        if (syscall !== 'mmap') assert.equal(event?.result, result, syscall);
      }
      assert.equal(event?.truncated, false);
    }
    // Most of them were more than an attempt.
    assert.ok(results.filter((result) => result >= 0).length > CALLS.length / 2, results.join(' '));
  });

  test('what the test of an action leaves out is not told', async () => {
    const numbers = [
      ['dup2', ['open', '/dev/null'], 9],
      ['mprotect', 0x1000, 4096, 1],
      ['ptrace', 3, 1, 0, 0],
    ].map(([syscall, ...passed]) => [SYSCALLS[syscall as SyscallName][architecture], ...passed]);
    const { stdout } = await log.run(PYTHON, [PROGRAM, JSON.stringify(numbers), directory]);
    const pid = Number(stdout.split('\n')[0]);
    const told = log
      .ofType(pid, 'action')
      .map(({ action, arguments: passed }) => JSON.stringify([action, passed]));
    assert.deepEqual(
      told.filter((line) => /"descriptor":9|PTRACE|\["ptrace"|"protection":\["PROT_READ"\]/.test(line)),
      [],
    );
  });

  test('paths that are too long, not readable or not text are told for what they are', async () => {
    const long = 'd/'.repeat(1_000) + 'x'.repeat(2_500);
    const unlink = SYSCALLS.unlinkat[architecture];
    const { stdout } = await log.run(PYTHON, [
      PROGRAM,
      JSON.stringify([
        [unlink, HERE, long, 0],
        [unlink, HERE, 0x10, 0],
        [unlink, HERE, ['bytes', 'ff0a1b5b'], 0],
      ]),
      directory,
    ]);
    const pid = Number(stdout.split('\n')[0]);
    const unlinked = log.ofType(pid, 'action').filter(({ action }) => action === 'unlink');
    const paths = unlinked.map(({ arguments: passed }) => String(passed['path']));
    assert.equal(unlinked.length, 3);
    assert.ok((paths[0]?.length ?? 0) > 4_000, paths[0]?.slice(0, 80));
    assert.equal(unlinked[1]?.error, 'EFAULT');
    assert.equal(paths[2], at('ÿ\n\u001b['));
  });
});
