import type { ByteString } from '../base/bytes.ts';

/** Inode numbers of a process' namespaces, as /proc/PID/ns has them. */
export interface Namespaces {
  readonly cgroup: number;
  readonly ipc: number;
  readonly mount: number;
  readonly network: number;
  readonly pid: number;
  readonly user: number;
  readonly uts: number;
}

/** Sets of capabilities: bit n is the capability of number n in include/uapi/linux/capability.h, all below 2^53. */
export interface CapabilitySets {
  readonly effective: number;
  readonly permitted: number;
  readonly inheritable: number;
}

/**
 * What an exec tells of the executable file, the one whose code runs (of a script: its interpreter), and of who runs it. Those
 * of the moment: what a process changes later (its session, its namespaces) is not followed.
 */
export interface ExecDetails {
  /** Type and permissions of the file, as stat(2) tells them. */
  readonly mode: number;
  readonly ownerUid: number;
  readonly ownerGid: number;
  /** Names that the file has. 0: it was deleted, or never had one. */
  readonly linkCount: number;
  /** Milliseconds since the Unix epoch, to the microsecond. */
  readonly changeTimeMs: number;
  readonly modificationTimeMs: number;
  /** Magic number of the file system, include/uapi/linux/magic.h. */
  readonly fileSystem: number;
  /** On an overlay, it is in the upper layer: made or changed since the container was started from its image. */
  readonly isUpperLayer: boolean;
  /** It is made of memory and never had a name: memfd_create(2). */
  readonly isMemoryFile: boolean;
  /** Program that a script, or another format, names to run it; null: the file runs by itself. */
  readonly interpreter: ByteString | null;
  readonly savedUid: number;
  readonly savedGid: number;
  /** Who logged in, as audit keeps it through su and sudo; null: nobody. */
  readonly loginUid: number | null;
  /** Pid of the session's leader as the host sees it; 0 for what the kernel started. */
  readonly session: number;
  readonly processGroup: number;
  /** Controlling terminal, such as 'pts3'; null: none. */
  readonly terminal: ByteString | null;
  readonly capabilities: CapabilitySets;
  readonly hasNoNewPrivileges: boolean;
  /** include/uapi/linux/seccomp.h: 0 none, 1 strict, 2 filter. */
  readonly seccompMode: number;
  readonly namespaces: Namespaces;
  /** A kernel thread started it: core_pattern, modprobe, release_agent. */
  readonly isStartedByKernel: boolean;
}

/**
 * What is remarkable about an executable.
 * - memfd: it never was a file with a name
 * - deleted: its file has no name any more
 * - upper-layer: it is not part of the container's image
 * - setuid, setgid: it runs with the rights of its file's owner
 * - world-writable: anybody can change it
 * - kernel-started: the kernel itself started it, on somebody's request
 */
export type ExecTrait =
  | 'memfd'
  | 'deleted'
  | 'upper-layer'
  | 'setuid'
  | 'setgid'
  | 'world-writable'
  | 'kernel-started';

const SET_USER_ID = 0o4000;
const SET_GROUP_ID = 0o2000;
/** A file may be set-group-id without being executable by its group: mandatory locking, long ago. */
const GROUP_EXECUTE = 0o10;
const OTHERS_WRITE = 0o2;

export function traitsOf(details: ExecDetails | null | undefined): readonly ExecTrait[] {
  if (details === null || details === undefined) return [];
  const { mode, linkCount, isMemoryFile } = details;
  const traits: ExecTrait[] = [];
  if (isMemoryFile) traits.push('memfd');
  else if (linkCount === 0) traits.push('deleted');
  if (details.isUpperLayer) traits.push('upper-layer');
  if ((mode & SET_USER_ID) !== 0) traits.push('setuid');
  if ((mode & SET_GROUP_ID) !== 0 && (mode & GROUP_EXECUTE) !== 0) traits.push('setgid');
  // A memory file is rwx for all, and nobody can reach it by name.
  if ((mode & OTHERS_WRITE) !== 0 && !isMemoryFile) traits.push('world-writable');
  if (details.isStartedByKernel) traits.push('kernel-started');
  return traits;
}
