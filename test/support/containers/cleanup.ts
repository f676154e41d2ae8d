import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** What container runtimes leave behind when they end: cgroups, mounts, and programs that watch their containers. */

/** Cgroups at the root that the runtimes of the tests make. */
const CGROUPS = ['docker', 'default', 'libpod_parent', 'kubepods', 'moby'];

function hierarchies(): string[] {
  const mounts = readFileSync('/proc/mounts', 'utf8').split('\n');
  return mounts
    .map((line) => line.split(' '))
    .flatMap(([, path = '', type]) => (type?.startsWith('cgroup') ? [path] : []));
}

/** Where the shims of containerd keep the state of runc, whatever the directories of containerd are. */
const SHIM_STATE = '/run/containerd';

/** Removes the cgroups and the state that were not there before, once their programs have ended. */
export class HostGuard implements Disposable {
  readonly #paths: readonly string[];
  readonly #hadState = existsSync(SHIM_STATE);

  constructor() {
    this.#paths = hierarchies()
      .flatMap((mount) => CGROUPS.map((name) => join(mount, name)))
      .filter((path) => !existsSync(path));
  }

  [Symbol.dispose](): void {
    for (const path of this.#paths) removeTree(path);
    if (!this.#hadState) rmSync(SHIM_STATE, { recursive: true, force: true });
  }
}

function removeTree(path: string): void {
  if (!existsSync(path)) return;
  for (const entry of readdirSync(path, { withFileTypes: true }))
    if (entry.isDirectory()) removeTree(join(path, entry.name));
  rmdirSync(path);
}

/** Unmounts whatever was mounted below the directory. */
export function unmountBelow(directory: string): void {
  const mounts = readFileSync('/proc/mounts', 'utf8').split('\n');
  for (const line of mounts.reverse()) {
    const path = line.split(' ')[1] ?? '';
    if (path.startsWith(`${directory}/`)) execFileSync('umount', ['-l', path]);
  }
}

/** Programs that were given a path below the directory as an argument, such as the shims of containers. */
export function programsOf(directory: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        return pid !== process.pid && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(`${directory}/`);
      } catch {
        return false;
      }
    });
}
