import { readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { readProcFile } from './proc-files.ts';

/** State 0A in /proc/net/tcp: TCP_LISTEN. */
const LISTEN = '0A';
const FILE_LIMIT_BYTES = 4 * 1024 * 1024;

/** TCP ports that somebody listens on, in every network namespace that a process lives in. */
export function readListeningPorts(procRoot = '/proc'): Set<number> {
  const ports = new Set<number>();
  const seen = new Set<string>();
  for (const pid of processIds(procRoot)) {
    const namespace = networkNamespace(join(procRoot, pid));
    if (namespace === null || seen.has(namespace)) continue;
    seen.add(namespace);
    for (const file of ['tcp', 'tcp6'])
      for (const port of parseListening(
        readProcFile(join(procRoot, pid, 'net', file), FILE_LIMIT_BYTES) ?? '',
      ))
        ports.add(port);
  }
  return ports;
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

/** Lines are "sl local_address rem_address st ...", the address as HEX:PORT (Documentation/networking/proc_net_tcp.rst). */
export function parseListening(table: string): number[] {
  const ports: number[] = [];
  for (const line of table.split('\n').slice(1)) {
    const [, local, , state] = line.trim().split(/\s+/u);
    if (state === LISTEN && local !== undefined)
      ports.push(Number.parseInt(local.slice(local.lastIndexOf(':') + 1), 16));
  }
  return ports.filter((port) => port > 0);
}
