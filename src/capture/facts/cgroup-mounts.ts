import type { ByteString } from '../../base/bytes.ts';
import { inodeOf, readProcFile } from './proc-files.ts';

/**
 * Where the unified (v2) hierarchy is mounted: /sys/fs/cgroup, or /sys/fs/cgroup/unified on a hybrid host, or nowhere.
 * One hierarchy may be mounted in several places: each is named once.
 */
export function unifiedMounts(procRoot: string): string[] {
  const mounts: string[] = [];
  const seen = new Set<number>();
  for (const line of (readProcFile(`${procRoot}/mounts`, 4 * 1024 * 1024) ?? '').split('\n')) {
    const [, target, type] = line.split(' ');
    if (type !== 'cgroup2' || target === undefined) continue;
    const path = unescapeMount(target);
    const inode = inodeOf(Buffer.from(path, 'latin1'));
    if (inode === null || seen.has(inode)) continue;
    seen.add(inode);
    mounts.push(path);
  }
  return mounts;
}

/** Path of the unified hierarchy out of the lines of /proc/PID/cgroup, or null. */
export function unifiedPathOf(cgroupFile: ByteString): ByteString | null {
  return /^0::(\/.*)$/m.exec(cgroupFile)?.[1] ?? null;
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
