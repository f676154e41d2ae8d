import type { BigIntStats } from 'node:fs';
import type { ExecutedFile } from '../model/executable.ts';

/** Magic numbers (include/uapi/linux/magic.h) of file systems that answer stat(2) with another device than their own. */
const OTHER_DEVICE = new Set([0x794c7630 /* overlay */, 0x9123683e /* btrfs */]);
/** Of those that somebody else serves: he may never answer. */
const REMOTE = new Set([
  0x65735546 /* fuse */, 0x6969 /* nfs */, 0xff534d42 /* cifs */, 0xfe534d42 /* smb2 */, 0x517b /* smb */,
  0x00c36400 /* ceph */, 0x5346414f /* afs */, 0x6b414653 /* kafs */,
]);
/** The names that they have in /proc/PID/mountinfo. */
const REMOTE_NAME = /^(?:fuse|nfs|cifs|smb|ceph|afs)/;
/** Times of an exec are told to the microsecond, as are those that a double can hold. */
const TIME_ERROR_MS = 0.002;

export function isRemote(fileSystem: number): boolean {
  return REMOTE.has(fileSystem);
}

/**
 * Whether a mount is of such a file system.
 * @param mountinfo text of /proc/PID/mountinfo; a mount that is not in it is the kernel's own
 */
export function isRemoteMount(mountinfo: string, mountId: string): boolean {
  for (const line of mountinfo.split('\n')) {
    if (!line.startsWith(`${mountId} `)) continue;
    const [, behind = ''] = line.split(' - ');
    return REMOTE_NAME.test(behind);
  }
  return false;
}

/**
 * Whether it is the file that was executed, with the content of then.
 * @param isRunning somebody runs it still, so that nobody writes to it: then it may have been renamed, or deleted, which
 * changes its change time
 */
export function isSameFile(stat: BigIntStats, file: ExecutedFile, isRunning: boolean): boolean {
  if (Number(stat.ino) !== file.inode || !isNear(stat.mtimeNs, file.modificationTimeMs)) return false;
  if (!OTHER_DEVICE.has(file.fileSystem) && kernelDevice(stat.dev) !== file.device) return false;
  return isRunning || isNear(stat.ctimeNs, file.changeTimeMs);
}

function isNear(timeNs: bigint, timeMs: number): boolean {
  return Math.abs(Number(timeNs / 1000n) / 1000 - timeMs) < TIME_ERROR_MS;
}

/** The kernel's number of a device: 12 bits for the major number, 20 for the minor one; stat(2) has its own order. */
function kernelDevice(device: bigint): number {
  const major = Number((device >> 8n) & 0xfffn);
  const minor = Number((device & 0xffn) | ((device >> 12n) & 0xfff00n));
  return major * 0x100000 + minor;
}
