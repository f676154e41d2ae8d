import { closeSync, openSync, readlinkSync, readSync, statSync } from 'node:fs';
import { byteString, type ByteString } from '../../base/bytes.ts';

/**
 * Files of /proc: their size is not known before they are read, and what they describe may vanish at any time. Every
 * failure to read means "not there": null.
 */
export function readProcFile(path: string, limitBytes = 64 * 1024): ByteString | null {
  let descriptor: number;
  try {
    descriptor = openSync(path, 'r');
  } catch {
    return null;
  }
  try {
    let text = '';
    while (text.length < limitBytes) {
      const count = readSync(descriptor, buffer, 0, Math.min(buffer.length, limitBytes - text.length), null);
      if (count === 0) break;
      text += byteString(buffer, 0, count);
    }
    return text;
  } catch {
    // ESRCH: the process ended between open and read.
    return null;
  } finally {
    closeSync(descriptor);
  }
}

/** One for all: reading is synchronous, and what is returned is a copy. */
const buffer = Buffer.allocUnsafe(16 * 1024);

const DELETED = ' (deleted)';

/**
 * Target of a link such as /proc/PID/exe, without the mark that the kernel adds when the file has been deleted since.
 * '' where it cannot be read (a kernel thread has none).
 */
export function readProcLink(path: string): ByteString {
  try {
    const target = byteString(readlinkSync(path, { encoding: 'buffer' }));
    if (!target.endsWith(DELETED)) return target;
    // A file may really be called that: a deleted one has no link left.
    return statSync(path).nlink === 0 ? target.slice(0, -DELETED.length) : target;
  } catch {
    return '';
  }
}

/** Inode number of what a path names, or null. */
export function inodeOf(path: string | Buffer): number | null {
  try {
    return statSync(path).ino;
  } catch {
    return null;
  }
}
