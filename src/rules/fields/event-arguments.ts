import { RULE_CALLS } from '../calls.ts';

/** Names that the reference engine gives to arguments of calls, as they appear in evt.arg.NAME. */
const NAMES = `
  addr addr_len advice args arg arg2_int arg2_str atime argsmask backlog buflen cap_effective cap_inheritable
  cap_permitted cgroups cmd comm cpu cpu_sys cpu_usr cwd data dev dir dirfd dirfd1 dirfd2 domain domainname dst egid
  entries env euid event exe exe_ino exe_ino_ctime exe_ino_mtime fd fd1 fd2 fd_in fd_out fdin fdlimit fdout filename
  flags fmode fstype from gid group group_fd handle how id img in_fd inode initval ino interval iocb key keyring length
  level linkdirfd linkpath linkpath loginuid maj max_events maxevents min mode mount_fd mountpoint mq_attr mtime name
  nativeID ncheck newcur newdir newdirfd newmax newpath next nfd nstype off offset oldcur olddir olddirfd oldmax oldpath
  op opcode optname option out_fd path pathname pgft_maj pgft_min pgid pid pidfd pidns_init_start_ts plugin pos prot proto
  ptid quota_fmt quotafmt quotaid queuelen queuemax queuepct ratio reaper_tid reclaimed reltime request requesttype res
  res_or_fd resolve resource ret rgid ruid scope setid sfd sgid sig signal size source special stack status statx_mask sub
  suid target target_fd tid timeout to_submit trusted_exepath tty tuple type typechar uargs uid uri val value vm_rss
  vm_size vm_swap vpgid vpid vtid whence wd
`
  .trim()
  .split(/\s+/);

const known = new Set(NAMES);
for (const { names } of RULE_CALLS.values()) for (const name of names) known.add(name);

export function isEventArgument(name: string): boolean {
  return known.has(name);
}

/** Arguments that some event has today: see src/app/rule-events.ts. */
export const TOLD_ARGUMENTS: ReadonlySet<string> = new Set([
  ...[...RULE_CALLS.values()].flatMap(({ names }) => names),
  'args',
  'comm',
  'cwd',
  'exe',
  'filename',
  'flags',
  'name',
  'pid',
  'ptid',
  'res',
  'status',
  'tid',
  'trusted_exepath',
  'tuple',
  'uid',
]);

const NUMBERS = new Set(
  [...RULE_CALLS.values()].flatMap((call) => [
    call.resultName,
    ...[...call.arguments].filter(([, { argument }]) => argument.kind === 'number').map(([name]) => name),
  ]),
);

/** Why no event has an argument as a number; null where one has it. */
export function untoldNumber(name: string): string | null {
  return NUMBERS.has(name) ? null : 'no event that is told has this argument as a number';
}

/** Why no event has an argument; null where one has it. Numbers count those that an event has. */
export function untoldArgument(name: string): string | null {
  return /^\d+$/.test(name) || TOLD_ARGUMENTS.has(name) ? null : 'no event that is told has this argument';
}
