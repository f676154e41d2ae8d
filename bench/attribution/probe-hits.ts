import { readFile } from 'node:fs/promises';
import { familyOf } from './family.ts';

/**
 * The files that the server and its children run or have mapped. A probe belongs to a file, and so do its hits: those of
 * the agent and of whoever sends the load, which are Node.js as well, are no part of what a request costs.
 */
export async function filesOf(pids: readonly number[]): Promise<ReadonlySet<string>> {
  const files = new Set<string>();
  for (const pid of await familyOf(pids)) {
    const maps = await readFile(`/proc/${pid}/maps`, 'utf8').catch(() => '');
    for (const line of maps.split('\n')) {
      const path = line.indexOf('/');
      if (path > 0) files.add(line.slice(path));
    }
  }
  return files;
}

/** Probe hits in these files, out of the agent's last words: "1,234 probe hits in OpenSSL (/usr/lib/libssl.so.3)". */
export function probeHitsIn(files: ReadonlySet<string>, stderr: string): number {
  let sum = 0;
  for (const [, hits = '', path = ''] of stderr.matchAll(/^([\d,]+) probe hits? in [^(\n]+ \((\/.*)\)$/gm))
    if (files.has(path)) sum += Number(hits.replaceAll(',', ''));
  return sum;
}
