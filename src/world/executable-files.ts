import { dropOldest } from '../base/oldest.ts';
import type { ExecEvent } from '../model/event.ts';
import type { ExecutableFile, ExecutableHash } from '../model/executable.ts';
import type { Process } from '../model/process.ts';

/** Files that are remembered by what they are. Processes keep theirs, whatever is forgotten here. */
const MAX_FILES = 4096;
/**
 * Change times are those of the kernel's clock tick, 10 ms at most: a file that was executed right after it was written
 * may be written once more, and look the same.
 */
const TICK_MS = 20;

type MutableFile = { -readonly [Key in keyof ExecutableFile]: ExecutableFile[Key] };

/** Executable files by device, inode and change times. A late hash is that of all who run the file. */
export class ExecutableFiles {
  readonly #files = new Map<string, MutableFile>();
  /** Milliseconds of the wall clock at boot; null before it is known. */
  #bootMs: number | null = null;

  setClock(bootNs: number, wallMs: number): void {
    this.#bootMs = wallMs - bootNs / 1e6;
  }

  /** The file that an exec runs; null where a recording does not tell enough to know it again. */
  executedBy(event: ExecEvent): ExecutableFile | null {
    const { details, device, inode, timeNs, pid } = event;
    if (details === null || details === undefined) return null;
    const { changeTimeMs, modificationTimeMs, fileSystem, namespaces } = details;
    const isFresh = this.#bootMs === null || timeNs / 1e6 + this.#bootMs - changeTimeMs < TICK_MS;
    const identity = `${device}:${inode}:${changeTimeMs}:${modificationTimeMs}`;
    const file = this.#get(isFresh ? `${identity}:${pid}@${timeNs}` : identity);
    file.executed ??= { device, inode, changeTimeMs, modificationTimeMs, fileSystem };
    file.path = event.executable;
    file.mountNamespace = namespaces.mount;
    return file;
  }

  /** The file of a process that was there before the agent. */
  ofProcess({ pid, startTicks, executable }: Process): ExecutableFile {
    const file = this.#get(`process ${pid}:${startTicks}`);
    file.path = executable;
    return file;
  }

  learn(key: string, hash: ExecutableHash): void {
    this.#get(key).hash = hash;
  }

  #get(key: string): MutableFile {
    const known = this.#files.get(key);
    if (known !== undefined) return known;
    if (this.#files.size >= MAX_FILES) dropOldest(this.#files);
    const file = { key, executed: null, path: '', mountNamespace: 0, hash: null };
    this.#files.set(key, file);
    return file;
  }
}
