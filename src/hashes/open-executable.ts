import { constants } from 'node:fs';
import { open, readFile, readlink, type FileHandle } from 'node:fs/promises';
import { byteString, bytesOf, type ByteString } from '../base/bytes.ts';
import type { HashProblem, HashQuestion } from '../model/executable.ts';
import { isRemote, isRemoteMount, isSameFile } from './same-file.ts';

/** Ancestors that are tried where the process has ended. */
const MAX_RELATIVES = 8;
/** asm-generic/fcntl.h: opens no file, only its name, so that nothing happens to what may be a device. */
const O_PATH = 0o10000000;
const DELETED = ' (deleted)';

/**
 * Opens the very file that was executed: that of the process where it still runs it, else the one that has its name, where
 * it is still the same. Paths are those of the process's mount namespace, so they are looked up through an ancestor that has it.
 */
export async function openExecutable(question: HashQuestion): Promise<FileHandle | HashProblem> {
  if (question.executed !== null && isRemote(question.executed.fileSystem)) return 'remote';
  let problem: HashProblem = 'gone';
  for await (const place of placesOf(question)) {
    const found = await openRegular(place, question);
    if (typeof found !== 'string') return found;
    if (found !== 'gone' && !place.isElsewhere) problem = found;
    if (found === 'remote') break;
  }
  return problem;
}

interface Place {
  readonly path: string | Buffer;
  /** It is what the process runs now. */
  readonly isRunning: boolean;
  /** It is looked for in another mount namespace: another file of that name has nothing to do with it. */
  readonly isElsewhere: boolean;
}

/** Where the file may be, best first. */
async function* placesOf(question: HashQuestion): AsyncGenerator<Place> {
  const { pid, startTicks, executed, path, mountNamespace } = question;
  if ((await startOf(pid)) === startTicks) {
    if (executed !== null || (await runs(question)))
      yield { path: `/proc/${pid}/exe`, isRunning: true, isElsewhere: false };
  }
  if (executed === null || !path.startsWith('/')) return;
  for (const relative of question.relatives.slice(0, MAX_RELATIVES))
    if (await isIn(relative, mountNamespace)) {
      yield { path: pathIn(relative, path), isRunning: false, isElsewhere: false };
      return;
    }
  // With nobody left in that namespace: the file may have the same place here, and its identity tells.
  yield { path: pathIn('self', path), isRunning: false, isElsewhere: !(await isIn('self', mountNamespace)) };
}

function pathIn(process: number | string, path: ByteString): Buffer {
  return Buffer.concat([Buffer.from(`/proc/${process}/root`), bytesOf(path)]);
}

/** Of a file whose identity is not known: whether the process has not executed another one since. */
async function runs({ pid, path }: HashQuestion): Promise<boolean> {
  const target = await readlink(`/proc/${pid}/exe`, { encoding: 'buffer' }).then(byteString, () => null);
  return target === path || target === path + DELETED;
}

async function isIn(process: number | string, mountNamespace: number): Promise<boolean> {
  const link = await readlink(`/proc/${process}/ns/mnt`).catch(() => '');
  return link === `mnt:[${mountNamespace}]`;
}

/** Field 22 of /proc/PID/stat, behind the name, which may hold anything. */
async function startOf(pid: number): Promise<number | null> {
  const stat = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => null);
  return stat === null ? null : Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]);
}

async function openRegular(
  { path, isRunning }: Place,
  question: HashQuestion,
): Promise<FileHandle | HashProblem> {
  const { executed, pid } = question;
  let place: FileHandle | null = null;
  try {
    place = await open(path, O_PATH);
    if (executed === null && (await isOnRemoteMount(place, pid))) return 'remote';
    const stat = await place.stat({ bigint: true });
    if (!stat.isFile() || (executed !== null && !isSameFile(stat, executed, isRunning))) return 'changed';
    // The same file again, whatever has its name by now.
    return await open(`/proc/self/fd/${place.fd}`, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    return isMissing(error) ? 'gone' : 'unreadable';
  } finally {
    await place?.close();
  }
}

async function isOnRemoteMount({ fd }: FileHandle, pid: number): Promise<boolean> {
  const info = await readFile(`/proc/self/fdinfo/${fd}`, 'latin1');
  const [, mountId = ''] = /^mnt_id:\s*(\d+)$/m.exec(info) ?? [];
  return isRemoteMount(await readFile(`/proc/${pid}/mountinfo`, 'latin1'), mountId);
}

function isMissing(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : null;
  return code === 'ENOENT' || code === 'ESRCH' || code === 'ENOTDIR';
}
