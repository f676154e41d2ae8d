import { ACTIONS, type Action } from '../model/actions.ts';
import { RULE_CALLS } from './calls.ts';

/**
 * Types of events that rules may ask for: the system calls of Linux on x86-64 (asm/unistd_64.h), the events of the
 * reference engine that are no call, and our own. A type is known by its index.
 */
const SYSTEM_CALLS = `
  _sysctl accept accept4 access acct add_key adjtimex afs_syscall alarm arch_prctl bind bpf brk
  capget capset chdir chmod chown chroot clock_adjtime clock_getres clock_gettime clock_nanosleep
  clock_settime clone clone3 close close_range connect copy_file_range creat create_module
  delete_module dup dup2 dup3 epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_pwait
  epoll_pwait2 epoll_wait epoll_wait_old eventfd eventfd2 execve execveat exit exit_group faccessat
  faccessat2 fadvise64 fallocate fanotify_init fanotify_mark fchdir fchmod fchmodat fchmodat2 fchown fchownat
  fcntl fdatasync fgetxattr finit_module flistxattr flock fork fremovexattr fsconfig fsetxattr
  fsmount fsopen fspick fstat fstatfs fsync ftruncate futex futex_waitv futimesat get_kernel_syms
  get_mempolicy get_robust_list get_thread_area getcpu getcwd getdents getdents64 getegid geteuid
  getgid getgroups getitimer getpeername getpgid getpgrp getpid getpmsg getppid getpriority getrandom
  getresgid getresuid getrlimit getrusage getsid getsockname getsockopt gettid gettimeofday getuid
  getxattr init_module inotify_add_watch inotify_init inotify_init1 inotify_rm_watch io_cancel
  io_destroy io_getevents io_pgetevents io_setup io_submit io_uring_enter io_uring_register
  io_uring_setup ioctl ioperm iopl ioprio_get ioprio_set kcmp kexec_file_load kexec_load keyctl kill
  landlock_add_rule landlock_create_ruleset landlock_restrict_self lchown lgetxattr link linkat
  listen listxattr llistxattr lookup_dcookie lremovexattr lseek lsetxattr lstat madvise mbind
  membarrier memfd_create memfd_secret migrate_pages mincore mkdir mkdirat mknod mknodat mlock mlock2
  mlockall mmap modify_ldt mount mount_setattr move_mount move_pages mprotect mq_getsetattr mq_notify
  mq_open mq_timedreceive mq_timedsend mq_unlink mremap msgctl msgget msgrcv msgsnd msync munlock
  munlockall munmap name_to_handle_at nanosleep newfstatat nfsservctl open open_by_handle_at
  open_tree openat openat2 pause perf_event_open personality pidfd_getfd pidfd_open pidfd_send_signal
  pipe pipe2 pivot_root pkey_alloc pkey_free pkey_mprotect poll ppoll prctl pread64 preadv preadv2
  prlimit64 process_madvise process_mrelease process_vm_readv process_vm_writev pselect6 ptrace
  putpmsg pwrite64 pwritev pwritev2 query_module quotactl quotactl_fd read readahead readlink
  readlinkat readv reboot recvfrom recvmmsg recvmsg remap_file_pages removexattr rename renameat
  renameat2 request_key restart_syscall rmdir rseq rt_sigaction rt_sigpending rt_sigprocmask
  rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait rt_tgsigqueueinfo sched_get_priority_max
  sched_get_priority_min sched_getaffinity sched_getattr sched_getparam sched_getscheduler
  sched_rr_get_interval sched_setaffinity sched_setattr sched_setparam sched_setscheduler sched_yield
  seccomp security select semctl semget semop semtimedop sendfile sendmmsg sendmsg sendto
  set_mempolicy set_mempolicy_home_node set_robust_list set_thread_area set_tid_address setdomainname
  setfsgid setfsuid setgid setgroups sethostname setitimer setns setpgid setpriority setregid
  setresgid setresuid setreuid setrlimit setsid setsockopt settimeofday setuid setxattr shmat shmctl
  shmdt shmget shutdown sigaltstack signalfd signalfd4 socket socketpair splice stat statfs statx
  swapoff swapon symlink symlinkat sync sync_file_range syncfs sysfs sysinfo syslog tee tgkill time
  timer_create timer_delete timer_getoverrun timer_gettime timer_settime timerfd_create
  timerfd_gettime timerfd_settime times tkill truncate tuxcall umask umount2 uname unlink unlinkat
  unshare uselib userfaultfd ustat utime utimensat utimes vfork vhangup vmsplice vserver wait4 waitid
  write writev`;

/** Events of the reference engine that are no system call of today, and 32-bit or other architectures' names. */
const OTHER_EVENTS =
  'procexit procinfo cpu_hotplug signaldeliver drop switch tracer notification infra container syscall page_fault ' +
  'pluginevent asyncevent umount signal eventfd stat64 lstat64 fstat64 fstatat64 mmap2 getrlimit prlimit ' +
  'setresuid32 llseek pread pwrite send recv semget select_new oldumount';

/** What Throughline sees beyond calls. */
const OWN_EVENTS = 'http_request http_response db_query db_response dns_query dns_response connection_end';

const words = (text: string) => text.trim().split(/\s+/);

export const EVENT_TYPES: readonly string[] = [
  ...new Set([...words(SYSTEM_CALLS), ...words(OTHER_EVENTS), ...words(OWN_EVENTS)]),
];

const indexes = new Map(EVENT_TYPES.map((name, index) => [name, index]));

/** The index of a type; null where there is none with this name. */
export function eventTypeOf(name: string): number | null {
  return indexes.get(name) ?? null;
}

const own = new Set(words(OWN_EVENTS));
const calls = new Set(words(SYSTEM_CALLS));

export function isSystemCall(type: number): boolean {
  return calls.has(EVENT_TYPES[type] ?? '');
}

/** Whose actions are told. A rule that asks for others has them told, too. */
const WHOSE: Readonly<Record<Action['scope'], string>> = {
  serving: 'by processes that serve requests and what they started; by all where a rule asks for it',
  everybody: 'by anybody',
};

const ACTION_TYPES: Readonly<Record<string, string>> = Object.fromEntries(
  [...RULE_CALLS.values()].map(({ type, action }) => {
    const { sees, scope }: Action = ACTIONS[action];
    return [type, `${sees}, ${WHOSE[scope]}`];
  }),
);

/** Types that events have today. The calls of a family come under one name where the kernel side tells them as one. */
const ANSWERED: Readonly<Record<string, string>> = {
  ...ACTION_TYPES,
  execve: 'execve and execveat',
  openat:
    'open, creat, openat and openat2: to write by anybody, to read by processes that serve requests and what they started; by all where a rule asks for it',
  connect: 'connect',
  accept4: 'accept and accept4',
  procexit: 'the end of a process that serves requests, or that one has started',
  http_request: 'a request of HTTP, when its head is read',
  http_response: 'the reply to it',
  db_query: 'a statement or command for a data service',
  db_response: 'the reply to it',
  dns_query: 'a question of DNS',
  dns_response: 'the answer to it',
  connection_end:
    'the end of a connection that such a process accepted, or asked others on, with what went over it',
};

/** What events of a type tell; null where none have this type. */
export function answeredBy(type: number): string | null {
  return ANSWERED[EVENT_TYPES[type] ?? ''] ?? null;
}

/** The type as which a call is told, where that is not its own. */
const TOLD_AS: Readonly<Record<string, string>> = {
  execveat: 'execve',
  open: 'openat',
  openat2: 'openat',
  creat: 'openat',
  accept: 'accept4',
  fchmodat2: 'fchmodat',
  prlimit: 'prlimit64',
};

export function toldAs(type: number): string | null {
  return TOLD_AS[EVENT_TYPES[type] ?? ''] ?? null;
}

/** Category of a type, as the reference engine names it: for `evt.category`. */
export function categoryOf(type: number): string {
  const name = EVENT_TYPES[type] ?? '';
  if (name === 'connection_end') return 'net';
  if (own.has(name)) return 'request';
  return CATEGORIES.find(([, pattern]) => pattern.test(name))?.[0] ?? 'other';
}

const CATEGORIES: readonly (readonly [category: string, pattern: RegExp])[] = [
  ['process', /^(?:exec|clone|fork|vfork|exit|procexit|wait|kill|tkill|tgkill|prctl|ptrace|setns|unshare)/],
  [
    'user',
    /^(?:set(?:u|g|eu|eg|reu|reg|resu|resg|fsu|fsg)id|setgroups|getuid|geteuid|getgid|getegid|capset)/,
  ],
  ['net', /^(?:accept|bind|connect|listen|recv|send|shutdown|socket|getsockopt|setsockopt|getpeername)/],
  ['memory', /^(?:mmap|munmap|mprotect|mremap|brk|madvise|mlock|munlock|pkey_mprotect)/],
  ['ipc', /^(?:pipe|shm|sem|msg|mq_|eventfd|signalfd)/],
  ['signal', /^(?:signaldeliver|rt_sig|sigaltstack)/],
  [
    'file',
    /^(?:open|creat|close|read|write|pread|pwrite|f?stat|lstat|unlink|rename|link|symlink|mkdir|rmdir|mknod)/,
  ],
  [
    'file',
    /^(?:f?chmod|[fl]?chown|f?truncate|mount|umount|chdir|fchdir|chroot|getdents|dup|fcntl|flock|memfd)/,
  ],
];
