import type { ByteString } from '../base/bytes.ts';
import type { Container } from './container.ts';
import type { Environment } from './environment.ts';
import type { ExecDetails } from './exec-details.ts';
import type { ExecutableFile } from './executable.ts';

/** What descriptor 0, 1 or 2 of a program was when it started. */
export type StdioType = 'closed' | 'file' | 'directory' | 'terminal' | 'device' | 'pipe' | 'socket' | 'other';

/**
 * One process, from its fork to its exit. Its identity is pid and start time together: pids are reused.
 * Fields that an exec replaces (executable, arguments, ...) show the newest program.
 */
export interface Process {
  readonly pid: number;
  /** Start time of the thread-group leader in clock ticks of 10 ms since boot, as /proc/PID/stat shows it. */
  readonly startTicks: number;
  readonly parentPid: number;
  /** The process that forked this one, where it is known. Kept after its exit, so that ancestry survives. */
  readonly parent: Process | null;
  /** The kernel's short name of the thread, at most 15 bytes. */
  readonly comm: ByteString;
  /** Resolved path of the executable file. '' where unknown (a kernel thread). */
  readonly executable: ByteString;
  readonly inode: number;
  readonly argv: readonly ByteString[];
  readonly argvTruncated: boolean;
  readonly workingDirectory: ByteString;
  readonly uid: number;
  readonly gid: number;
  /** As uid, of its newest exec; negative or absent: not known. */
  readonly effectiveUid?: number;
  /** When its program was started, also by the parent that it was forked from, in nanoseconds since boot; absent: not known. */
  readonly executedNs?: number;
  readonly groups: readonly number[];
  /** Name of the user in the host's passwd database, or null. */
  readonly userName: string | null;
  /** Of that user, as the passwd database has it: '' where it says nothing; null or absent: not known. */
  readonly homeDirectory?: string | null;
  readonly loginShell?: string | null;
  /** Name of its group in the host's group database; null or absent: not known. */
  readonly groupName?: string | null;
  /** Likewise of the user who logged in; absent: as null. */
  readonly loginName?: string | null;
  readonly stdio: readonly [StdioType, StdioType, StdioType];
  /** As its newest exec told, or that of the parent that it was forked from; null or absent: none was seen. */
  readonly details?: ExecDetails | null;
  /** The file that it runs; null or absent: it is not known well enough to be told from others. */
  readonly file?: ExecutableFile | null;
  /** That its program was started with, also by the parent that it was forked from; null or absent: nobody asked for it. */
  readonly environment?: Environment | null;
  readonly cgroupId: number;
  /** Container id (64 hex digits as a rule) or null on the host. */
  readonly containerId: string | null;
  /** What the container's runtime has told so far; null: nothing. */
  readonly container: Container | null;
  /** Uid of the Kubernetes pod that the path of the cgroup names, or null. */
  readonly podUid: string | null;
  /** systemd unit such as nginx.service, or null. */
  readonly serviceUnit: string | null;
  /** Nanoseconds since boot. null while it lives. */
  readonly exitedNs: number | null;
  /** Exit code, or 128 + signal where a signal ended it. null while it lives. */
  readonly exitCode: number | null;
}
