import { mkdtempSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { unifiedMounts } from '../../src/capture/facts/cgroup-mounts.ts';

/** What has just ended may still be in it for a moment. */
const REMOVAL_ATTEMPTS = 20;
const REMOVAL_PAUSE_MS = 50;

/**
 * A cgroup for the servers of one measurement, as a service or a container has its own: its share of the ring is not used up by
 * whatever else runs beside the benchmark. Where cgroups are not to be had, they stay where they are.
 */
export class OwnCgroup implements AsyncDisposable {
  readonly #path: string | null;

  constructor(name: string) {
    this.#path = OwnCgroup.#make(name);
  }

  static #make(name: string): string | null {
    const mount = unifiedMounts('/proc')[0];
    if (mount === undefined) return null;
    try {
      return mkdtempSync(join(mount, `throughline-${name}-`));
    } catch {
      return null;
    }
  }

  /** The process, and all that it starts from now on. */
  add(pid: number): void {
    if (this.#path === null || pid === 0) return;
    try {
      writeFileSync(join(this.#path, 'cgroup.procs'), String(pid));
    } catch {
      // It has ended: whoever started it finds out.
    }
  }

  /** Once its processes have ended; what a server has left running keeps it. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#path === null) return;
    for (let attempt = 1; attempt <= REMOVAL_ATTEMPTS; attempt++)
      try {
        rmdirSync(this.#path);
        return;
      } catch {
        await sleep(REMOVAL_PAUSE_MS);
      }
  }
}
