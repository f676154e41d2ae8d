/**
 * Numbers of the system calls that sensors name, for each architecture; null where it has none (arm64 has only the
 * newer calls). Sources: arch/x86/entry/syscalls/syscall_64.tbl, include/uapi/asm-generic/unistd.h.
 */
export const SYSCALLS = {
  read: { x64: 0, arm64: 63 },
  write: { x64: 1, arm64: 64 },
  open: { x64: 2, arm64: null },
  poll: { x64: 7, arm64: null },
  readv: { x64: 19, arm64: 65 },
  writev: { x64: 20, arm64: 66 },
  select: { x64: 23, arm64: null },
  sendfile: { x64: 40, arm64: 71 },
  connect: { x64: 42, arm64: 203 },
  accept: { x64: 43, arm64: 202 },
  sendto: { x64: 44, arm64: 206 },
  recvfrom: { x64: 45, arm64: 207 },
  sendmsg: { x64: 46, arm64: 211 },
  recvmsg: { x64: 47, arm64: 212 },
  getsockopt: { x64: 55, arm64: 209 },
  socketpair: { x64: 53, arm64: 199 },
  creat: { x64: 85, arm64: null },
  epoll_wait: { x64: 232, arm64: null },
  openat: { x64: 257, arm64: 56 },
  pselect6: { x64: 270, arm64: 72 },
  ppoll: { x64: 271, arm64: 73 },
  epoll_pwait: { x64: 281, arm64: 22 },
  accept4: { x64: 288, arm64: 242 },
  recvmmsg: { x64: 299, arm64: 243 },
  sendmmsg: { x64: 307, arm64: 269 },
  openat2: { x64: 437, arm64: 437 },
  epoll_pwait2: { x64: 441, arm64: 441 },
} as const;

export type SyscallName = keyof typeof SYSCALLS;
export type Architecture = 'x64' | 'arm64';
