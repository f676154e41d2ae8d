import { bytesOf, byteString, type ByteString } from '../base/bytes.ts';
import type { Container } from '../model/container.ts';
import type { Environment } from '../model/environment.ts';
import type { ExecDetails } from '../model/exec-details.ts';
import type { ExecutableFile } from '../model/executable.ts';
import type { Process, StdioType } from '../model/process.ts';
import type { Accounts } from './accounts.ts';
import type { Cgroup } from './cgroups.ts';

const NOTHING: readonly never[] = [];
const UNKNOWN_STDIO: readonly [StdioType, StdioType, StdioType] = ['other', 'other', 'other'];

/** uid and gid of a process of which nothing is known yet: never to be mistaken for root. */
const UNKNOWN_ID = -1;

/**
 * The world's own view of a process: the table changes it in place, everyone else reads it as Process. Some fields
 * are accessors (a spread or JSON copy does not have them): names of users and containers may be learned late.
 */
export class MutableProcess implements Process {
  readonly pid: number;
  readonly startTicks: number;
  /** Parent pid as last reported; see parentPid. */
  reportedParentPid = 0;
  parent: MutableProcess | null = null;
  comm: ByteString = '';
  executable: ByteString = '';
  inode = 0;
  argv: readonly ByteString[] = NOTHING;
  argvTruncated = false;
  workingDirectory: ByteString = '';
  uid = UNKNOWN_ID;
  gid = UNKNOWN_ID;
  effectiveUid = UNKNOWN_ID;
  executedNs = -Infinity;
  groups: readonly number[] = NOTHING;
  stdio: readonly [StdioType, StdioType, StdioType] = UNKNOWN_STDIO;
  details: ExecDetails | null = null;
  file: ExecutableFile | null = null;
  environment: Environment | null = null;
  cgroupId: number;
  cgroup: Cgroup;
  exitedNs: number | null = null;
  exitCode: number | null = null;
  /** Only its identity is known: neither its fork nor an exec nor /proc told what it runs. */
  isStub = true;
  /** When it left the living, in nanoseconds since boot. */
  retiredNs = 0;
  readonly #accounts: Accounts;

  constructor(pid: number, startTicks: number, cgroup: Cgroup, accounts: Accounts) {
    this.pid = pid;
    this.startTicks = startTicks;
    this.cgroupId = cgroup.id;
    this.cgroup = cgroup;
    this.#accounts = accounts;
  }

  /** 1 once the parent has exited: the kernel hands its children to init (or to a subreaper, which no event tells). */
  get parentPid(): number {
    const parent = this.parent;
    const isOrphan = parent !== null && parent.exitedNs !== null && parent.pid === this.reportedParentPid;
    return isOrphan ? 1 : this.reportedParentPid;
  }

  get userName(): string | null {
    return this.#accounts.user(this.uid)?.name ?? null;
  }

  get homeDirectory(): string | null {
    return this.#accounts.user(this.uid)?.home ?? null;
  }

  get loginShell(): string | null {
    return this.#accounts.user(this.uid)?.shell ?? null;
  }

  get groupName(): string | null {
    return this.#accounts.groupName(this.gid);
  }

  get loginName(): string | null {
    const loginUid = this.details?.loginUid ?? null;
    return loginUid === null ? null : (this.#accounts.user(loginUid)?.name ?? null);
  }

  get containerId(): string | null {
    return this.cgroup.containerId;
  }

  get container(): Container | null {
    return this.cgroup.container;
  }

  get podUid(): string | null {
    return this.cgroup.podUid;
  }

  get serviceUnit(): string | null {
    return this.cgroup.serviceUnit;
  }

  /** What fork gives to a child. Arrays are shared: they are replaced, never changed. */
  copyProgram(from: MutableProcess): void {
    this.comm = from.comm;
    this.executable = from.executable;
    this.inode = from.inode;
    this.argv = from.argv;
    this.argvTruncated = from.argvTruncated;
    this.workingDirectory = from.workingDirectory;
    this.uid = from.uid;
    this.gid = from.gid;
    this.effectiveUid = from.effectiveUid;
    this.executedNs = from.executedNs;
    this.groups = from.groups;
    this.stdio = from.stdio;
    this.details = from.details;
    this.file = from.file;
    this.environment = from.environment;
    this.isStub = from.isStub;
  }

  /** Forgets what an exec before the agent's time would have told. */
  forgetProgram(): void {
    this.inode = 0;
    this.effectiveUid = UNKNOWN_ID;
    this.groups = NOTHING;
    this.stdio = UNKNOWN_STDIO;
    this.details = null;
    this.file = null;
    this.environment = null;
    this.argvTruncated = false;
  }

  moveTo(cgroup: Cgroup): void {
    this.cgroupId = cgroup.id;
    this.cgroup = cgroup;
  }

  /** Bytes that the arguments hold. */
  get argvBytes(): number {
    let bytes = 0;
    for (const argument of this.argv) bytes += argument.length;
    return bytes;
  }

  /** Keeps the first bytes of the arguments only. */
  cutArguments(limitBytes: number): void {
    if (this.argvBytes + this.argv.length <= limitBytes) return;
    const kept: ByteString[] = [];
    let left = limitBytes;
    for (const argument of this.argv) {
      if (left <= 0) break;
      kept.push(argument.length <= left ? argument : copyOf(argument, left));
      left -= argument.length + 1;
    }
    this.argv = kept;
    this.argvTruncated = true;
  }
}

/** slice alone would keep the whole string alive. */
function copyOf(text: ByteString, length: number): ByteString {
  return byteString(bytesOf(text.slice(0, length)));
}
