import { closeSync, constants, fstatSync, openSync, readSync, statSync, type Stats } from 'node:fs';
import { ThroughlineError } from '../../base/errors.ts';

/** Larger rule files are not read; the loader refuses those over 16 MiB of text. */
const MAX_BYTES = 16 << 20;

/** The text of a rule file. Throws TL4001 for what cannot be read, is no regular file, or is larger than 16 MiB. */
export function readRuleText(path: string): string {
  try {
    return readRegularFile(path, MAX_BYTES);
  } catch (error) {
    const isReason = error instanceof FileRefusal || !(error instanceof Error && 'code' in error);
    const reason = isReason ? (error as Error).message : String(error.code);
    throw new ThroughlineError('TL4001', `${path} (${reason})`, { cause: error });
  }
}

/** Why a file is not read. */
export class FileRefusal extends Error {
  override readonly name = 'FileRefusal';
}

/**
 * All of a regular file, as UTF-8. Throws a FileRefusal for anything else (a named pipe or a device would hold up the reader, or never
 * end) and for a file that is larger; other errors are those of the system.
 */
export function readRegularFile(path: string, maxBytes: number): string {
  // Some devices do something when they are opened.
  checkKind(statSync(path));
  // What has come there since is opened without waiting for whoever writes to it.
  const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  try {
    const stat = fstatSync(file);
    checkKind(stat);
    if (stat.size > maxBytes) throw tooLarge(maxBytes);
    return readAll(file, stat.size, maxBytes);
  } finally {
    closeSync(file);
  }
}

/** @param expected its size; while it is read it may grow */
function readAll(file: number, expected: number, maxBytes: number): string {
  const chunks: Buffer[] = [];
  let length = 0;
  for (;;) {
    const chunk = Buffer.allocUnsafe(Math.max(4096, expected + 1 - length));
    const count = readSync(file, chunk);
    if (count === 0) return Buffer.concat(chunks, length).toString('utf8');
    length += count;
    if (length > maxBytes) throw tooLarge(maxBytes);
    chunks.push(chunk.subarray(0, count));
  }
}

function tooLarge(maxBytes: number): FileRefusal {
  return new FileRefusal(`larger than ${maxBytes >> 20} MiB`);
}

function checkKind(stat: Stats): void {
  if (!stat.isFile()) throw new FileRefusal(`${kindOf(stat)}, not a regular file`);
}

function kindOf(stat: Stats): string {
  if (stat.isDirectory()) return 'a folder';
  if (stat.isFIFO()) return 'a named pipe';
  if (stat.isSocket()) return 'a socket';
  return 'a device';
}
