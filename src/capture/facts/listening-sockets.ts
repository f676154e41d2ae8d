import { readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { readProcFile, readProcLink } from './proc-files.ts';

/** State 0A in /proc/net/tcp: TCP_LISTEN. */
const LISTEN = '0A';
const FILE_LIMIT_BYTES = 4 * 1024 * 1024;

/** Descriptors of a process that are looked at: servers listen early. */
const MAX_DESCRIPTORS = 256;

/** A TCP socket that waits for connections. */
export interface ListeningSocket {
  readonly port: number;
  /** What a descriptor of it is called: socket:[INODE]. */
  readonly inode: string;
}

/** TCP sockets that somebody listens on, in every network namespace that a process lives in. */
export function readListeningSockets(procRoot = '/proc'): ListeningSocket[] {
  const sockets: ListeningSocket[] = [];
  const seen = new Set<string>();
  for (const pid of processIds(procRoot)) {
    const namespace = networkNamespace(join(procRoot, pid));
    if (namespace === null || seen.has(namespace)) continue;
    seen.add(namespace);
    for (const file of ['tcp', 'tcp6'])
      sockets.push(...parseListening(readProcFile(join(procRoot, pid, 'net', file), FILE_LIMIT_BYTES) ?? ''));
  }
  return sockets;
}

/** Processes that hold these sockets: all, or one at least of each socket. */
export function listeningProcesses(sockets: readonly ListeningSocket[], procRoot = '/proc'): number[] {
  const missing = new Set(sockets.map(({ inode }) => `socket:[${inode}]`));
  const pids: number[] = [];
  for (const pid of processIds(procRoot)) {
    if (missing.size === 0) break;
    const held = descriptorsOf(join(procRoot, pid, 'fd')).filter((name) => missing.has(name));
    if (held.length > 0) pids.push(Number(pid));
    for (const name of held) missing.delete(name);
  }
  return pids;
}

function descriptorsOf(folder: string): string[] {
  try {
    const names = readdirSync(folder).slice(0, MAX_DESCRIPTORS);
    return names.map((name) => readProcLink(join(folder, name)));
  } catch {
    return []; // gone
  }
}

function processIds(procRoot: string): string[] {
  try {
    return readdirSync(procRoot).filter((name) => /^\d+$/u.test(name));
  } catch {
    return [];
  }
}

function networkNamespace(processFolder: string): string | null {
  try {
    return readlinkSync(join(processFolder, 'ns/net'));
  } catch {
    return null; // gone, or a zombie
  }
}

/**
 * Lines are "sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode ...", the address as HEX:PORT
 * (Documentation/networking/proc_net_tcp.rst).
 */
export function parseListening(table: string): ListeningSocket[] {
  const sockets: ListeningSocket[] = [];
  for (const line of table.split('\n').slice(1)) {
    const [, local, , state, , , , , , inode] = line.trim().split(/\s+/u);
    if (state !== LISTEN || local === undefined || inode === undefined) continue;
    const port = Number.parseInt(local.slice(local.lastIndexOf(':') + 1), 16);
    if (port > 0) sockets.push({ port, inode });
  }
  return sockets;
}
