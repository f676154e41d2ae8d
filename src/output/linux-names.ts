import { constants } from 'node:os';

/** Names that Linux gives to numbers: errno, open(2) flags, signals. */

const errnoNames = new Map<number, string>();
for (const [name, number] of Object.entries(constants.errno)) {
  if (!errnoNames.has(number)) errnoNames.set(number, name);
}
errnoNames.set(constants.errno.EOPNOTSUPP, 'EOPNOTSUPP');

const signalNames = new Map(Object.entries(constants.signals).map(([name, number]) => [number, name]));

/** Name of an errno, such as ENOENT; null for 0, 'errno-N' for one without a name. */
export function errnoName(error: number): string | null {
  if (error === 0) return null;
  return errnoNames.get(error) ?? `errno-${error}`;
}

/** Name such as SIGTERM; null for a number that is none. */
export function signalName(signal: number): string | null {
  return signalNames.get(signal) ?? null;
}

/** Name of the signal behind an exit code of 128 + signal, or null where there is none. */
export function signalOfExitCode(code: number): string | null {
  return code > 128 ? (signalNames.get(code - 128) ?? null) : null;
}

/** include/uapi/linux/magic.h, and those that file systems keep to themselves. */
const FILE_SYSTEMS: ReadonlyMap<number, string> = new Map([
  [0xef53, 'ext4'],
  [0x58465342, 'xfs'],
  [0x9123683e, 'btrfs'],
  [0xf2f52010, 'f2fs'],
  [0x2fc12fc1, 'zfs'],
  [0x794c7630, 'overlay'],
  [0x01021994, 'tmpfs'],
  [0x858458f6, 'ramfs'],
  [0x958458f6, 'hugetlbfs'],
  [0x9fa0, 'proc'],
  [0x62656572, 'sysfs'],
  [0x6969, 'nfs'],
  [0xff534d42, 'cifs'],
  [0xfe534d42, 'smb2'],
  [0x01021997, '9p'],
  [0x65735546, 'fuse'],
  [0x73717368, 'squashfs'],
  [0xe0f5e1e2, 'erofs'],
  [0x9660, 'iso9660'],
  [0x4d44, 'vfat'],
  [0x00c36400, 'ceph'],
]);

/** Name of a file system by its magic number, '0x' and the number for one that is not known by name. */
export function fileSystemName(magic: number): string {
  return FILE_SYSTEMS.get(magic) ?? `0x${magic.toString(16)}`;
}

/** include/net/tcp_states.h, from 1 on. */
const TCP_STATES = [
  'ESTABLISHED',
  'SYN_SENT',
  'SYN_RECV',
  'FIN_WAIT1',
  'FIN_WAIT2',
  'TIME_WAIT',
  'CLOSE',
  'CLOSE_WAIT',
  'LAST_ACK',
  'LISTEN',
  'CLOSING',
  'NEW_SYN_RECV',
] as const;

/** Name of a state of TCP such as CLOSE_WAIT; 'state-N' for one without a name. */
export function tcpStateName(state: number): string {
  return TCP_STATES[state - 1] ?? `state-${state}`;
}

const ACCESS_MODES = ['O_RDONLY', 'O_WRONLY', 'O_RDWR', 'O_ACCMODE'] as const;

/** include/uapi/asm-generic/fcntl.h; O_SYNC and O_TMPFILE contain other flags and come before them. */
const COMMON_FLAGS: readonly (readonly [mask: number, name: string])[] = [
  [0o100, 'O_CREAT'],
  [0o200, 'O_EXCL'],
  [0o400, 'O_NOCTTY'],
  [0o1000, 'O_TRUNC'],
  [0o2000, 'O_APPEND'],
  [0o4000, 'O_NONBLOCK'],
  [0o4010000, 'O_SYNC'],
  [0o10000, 'O_DSYNC'],
  [0o20000, 'O_ASYNC'],
  [0o1000000, 'O_NOATIME'],
  [0o2000000, 'O_CLOEXEC'],
  [0o10000000, 'O_PATH'],
];

/** These four differ: arch/arm64/include/uapi/asm/fcntl.h. O_LARGEFILE is left out: the kernel adds it to every open. */
const X86_FLAGS = { directory: 0o200000, noFollow: 0o400000, direct: 0o40000 };
const ARM64_FLAGS = { directory: 0o40000, noFollow: 0o100000, direct: 0o200000 };
const TMPFILE = 0o20000000;

/**
 * Names of open(2) flags, the access mode first.
 *
 * @param architecture of the host where the event was captured, as Node ('arm64') or the kernel ('aarch64') names it
 */
export function openFlagNames(flags: number, architecture: string): string[] {
  const names: string[] = [ACCESS_MODES[(flags & 3) as 0 | 1 | 2 | 3]];
  let rest = flags;
  const take = (mask: number, name: string) => {
    if ((rest & mask) !== mask) return;
    names.push(name);
    rest &= ~mask;
  };
  const own = architecture === 'arm64' || architecture === 'aarch64' ? ARM64_FLAGS : X86_FLAGS;
  take(TMPFILE | own.directory, 'O_TMPFILE');
  for (const [mask, name] of COMMON_FLAGS) take(mask, name);
  take(own.direct, 'O_DIRECT');
  take(own.directory, 'O_DIRECTORY');
  take(own.noFollow, 'O_NOFOLLOW');
  return names;
}
