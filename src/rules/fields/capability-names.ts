/** By number: include/uapi/linux/capability.h. */
const NAMES: readonly string[] = [
  'CHOWN',
  'DAC_OVERRIDE',
  'DAC_READ_SEARCH',
  'FOWNER',
  'FSETID',
  'KILL',
  'SETGID',
  'SETUID',
  'SETPCAP',
  'LINUX_IMMUTABLE',
  'NET_BIND_SERVICE',
  'NET_BROADCAST',
  'NET_ADMIN',
  'NET_RAW',
  'IPC_LOCK',
  'IPC_OWNER',
  'SYS_MODULE',
  'SYS_RAWIO',
  'SYS_CHROOT',
  'SYS_PTRACE',
  'SYS_PACCT',
  'SYS_ADMIN',
  'SYS_BOOT',
  'SYS_NICE',
  'SYS_RESOURCE',
  'SYS_TIME',
  'SYS_TTY_CONFIG',
  'MKNOD',
  'LEASE',
  'AUDIT_WRITE',
  'AUDIT_CONTROL',
  'SETFCAP',
  'MAC_OVERRIDE',
  'MAC_ADMIN',
  'SYSLOG',
  'WAKE_ALARM',
  'BLOCK_SUSPEND',
  'AUDIT_READ',
  'PERFMON',
  'BPF',
  'CHECKPOINT_RESTORE',
];

/** Sets that are remembered: on a host there are a handful. */
const MAX_REMEMBERED = 64;

const remembered = new Map<number, string>();

/** Names of a set with blanks between, the lowest number first: 'CAP_CHOWN CAP_KILL'; '' for none. */
export function capabilityNames(set: number): string {
  const known = remembered.get(set);
  if (known !== undefined) return known;
  // Sets have more bits than bitwise operators take.
  const names = NAMES.filter((_, bit) => Math.floor(set / 2 ** bit) % 2 === 1).map((name) => `CAP_${name}`);
  if (remembered.size >= MAX_REMEMBERED) remembered.clear();
  const text = names.join(' ');
  remembered.set(set, text);
  return text;
}
