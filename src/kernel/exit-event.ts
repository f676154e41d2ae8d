import { readFileSync } from 'node:fs';
import type { Native } from './libbpf.ts';

const NUMBER = 'events/raw_syscalls/sys_exit/id';
const ONLINE = '/sys/devices/system/cpu/online';

/**
 * The perf event at the end of every system call. The kernel tells its number in tracefs alone, which is mounted for ourselves.
 * @returns its descriptor, or why there is none
 */
export function openExitEvent(native: Native): number | string {
  const tracefs = native.openTracefs();
  if (tracefs < 0) return `mounting tracefs failed with errno ${-tracefs}`;
  try {
    const id = Number(readFileSync(`/proc/self/fd/${tracefs}/${NUMBER}`, 'latin1'));
    const processor = Number.parseInt(readFileSync(ONLINE, 'latin1'), 10);
    const event = native.openTracepointEvent(id, processor);
    return event < 0 ? `opening the perf event failed with errno ${-event}` : event;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    native.close(tracefs);
  }
}
