import { randomUUID } from 'node:crypto';
import { arch, hostname, release } from 'node:os';
import { textFromByteString } from '../../base/bytes.ts';
import type { Fact } from '../../model/event.ts';
import { readProcFile } from './proc-files.ts';

type HostFact = Extract<Fact, { kind: 'host' }>;
type UserFact = Extract<Fact, { kind: 'user' }>;
type GroupFact = Extract<Fact, { kind: 'group' }>;

/** The host, and a new id for this run of the agent. */
export function readHost(): HostFact {
  return {
    kind: 'host',
    hostname: hostname(),
    kernel: release(),
    architecture: arch(),
    sessionId: randomUUID(),
  };
}

/** The agent itself: what is done to it is told. */
export function readAgent(): Extract<Fact, { kind: 'agent' }> {
  return { kind: 'agent', pid: process.pid, parentPid: process.ppid };
}

const MAX_DATABASE_BYTES = 16 * 1024 * 1024;

/** Name, password and id, with which lines of both files begin. */
const ENTRY = /^([^:#+-][^:]*):[^:]*:([0-9]{1,10}):/;

function linesOf(path: string): readonly string[] {
  return textFromByteString(readProcFile(path, MAX_DATABASE_BYTES) ?? '').split('\n');
}

/** Users of the passwd file. Of several names with one uid the first counts, as for the C library. */
export function readUsers(path = '/etc/passwd'): UserFact[] {
  const users = new Map<number, UserFact>();
  for (const line of linesOf(path)) {
    // Lines of other shapes are comments or NIS entries (+name::::::).
    const entry = ENTRY.exec(line);
    if (entry === null) continue;
    const [, name = '', id] = entry;
    const uid = Number(id);
    // passwd(5): name, password, uid, gid, comment, home directory, shell.
    const [, , , , , home = '', shell = ''] = line.split(':', 7);
    if (!users.has(uid)) users.set(uid, { kind: 'user', uid, name, home, shell });
  }
  return [...users.values()];
}

/** Groups of the group file, likewise. */
export function readGroups(path = '/etc/group'): GroupFact[] {
  const groups = new Map<number, GroupFact>();
  for (const line of linesOf(path)) {
    const entry = ENTRY.exec(line);
    if (entry === null) continue;
    const [, name = '', id] = entry;
    const gid = Number(id);
    if (!groups.has(gid)) groups.set(gid, { kind: 'group', gid, name });
  }
  return [...groups.values()];
}
