import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

/** Between runs, for what the last one left behind: closing connections, exits, maps that are freed. */
const SETTLE_MS = 300;

/** More than this of other work shows in the figures. */
export const BUSY_CORES = 0.2;

/** Waits a moment; returns how many cores were busy meanwhile, with what is no part of the bench. */
export async function settle(signal: AbortSignal): Promise<number> {
  const before = parseProcStat(await readFile('/proc/stat', 'utf8'));
  const start = performance.now();
  await sleep(SETTLE_MS, undefined, { signal });
  const seconds = (performance.now() - start) / 1000;
  const after = parseProcStat(await readFile('/proc/stat', 'utf8'));
  return (after - before) / seconds;
}

/** Seconds that all cores together were busy since boot, or not there because the hypervisor had other guests. */
export function parseProcStat(text: string): number {
  const ticks = /^cpu\s+(.*)$/m.exec(text)?.[1]?.trim().split(/\s+/).map(Number) ?? [];
  const [user = 0, nice = 0, system = 0, , , interrupt = 0, softInterrupt = 0, steal = 0] = ticks;
  return (user + nice + system + interrupt + softInterrupt + steal) / 100;
}
