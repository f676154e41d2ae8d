import type { ByteString } from '../../base/bytes.ts';
import { CGROUP_CONTROLLERS, UNIFIED, type CgroupHierarchy } from '../../model/cgroup-hierarchy.ts';
import { inodeOf, readProcFile } from './proc-files.ts';

/**
 * Where a hierarchy is mounted: the unified one at /sys/fs/cgroup, or /sys/fs/cgroup/unified on a hybrid host, one of
 * version 1 at /sys/fs/cgroup/CONTROLLER, or nowhere. One hierarchy may be mounted in several places: each is named once.
 */
export function hierarchyMounts(procRoot: string, { controller }: CgroupHierarchy): string[] {
  const mounts: string[] = [];
  const seen = new Set<number>();
  for (const line of (readProcFile(`${procRoot}/mounts`, 4 * 1024 * 1024) ?? '').split('\n')) {
    const [, target, type, options] = line.split(' ');
    if (target === undefined || type !== (controller === null ? 'cgroup2' : 'cgroup')) continue;
    if (controller !== null && !options?.split(',').includes(controller)) continue;
    const path = unescapeMount(target);
    const inode = inodeOf(Buffer.from(path, 'latin1'));
    if (inode === null || seen.has(inode)) continue;
    seen.add(inode);
    mounts.push(path);
  }
  return mounts;
}

export function unifiedMounts(procRoot: string): string[] {
  return hierarchyMounts(procRoot, UNIFIED);
}

/** Path in a hierarchy out of the lines of /proc/PID/cgroup, or null. */
export function pathInHierarchy(cgroupFile: ByteString, { controller }: CgroupHierarchy): ByteString | null {
  if (controller === null) return /^0::(\/.*)$/m.exec(cgroupFile)?.[1] ?? null;
  for (const line of cgroupFile.split('\n')) {
    const [, controllers, path] = /^[0-9]+:([^:]*):(\/.*)$/.exec(line) ?? [];
    if (path !== undefined && controllers?.split(',').includes(controller)) return path;
  }
  return null;
}

/**
 * Hierarchies of version 1 that can tell whose events are and are mounted, the best first. Another process may mount or unmount
 * some later, which nobody does while containers run.
 */
export function mountedV1(procRoot: string): CgroupHierarchy[] {
  const numbers = new Map<string, number>();
  for (const line of (readProcFile(`${procRoot}/cgroups`) ?? '').split('\n')) {
    const [name, number] = line.split('\t');
    if (name !== undefined && Number(number) > 0) numbers.set(name, Number(number));
  }
  return CGROUP_CONTROLLERS.map((controller) => ({
    controller,
    number: numbers.get(controller) ?? 0,
    reason: '',
  })).filter((one) => one.number > 0 && hierarchyMounts(procRoot, one).length > 0);
}

/** Inode of a cgroup's directory, which is the id that the kernel gives in events; null where no mount has it. */
export function inodeInMounts(mounts: readonly string[], path: ByteString): number | null {
  // Outside the reader's cgroup namespace: `/../x` would leave the mount.
  if (!path.startsWith('/') || path.split('/').includes('..')) return null;
  for (const mount of mounts) {
    const inode = inodeOf(Buffer.from(mount + path, 'latin1'));
    if (inode !== null) return inode;
  }
  return null;
}

/** Blanks, tabs, newlines and backslashes are written as octal escapes in /proc/mounts. */
function unescapeMount(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8)));
}
