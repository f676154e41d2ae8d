import type { ByteString } from '../base/bytes.ts';

/**
 * Why the hash of an executable file is not known.
 * - gone: the process had ended, and no file of that name is left
 * - changed: what has the name now is another file, or it was written to while it was read
 * - too-large: it is over the limit
 * - remote: it is on a file system that somebody else serves, who could hold up the reader
 * - unreadable: the system refused it
 * - busy: too many files waited
 */
export const HASH_PROBLEMS = ['gone', 'changed', 'too-large', 'remote', 'unreadable', 'busy'] as const;
export type HashProblem = (typeof HASH_PROBLEMS)[number];

/** What came of hashing a file: SHA-256 of all of its bytes in 64 hexadecimal digits, or why there is none. */
export type ExecutableHash =
  | { readonly sha256: string; readonly problem: null }
  | { readonly sha256: null; readonly problem: HashProblem };

/** What a file was when it was executed: tells it from others that have its name later. */
export interface ExecutedFile {
  readonly device: number;
  readonly inode: number;
  /** Milliseconds since the Unix epoch, to the microsecond. */
  readonly changeTimeMs: number;
  readonly modificationTimeMs: number;
  /** Magic number of its file system. */
  readonly fileSystem: number;
}

/** An executable file with the content that was run: shared by all processes that run it, so that a late answer is theirs. */
export interface ExecutableFile {
  /** Names it in questions and answers. */
  readonly key: string;
  /** null: it was executed before the agent came. */
  readonly executed: ExecutedFile | null;
  /** As the process that ran it last has it. */
  readonly path: ByteString;
  /** In which the path is one; 0 where it is not known. */
  readonly mountNamespace: number;
  /** null: nobody has asked, or there is no answer yet. */
  readonly hash: ExecutableHash | null;
}

/** Asks for the hash of an executable file. */
export interface HashQuestion extends Omit<ExecutableFile, 'hash'> {
  /** Who ran it, and may still do so. */
  readonly pid: number;
  readonly startTicks: number;
  /** Ancestors, nearest first: they may live longer, and see the same files. */
  readonly relatives: readonly number[];
}
