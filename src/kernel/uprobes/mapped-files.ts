import { closeSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs';
import type { ByteSource } from './elf-file.ts';

/** A file of which a process has code in its memory. */
export interface MappedFile {
  /** The kernel's numbers of device and inode: the same file is the same in every container. */
  readonly key: string;
  /** As the process names it: to recognise it by, not to open it. */
  readonly path: string;
  /** Opens the very file that is mapped, even if it was replaced or deleted since, or stands in a container. */
  readonly handle: string;
  /** Where its code begins in the process's memory, and which offset of the file is there. */
  readonly address: number;
  readonly fileOffset: number;
}

/** Lines of a file of mappings that are looked at: a process may have as many as it likes. */
const MAX_LINES = 65_536;
const LINE = /^([0-9a-f]+)-([0-9a-f]+) ..x. ([0-9a-f]+) ([0-9a-f]+:[0-9a-f]+) (\d+) +(\/.*)$/;

/** The files with executable mappings, each once, out of the text of /proc/PID/maps. Pure. */
export function parseMappings(text: string, pid: number): MappedFile[] {
  const files = new Map<string, MappedFile>();
  let lines = 0;
  for (let start = 0; start < text.length && lines < MAX_LINES; lines++) {
    const newline = text.indexOf('\n', start);
    const end = newline < 0 ? text.length : newline;
    const match = LINE.exec(text.slice(start, end));
    start = end + 1;
    if (match === null) continue;
    const [, from = '', to = '', fileOffset = '', device = '', inode = '', path = ''] = match;
    const key = `${device}:${inode}`;
    if (inode === '0' || files.has(key)) continue;
    // map_files names the range without leading zeros, of which maps has some.
    const handle = `/proc/${pid}/map_files/${withoutZeros(from)}-${withoutZeros(to)}`;
    files.set(key, {
      key,
      path,
      handle,
      address: Number.parseInt(from, 16),
      fileOffset: Number.parseInt(fileOffset, 16),
    });
  }
  return [...files.values()];
}

function withoutZeros(hexadecimal: string): string {
  return hexadecimal.replace(/^0+(?=.)/, '');
}

/** The files with code in the memory of a process; none where it is gone, or a kernel thread. */
export function readMappings(pid: number): MappedFile[] {
  try {
    return parseMappings(readFileSync(`/proc/${pid}/maps`, 'latin1'), pid);
  } catch {
    return [];
  }
}

/** An open file of another process. Dispose it. */
export class OpenFile implements ByteSource, Disposable {
  readonly sizeBytes: number;
  /** What the kernel is told to open: the same file, whatever happens to its names meanwhile. */
  readonly path: string;
  readonly #fd: number;

  /** @throws Error of node:fs when it cannot be opened: the process may have gone */
  constructor(handle: string) {
    this.#fd = openSync(handle, 'r');
    this.path = `/proc/self/fd/${this.#fd}`;
    const stat = fstatSync(this.#fd);
    this.sizeBytes = stat.isFile() ? stat.size : 0;
  }

  read(offset: number, length: number): Uint8Array | null {
    if (offset < 0 || length < 0 || offset + length > this.sizeBytes) return null;
    const bytes = Buffer.allocUnsafe(length);
    try {
      for (let done = 0; done < length;) {
        const count = readSync(this.#fd, bytes, done, length - done, offset + done);
        if (count === 0) return null;
        done += count;
      }
    } catch {
      return null;
    }
    return bytes;
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }
}
