import { randomUUID } from 'node:crypto';
import { arch, hostname, release } from 'node:os';
import type { Fact } from '../../model/event.ts';
import { readProcFile } from './proc-files.ts';

type HostFact = Extract<Fact, { kind: 'host' }>;
type UserFact = Extract<Fact, { kind: 'user' }>;

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

const MAX_PASSWD_BYTES = 16 * 1024 * 1024;

/** Users of the passwd file. Of several names with one uid the first counts, as for the C library. */
export function readUsers(path = '/etc/passwd'): UserFact[] {
  const users = new Map<number, UserFact>();
  for (const line of (readProcFile(path, MAX_PASSWD_BYTES) ?? '').split('\n')) {
    // Lines of other shapes are comments or NIS entries (+name::::::).
    const match = /^([^:#+-][^:]*):[^:]*:([0-9]{1,10}):/.exec(line);
    if (match === null) continue;
    const uid = Number(match[2]);
    if (!users.has(uid)) users.set(uid, { kind: 'user', uid, name: match[1] ?? '' });
  }
  return [...users.values()];
}
