import { ACTION_LIST, argumentsOf, type ActionName, type Argument } from '../model/actions.ts';
import type { SyscallName } from '../model/syscalls.ts';

/**
 * How rules see the actions of the catalogue (src/model/actions.ts). For each system call: the name of its result, then those
 * of its arguments in the order of the call, as the reference engine names them; - stands for one that it does not have. Behind
 * a colon stands what an argument is to fields: `name`, `source` or `target` of fs.path, or the `file` behind a descriptor
 * (fd.name), which is fs.path.name, too. The reference engine takes the new name of a link for its source. Calls to which it gives no
 * arguments have names in its style.
 */
const CALLS: Readonly<Record<string, string>> = {
  unlink: 'res path:name',
  unlinkat: 'res dirfd name:name flags',
  rmdir: 'res path:name',
  rename: 'res oldpath:source newpath:target',
  renameat: 'res olddirfd oldpath:source newdirfd newpath:target',
  renameat2: 'res olddirfd oldpath:source newdirfd newpath:target flags',
  link: 'res oldpath:target newpath:source',
  linkat: 'res olddir oldpath:target newdir newpath:source flags',
  symlink: 'res target:target linkpath:source',
  symlinkat: 'res target:target linkdirfd linkpath:source',
  mkdir: 'res path:name mode',
  mkdirat: 'res dirfd path:name mode',
  mknod: 'res path:name mode dev',
  mknodat: 'res dirfd path:name mode dev',
  chmod: 'res filename:name mode',
  fchmod: 'res fd:file mode',
  fchmodat: 'res dirfd filename:name mode',
  fchmodat2: 'res dirfd filename:name mode flags',
  chown: 'res path:name uid gid',
  lchown: 'res path:name uid gid',
  fchown: 'res fd:file uid gid',
  fchownat: 'res dirfd pathname:name uid gid flags',
  truncate: 'res path:name length',
  ftruncate: 'res fd:file length',
  setxattr: 'res path:name name',
  lsetxattr: 'res path:name name',
  fsetxattr: 'res fd:file name',
  open_by_handle_at: 'fd mountfd - flags',
  chdir: 'res path:name',
  fchdir: 'res fd:file',
  dup2: 'res oldfd:file newfd',
  dup3: 'res oldfd:file newfd flags',
  memfd_create: 'fd name flags',
  mprotect: 'res addr length prot',
  pkey_mprotect: 'res addr length prot',
  mmap: 'res addr length prot flags fd:file offset',
  ptrace: 'res request pid',
  process_vm_readv: 'res pid',
  process_vm_writev: 'res pid',
  kill: 'res pid sig',
  tgkill: 'res pid tid sig',
  tkill: 'res tid sig',
  rt_sigqueueinfo: 'res pid sig',
  pidfd_send_signal: 'res pid_fd sig',
  prlimit64: 'res pid resource -',
  pidfd_getfd: 'fd pid_fd target_fd',
  prctl: 'res option arg2_int',
  seccomp: 'res op flags',
  setsid: 'res',
  setuid: 'res uid',
  setreuid: 'res ruid euid',
  setresuid: 'res ruid euid suid',
  setfsuid: 'res uid',
  setgid: 'res gid',
  setregid: 'res rgid egid',
  setresgid: 'res rgid egid sgid',
  setfsgid: 'res gid',
  setgroups: 'res size',
  // The sets of capabilities stand in one word of memory, of which a number does not hold all.
  capset: 'res - -',
  setns: 'res fd:file nstype',
  unshare: 'res flags',
  mount: 'res dev:source dir:target type flags',
  move_mount: 'res - source:source - path:target flags',
  umount2: 'res name:name flags',
  pivot_root: 'res path:name oldpath',
  chroot: 'res path:name',
  init_module: 'res img length uargs',
  finit_module: 'res fd:file uargs flags',
  delete_module: 'res name flags',
  bpf: 'fd cmd',
  userfaultfd: 'res flags',
  keyctl: 'res op',
  perf_event_open: 'fd - pid',
  kexec_load: 'res -',
  kexec_file_load: 'res fd:file',
  reboot: 'res - - cmd',
  io_uring_setup: 'res entries',
  settimeofday: 'res -',
  clock_settime: 'res clockid',
  sethostname: 'res name -',
  socket: 'fd domain type proto',
  bind: 'res fd addr -',
  listen: 'res fd backlog',
};

/** Calls that rules know as another one, which they would slip past otherwise. */
const KNOWN_AS: Readonly<Record<string, SyscallName>> = { fchmodat2: 'fchmodat' };

export type PathRole = 'name' | 'source' | 'target' | 'file';

/** A system call of the catalogue, as rules see it. */
export interface RuleCall {
  readonly syscall: SyscallName;
  readonly action: ActionName;
  /** Name of its event type. */
  readonly type: string;
  /** res, or fd where it returns a descriptor. */
  readonly resultName: string;
  /** Names of what is told, in order, the result first. */
  readonly names: readonly string[];
  readonly arguments: ReadonlyMap<string, RuleArgument>;
  /** Position of the argument that has a role; -1 where none has. */
  readonly roles: Readonly<Record<PathRole, number>>;
}

export interface RuleArgument {
  /** Position in the event's arguments. */
  readonly position: number;
  readonly argument: Argument;
}

function callOf(action: ActionName, syscall: SyscallName): RuleCall {
  const [resultName = 'res', ...written] = (CALLS[syscall] ?? 'res').split(' ');
  const roles: Record<PathRole, number> = { name: -1, source: -1, target: -1, file: -1 };
  const told = new Map<string, RuleArgument>();
  for (const [position, argument] of argumentsOf(action, syscall).entries()) {
    const [name = '-', role] = (written[position] ?? '-').split(':');
    if (role !== undefined) roles[role as PathRole] = position;
    if (name !== '-' && argument.name !== null) told.set(name, { position, argument });
  }
  return {
    syscall,
    action,
    type: KNOWN_AS[syscall] ?? syscall,
    resultName,
    names: [resultName, ...told.keys()],
    arguments: told,
    roles,
  };
}

/** All system calls of the catalogue, by name. */
export const RULE_CALLS: ReadonlyMap<SyscallName, RuleCall> = new Map(
  ACTION_LIST.flatMap(({ name, calls }) =>
    (Object.keys(calls) as SyscallName[]).map((syscall) => [syscall, callOf(name, syscall)]),
  ),
);

/** What the catalogue has no entry for here: for tests. */
export function callsWithoutNames(): readonly string[] {
  return [...RULE_CALLS.keys()].filter((syscall) => CALLS[syscall] === undefined);
}
