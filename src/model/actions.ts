import type { SyscallName } from './syscalls.ts';

/**
 * The catalogue of actions: what a process does to its host by system calls that are told with their arguments. It is the one
 * source for the kernel side (what to read of a call), the decoder, the views and docs/reference/events.md. A new action is a
 * new entry; what needs more than arguments is an event of its own.
 */

/** What an argument is; see enum argument_kind in bpf/abi.h. */
export type ArgumentKind = 'number' | 'text' | 'path' | 'path-at' | 'file' | 'bytes' | 'word';

export interface Argument {
  /** null: of no interest by itself. */
  readonly name: string | null;
  readonly kind: ArgumentKind;
  /** Names of its values, or of its bits. */
  readonly names?: Names;
  /** A 32-bit number that may be negative: a process or a descriptor. */
  readonly isSigned?: boolean;
  /** It names the process that the action is aimed at. */
  readonly isTarget?: 'number' | 'descriptor';
  /** How people write it, where that is not a plain number or text. */
  readonly as?: 'octal' | 'hex' | 'signal' | 'address';
}

export interface Names {
  readonly kind: 'values' | 'bits';
  readonly byNumber: Readonly<Record<number, string>>;
}

/** Calls that are not told: where the test does not hold. */
export interface ArgumentTest {
  readonly argument: number;
  readonly test: 'any-bit' | 'at-most' | 'other' | 'raw-socket';
  readonly value: number;
}

export interface Action {
  /** In recordings and in the kernel side: never used again for something else. */
  readonly id: number;
  readonly category: ActionCategory;
  /** For people. */
  readonly sees: string;
  /** Whose: of processes that serve requests and what they started, or everybody's. */
  readonly scope: 'serving' | 'everybody';
  /** Its system calls, with their arguments in order. */
  readonly calls: Readonly<Partial<Record<SyscallName, readonly Argument[]>>>;
  readonly test?: ArgumentTest;
  /** Which of its calls are effects, where that is not all of them: the others are told on demand. */
  readonly effects?: { readonly test: ArgumentTest; readonly sees: string };
  /** Told only to who asks for it (`throughline events`): too common, or too little by itself, to be an effect of a request. */
  readonly isOnDemand?: true;
}

export type ActionCategory =
  | 'file'
  | 'descriptor'
  | 'process'
  | 'memory'
  | 'credentials'
  | 'namespace'
  | 'kernel'
  | 'network';

const skip: Argument = { name: null, kind: 'number' };

function number(name: string, names?: Names): Argument {
  return names === undefined ? { name, kind: 'number' } : { name, kind: 'number', names };
}
function octal(name: string): Argument {
  return { name, kind: 'number', as: 'octal' };
}
function signed(name: string): Argument {
  return { name, kind: 'number', isSigned: true };
}
const target: Argument = { name: 'target', kind: 'number', isSigned: true, isTarget: 'number' };
/** A descriptor of the process. */
const pidfd: Argument = { name: 'descriptor', kind: 'number', isSigned: true, isTarget: 'descriptor' };
function path(name: string): Argument {
  return { name, kind: 'path' };
}
/** Relative to the directory that is the argument before. */
function pathAt(name: string): Argument {
  return { name, kind: 'path-at' };
}
function text(name: string): Argument {
  return { name, kind: 'text' };
}
function file(name: string): Argument {
  return { name, kind: 'file' };
}
function bytes(name: string): Argument {
  return { name, kind: 'bytes' };
}

function values(byNumber: Readonly<Record<number, string>>): Names {
  return { kind: 'values', byNumber };
}
function bits(byNumber: Readonly<Record<number, string>>): Names {
  return { kind: 'bits', byNumber };
}

// include/uapi/asm-generic/resource.h
const RESOURCES = values({
  0: 'RLIMIT_CPU',
  1: 'RLIMIT_FSIZE',
  2: 'RLIMIT_DATA',
  3: 'RLIMIT_STACK',
  4: 'RLIMIT_CORE',
  5: 'RLIMIT_RSS',
  6: 'RLIMIT_NPROC',
  7: 'RLIMIT_NOFILE',
  8: 'RLIMIT_MEMLOCK',
  9: 'RLIMIT_AS',
  10: 'RLIMIT_LOCKS',
  11: 'RLIMIT_SIGPENDING',
  12: 'RLIMIT_MSGQUEUE',
  13: 'RLIMIT_NICE',
  14: 'RLIMIT_RTPRIO',
  15: 'RLIMIT_RTTIME',
});
// include/uapi/linux/fcntl.h
const AT_FLAGS = bits({
  0x100: 'AT_SYMLINK_NOFOLLOW',
  0x200: 'AT_REMOVEDIR',
  0x400: 'AT_SYMLINK_FOLLOW',
  0x1000: 'AT_EMPTY_PATH',
});
// include/uapi/linux/fs.h
const RENAME_FLAGS = bits({ 1: 'RENAME_NOREPLACE', 2: 'RENAME_EXCHANGE', 4: 'RENAME_WHITEOUT' });
// include/uapi/linux/sched.h
const CLONE_FLAGS = bits({
  0x80: 'CLONE_NEWTIME',
  0x20000: 'CLONE_NEWNS',
  0x2000000: 'CLONE_NEWCGROUP',
  0x4000000: 'CLONE_NEWUTS',
  0x8000000: 'CLONE_NEWIPC',
  0x10000000: 'CLONE_NEWUSER',
  0x20000000: 'CLONE_NEWPID',
  0x40000000: 'CLONE_NEWNET',
});
// include/uapi/linux/mount.h
const MOUNT_FLAGS = bits({
  1: 'MS_RDONLY',
  2: 'MS_NOSUID',
  4: 'MS_NODEV',
  8: 'MS_NOEXEC',
  32: 'MS_REMOUNT',
  4096: 'MS_BIND',
  8192: 'MS_MOVE',
  16384: 'MS_REC',
  262144: 'MS_PRIVATE',
  524288: 'MS_SLAVE',
  1048576: 'MS_SHARED',
});
const UNMOUNT_FLAGS = bits({ 1: 'MNT_FORCE', 2: 'MNT_DETACH', 4: 'MNT_EXPIRE', 8: 'UMOUNT_NOFOLLOW' });
// include/uapi/linux/ptrace.h, arch/x86/include/uapi/asm/ptrace-abi.h
const PTRACE_REQUESTS = values({
  0: 'PTRACE_TRACEME',
  4: 'PTRACE_POKETEXT',
  5: 'PTRACE_POKEDATA',
  6: 'PTRACE_POKEUSR',
  7: 'PTRACE_CONT',
  13: 'PTRACE_SETREGS',
  16: 'PTRACE_ATTACH',
  17: 'PTRACE_DETACH',
  0x4205: 'PTRACE_SETREGSET',
  0x4206: 'PTRACE_SEIZE',
});
/** PTRACE_PEEKTEXT, PEEKDATA and PEEKUSR come by the thousand in a debugger's work and change nothing. */
const PTRACE_PEEKS = 3;
// include/uapi/linux/bpf.h
const BPF_COMMANDS = values({
  0: 'BPF_MAP_CREATE',
  5: 'BPF_PROG_LOAD',
  6: 'BPF_OBJ_PIN',
  7: 'BPF_OBJ_GET',
  8: 'BPF_PROG_ATTACH',
  9: 'BPF_PROG_DETACH',
  17: 'BPF_RAW_TRACEPOINT_OPEN',
  18: 'BPF_BTF_LOAD',
  28: 'BPF_LINK_CREATE',
  29: 'BPF_LINK_UPDATE',
  34: 'BPF_LINK_DETACH',
});
// include/uapi/linux/keyctl.h
const KEYCTL_OPERATIONS = values({
  0: 'KEYCTL_GET_KEYRING_ID',
  1: 'KEYCTL_JOIN_SESSION_KEYRING',
  11: 'KEYCTL_READ',
  29: 'KEYCTL_RESTRICT_KEYRING',
});
// include/linux/socket.h, include/linux/net.h
const FAMILIES = values({
  1: 'AF_UNIX',
  2: 'AF_INET',
  10: 'AF_INET6',
  16: 'AF_NETLINK',
  17: 'AF_PACKET',
  38: 'AF_ALG',
  40: 'AF_VSOCK',
  44: 'AF_XDP',
});
// include/uapi/asm-generic/mman-common.h
const PROTECTION = bits({ 1: 'PROT_READ', 2: 'PROT_WRITE', 4: 'PROT_EXEC' });
const PROT_EXEC = 4;
const MEMFD_FLAGS = bits({
  1: 'MFD_CLOEXEC',
  2: 'MFD_ALLOW_SEALING',
  4: 'MFD_HUGETLB',
  8: 'MFD_NOEXEC_SEAL',
  16: 'MFD_EXEC',
});
// include/uapi/linux/prctl.h
const PRCTL_OPTIONS = values({
  1: 'PR_SET_PDEATHSIG',
  4: 'PR_SET_DUMPABLE',
  8: 'PR_SET_KEEPCAPS',
  15: 'PR_SET_NAME',
  22: 'PR_SET_SECCOMP',
  24: 'PR_CAPBSET_DROP',
  35: 'PR_SET_MM',
  36: 'PR_SET_CHILD_SUBREAPER',
  38: 'PR_SET_NO_NEW_PRIVS',
  47: 'PR_CAP_AMBIENT',
});
const SECCOMP_OPERATIONS = values({ 0: 'SECCOMP_SET_MODE_STRICT', 1: 'SECCOMP_SET_MODE_FILTER' });
/** Standard streams are the descriptors up to this one. */
const STDERR = 2;

export const ACTIONS = {
  unlink: {
    id: 1,
    category: 'file',
    sees: 'a name of a file is removed',
    scope: 'serving',
    calls: { unlink: [path('path')], unlinkat: [skip, pathAt('path'), number('flags', AT_FLAGS)] },
  },
  rmdir: {
    id: 2,
    category: 'file',
    sees: 'a directory is removed',
    scope: 'serving',
    calls: { rmdir: [path('path')] },
  },
  rename: {
    id: 3,
    category: 'file',
    sees: 'a file gets another name',
    scope: 'serving',
    calls: {
      rename: [path('path'), path('newPath')],
      renameat: [skip, pathAt('path'), skip, pathAt('newPath')],
      renameat2: [skip, pathAt('path'), skip, pathAt('newPath'), number('flags', RENAME_FLAGS)],
    },
  },
  link: {
    id: 4,
    category: 'file',
    sees: 'a file gets one more name',
    scope: 'serving',
    calls: {
      link: [path('path'), path('newPath')],
      linkat: [skip, pathAt('path'), skip, pathAt('newPath'), number('flags', AT_FLAGS)],
    },
  },
  symlink: {
    id: 5,
    category: 'file',
    sees: 'a symbolic link is made',
    scope: 'serving',
    calls: { symlink: [text('target'), path('path')], symlinkat: [text('target'), skip, pathAt('path')] },
  },
  mkdir: {
    id: 6,
    category: 'file',
    sees: 'a directory is made',
    scope: 'serving',
    calls: { mkdir: [path('path'), octal('mode')], mkdirat: [skip, pathAt('path'), octal('mode')] },
  },
  mknod: {
    id: 7,
    category: 'file',
    sees: 'a device, pipe or socket is made in the file system',
    scope: 'serving',
    calls: {
      mknod: [path('path'), octal('mode'), number('device')],
      mknodat: [skip, pathAt('path'), octal('mode'), number('device')],
    },
  },
  chmod: {
    id: 8,
    category: 'file',
    sees: 'permissions of a file change',
    scope: 'serving',
    calls: {
      chmod: [path('path'), octal('mode')],
      fchmod: [file('path'), octal('mode')],
      fchmodat: [skip, pathAt('path'), octal('mode')],
      fchmodat2: [skip, pathAt('path'), octal('mode'), number('flags', AT_FLAGS)],
    },
  },
  chown: {
    id: 9,
    category: 'file',
    sees: 'a file gets another owner',
    scope: 'serving',
    calls: {
      chown: [path('path'), signed('uid'), signed('gid')],
      lchown: [path('path'), signed('uid'), signed('gid')],
      fchown: [file('path'), signed('uid'), signed('gid')],
      fchownat: [skip, pathAt('path'), signed('uid'), signed('gid'), number('flags', AT_FLAGS)],
    },
  },
  truncate: {
    id: 10,
    category: 'file',
    sees: 'a file is cut or grows',
    scope: 'serving',
    calls: { truncate: [path('path'), number('size')], ftruncate: [file('path'), number('size')] },
  },
  setxattr: {
    id: 11,
    category: 'file',
    sees: 'an extended attribute of a file is set (file capabilities are one)',
    scope: 'serving',
    calls: {
      setxattr: [path('path'), text('name')],
      lsetxattr: [path('path'), text('name')],
      fsetxattr: [file('path'), text('name')],
    },
  },
  open_by_handle: {
    id: 12,
    category: 'file',
    sees: 'a file is opened by its handle, past all paths',
    scope: 'everybody',
    calls: { open_by_handle_at: [file('mount'), skip, number('flags')] },
  },
  chdir: {
    id: 13,
    isOnDemand: true,
    category: 'process',
    sees: 'the working directory changes',
    scope: 'serving',
    calls: { chdir: [path('path')], fchdir: [file('path')] },
  },
  dup: {
    id: 20,
    isOnDemand: true,
    category: 'descriptor',
    sees: 'a descriptor becomes a standard stream',
    scope: 'serving',
    calls: {
      dup2: [file('file'), signed('descriptor')],
      dup3: [file('file'), signed('descriptor'), number('flags')],
    },
    test: { argument: 1, test: 'at-most', value: STDERR },
  },
  memfd_create: {
    id: 21,
    category: 'memory',
    sees: 'a file is made that is only in memory',
    scope: 'everybody',
    calls: { memfd_create: [text('name'), number('flags', MEMFD_FLAGS)] },
  },
  mprotect: {
    id: 22,
    isOnDemand: true,
    category: 'memory',
    sees: 'memory becomes executable',
    scope: 'serving',
    calls: {
      mprotect: [
        { name: 'address', kind: 'number', as: 'hex' },
        number('size'),
        number('protection', PROTECTION),
      ],
      pkey_mprotect: [
        { name: 'address', kind: 'number', as: 'hex' },
        number('size'),
        number('protection', PROTECTION),
      ],
    },
    test: { argument: 2, test: 'any-bit', value: PROT_EXEC },
  },
  mmap: {
    id: 23,
    isOnDemand: true,
    category: 'memory',
    sees: 'executable memory is mapped',
    scope: 'serving',
    calls: {
      mmap: [
        { name: 'address', kind: 'number', as: 'hex' },
        number('size'),
        number('protection', PROTECTION),
        number('flags'),
        file('file'),
        number('offset'),
      ],
    },
    test: { argument: 2, test: 'any-bit', value: PROT_EXEC },
  },
  ptrace: {
    id: 30,
    category: 'process',
    sees: 'a process traces another one, or changes it',
    scope: 'everybody',
    calls: { ptrace: [number('request', PTRACE_REQUESTS), target] },
    test: { argument: 0, test: 'other', value: PTRACE_PEEKS },
  },
  process_vm_readv: {
    id: 31,
    category: 'process',
    sees: 'a process reads the memory of another one',
    scope: 'everybody',
    calls: { process_vm_readv: [target] },
  },
  process_vm_writev: {
    id: 32,
    category: 'process',
    sees: 'a process writes into the memory of another one',
    scope: 'everybody',
    calls: { process_vm_writev: [target] },
  },
  signal: {
    id: 33,
    category: 'process',
    sees: 'a signal is sent',
    scope: 'serving',
    calls: {
      kill: [target, { name: 'signal', kind: 'number', as: 'signal' }],
      tgkill: [target, signed('thread'), { name: 'signal', kind: 'number', as: 'signal' }],
      tkill: [
        { ...target, name: 'thread' },
        { name: 'signal', kind: 'number', as: 'signal' },
      ],
      rt_sigqueueinfo: [target, { name: 'signal', kind: 'number', as: 'signal' }],
      pidfd_send_signal: [pidfd, { name: 'signal', kind: 'number', as: 'signal' }],
    },
  },
  pidfd_getfd: {
    id: 34,
    category: 'process',
    sees: 'a descriptor is taken out of another process',
    scope: 'everybody',
    calls: { pidfd_getfd: [pidfd, signed('target')] },
  },
  prlimit: {
    id: 38,
    category: 'process',
    sees: 'a process asks for the limits of another one, or sets them',
    scope: 'everybody',
    calls: {
      prlimit64: [target, number('resource', RESOURCES), { name: 'newLimit', kind: 'number', as: 'hex' }],
    },
    // Its own: every program does that when it starts.
    test: { argument: 0, test: 'other', value: 0 },
  },
  prctl: {
    id: 35,
    isOnDemand: true,
    category: 'process',
    sees: 'a process changes how the kernel treats it',
    scope: 'serving',
    calls: { prctl: [number('option', PRCTL_OPTIONS), number('value')] },
  },
  seccomp: {
    id: 36,
    isOnDemand: true,
    category: 'process',
    sees: 'system calls of a process are restricted',
    scope: 'serving',
    calls: { seccomp: [number('operation', SECCOMP_OPERATIONS), number('flags')] },
  },
  setsid: {
    id: 37,
    isOnDemand: true,
    category: 'process',
    sees: 'a session begins',
    scope: 'serving',
    calls: { setsid: [] },
  },
  setuid: {
    id: 40,
    category: 'credentials',
    sees: 'user ids change',
    scope: 'everybody',
    calls: {
      setuid: [signed('uid')],
      setreuid: [signed('uid'), signed('effectiveUid')],
      setresuid: [signed('uid'), signed('effectiveUid'), signed('savedUid')],
      setfsuid: [signed('fsUid')],
    },
  },
  setgid: {
    id: 41,
    category: 'credentials',
    sees: 'group ids change',
    scope: 'everybody',
    calls: {
      setgid: [signed('gid')],
      setregid: [signed('gid'), signed('effectiveGid')],
      setresgid: [signed('gid'), signed('effectiveGid'), signed('savedGid')],
      setfsgid: [signed('fsGid')],
    },
  },
  setgroups: {
    id: 42,
    category: 'credentials',
    sees: 'supplementary groups change',
    scope: 'everybody',
    calls: { setgroups: [number('count')] },
  },
  capset: {
    id: 43,
    category: 'credentials',
    sees: 'capabilities change',
    scope: 'everybody',
    calls: { capset: [skip, { name: 'effectiveAndPermitted', kind: 'word', as: 'hex' }] },
  },
  setns: {
    id: 50,
    category: 'namespace',
    sees: 'a process enters a namespace',
    scope: 'everybody',
    calls: { setns: [file('namespace'), number('type', CLONE_FLAGS)] },
  },
  unshare: {
    id: 51,
    category: 'namespace',
    sees: 'a process leaves namespaces for new ones',
    scope: 'everybody',
    calls: { unshare: [number('flags', CLONE_FLAGS)] },
  },
  mount: {
    id: 52,
    category: 'namespace',
    sees: 'a file system is mounted',
    scope: 'everybody',
    calls: { mount: [text('source'), path('path'), text('type'), number('flags', MOUNT_FLAGS)] },
  },
  move_mount: {
    id: 53,
    category: 'namespace',
    sees: 'a mount is put into the tree, or moved',
    scope: 'everybody',
    calls: { move_mount: [skip, pathAt('source'), skip, pathAt('path'), number('flags')] },
  },
  umount: {
    id: 54,
    category: 'namespace',
    sees: 'a file system is unmounted',
    scope: 'everybody',
    calls: { umount2: [path('path'), number('flags', UNMOUNT_FLAGS)] },
  },
  pivot_root: {
    id: 55,
    category: 'namespace',
    sees: 'the root of the mount tree changes',
    scope: 'everybody',
    calls: { pivot_root: [path('path'), path('oldPath')] },
  },
  chroot: {
    id: 56,
    category: 'namespace',
    sees: 'the root directory changes',
    scope: 'everybody',
    calls: { chroot: [path('path')] },
  },
  init_module: {
    id: 60,
    category: 'kernel',
    sees: 'a kernel module is loaded',
    scope: 'everybody',
    calls: {
      init_module: [skip, number('size'), text('parameters')],
      finit_module: [file('path'), text('parameters'), number('flags')],
    },
  },
  delete_module: {
    id: 61,
    category: 'kernel',
    sees: 'a kernel module is removed',
    scope: 'everybody',
    calls: { delete_module: [text('name'), number('flags')] },
  },
  bpf: {
    id: 62,
    category: 'kernel',
    sees: 'a BPF program or map is made, loaded or attached',
    scope: 'everybody',
    calls: { bpf: [number('command', BPF_COMMANDS)] },
  },
  userfaultfd: {
    id: 63,
    category: 'kernel',
    sees: 'page faults are handed to a program',
    scope: 'everybody',
    calls: { userfaultfd: [number('flags')] },
  },
  keyctl: {
    id: 64,
    isOnDemand: true,
    category: 'kernel',
    sees: 'keys of the kernel are used',
    scope: 'serving',
    calls: { keyctl: [number('operation', KEYCTL_OPERATIONS)] },
  },
  perf_event_open: {
    id: 65,
    isOnDemand: true,
    category: 'kernel',
    sees: 'a performance counter is opened',
    scope: 'serving',
    calls: { perf_event_open: [skip, target] },
  },
  kexec: {
    id: 66,
    category: 'kernel',
    sees: 'another kernel is loaded',
    scope: 'everybody',
    calls: { kexec_load: [skip], kexec_file_load: [file('path')] },
  },
  reboot: {
    id: 67,
    category: 'kernel',
    sees: 'the host is restarted or halted',
    scope: 'everybody',
    calls: { reboot: [skip, skip, number('command')] },
  },
  io_uring_setup: {
    id: 68,
    category: 'kernel',
    sees: 'a ring is set up through which work is done without system calls',
    scope: 'everybody',
    calls: { io_uring_setup: [number('entries')] },
  },
  settime: {
    id: 69,
    category: 'kernel',
    sees: 'the clock is set',
    scope: 'everybody',
    calls: { settimeofday: [skip], clock_settime: [signed('clock')] },
  },
  sethostname: {
    id: 70,
    category: 'kernel',
    sees: 'the host gets another name',
    scope: 'everybody',
    calls: { sethostname: [bytes('name'), skip] },
  },
  socket: {
    id: 80,
    category: 'network',
    sees: 'a socket is made',
    scope: 'everybody',
    effects: {
      test: { argument: 0, test: 'raw-socket', value: 0 },
      sees: 'packet sockets, and raw ones of IPv4 and IPv6',
    },
    calls: { socket: [number('family', FAMILIES), number('type'), number('protocol')] },
  },
  bind: {
    id: 81,
    category: 'network',
    sees: 'a socket gets an address',
    scope: 'serving',
    calls: { bind: [skip, { name: 'address', kind: 'bytes', as: 'address' }, skip] },
  },
  listen: {
    id: 82,
    category: 'network',
    sees: 'a socket waits for connections',
    scope: 'everybody',
    calls: { listen: [signed('descriptor'), signed('backlog')] },
  },
} as const satisfies Readonly<Record<string, Action>>;

export type ActionName = keyof typeof ACTIONS;

/** The catalogue as a list. */
export const ACTION_LIST: readonly (Action & { readonly name: ActionName })[] = Object.entries(ACTIONS).map(
  ([name, action]: [string, Action]) => ({ ...action, name: name as ActionName }),
);

/** The arguments of a system call of an action; none where the action has no such call. */
export function argumentsOf(action: ActionName, syscall: SyscallName): readonly Argument[] {
  return (ACTIONS[action] as Action).calls[syscall] ?? [];
}
