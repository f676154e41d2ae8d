/** A file, or a folder (content null), of an archive; parents come before what is in them. */
export interface ArchiveEntry {
  /** From the root, without a slash in front. */
  readonly path: string;
  readonly content: Uint8Array | null;
  /** Permission bits; default: 0755. */
  readonly mode?: number;
}

const MAGIC = '070701';
const FILE = 0o100000;
const FOLDER = 0o040000;
const TRAILER = 'TRAILER!!!';

/** An archive in the "new ASCII" format of cpio, which the kernel unpacks as its first root (initramfs). */
export function cpioArchive(entries: readonly ArchiveEntry[]): Buffer {
  const parts: Uint8Array[] = [];
  entries.forEach(({ path, content, mode = 0o755 }, index) => {
    parts.push(header(path, index + 1, (content === null ? FOLDER : FILE) | mode, content?.length ?? 0));
    if (content !== null) parts.push(content, padding(content.length));
  });
  parts.push(header(TRAILER, 0, 0, 0));
  return Buffer.concat(parts);
}

/** Thirteen numbers of eight hexadecimal digits and the name, padded to four bytes. */
function header(path: string, inode: number, mode: number, sizeBytes: number): Buffer {
  const name = Buffer.from(`${path}\0`);
  const links = 1;
  // inode, mode, uid, gid, links, time, size, device (2), special device (2), length of the name, checksum
  const numbers = [inode, mode, 0, 0, links, 0, sizeBytes, 0, 0, 0, 0, name.length, 0];
  const digits = numbers.map((number) => number.toString(16).padStart(8, '0')).join('');
  const head = Buffer.concat([Buffer.from(MAGIC + digits), name]);
  return Buffer.concat([head, padding(head.length)]);
}

function padding(length: number): Buffer {
  return Buffer.alloc((4 - (length % 4)) % 4);
}
