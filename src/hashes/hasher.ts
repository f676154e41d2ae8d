import { createHash } from 'node:crypto';
import type { BigIntStats } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { dropOldest } from '../base/oldest.ts';
import type { ExecutableHash, HashProblem, HashQuestion } from '../model/executable.ts';
import { openExecutable } from './open-executable.ts';

/** Questions that wait. What starts programs faster than they are hashed loses hashes, never events. */
const MAX_WAITING = 512;
const MAX_KNOWN = 4096;
/** Of a large static program (a browser, a runtime) a good half. */
const LIMIT_BYTES = 256 * 1024 * 1024;
const PIECE_BYTES = 1024 * 1024;
/** Of each three milliseconds one is worked: hashing takes a third of a processor at most, whoever starts what. */
const WORK_MS = 2;
const REST_PER_WORK = 2;
/** A file takes no longer than that: what is slower would hold up the others. */
const MAX_FILE_MS = 15_000;
/** Of a file that was changed so shortly before, a further change may not show (src/world/executable-files.ts). */
const TICK_MS = 20;

export interface HashCounters {
  asked: number;
  hashed: number;
  /** Answered without reading the file again. */
  known: number;
  /** Not answered, by the problem. */
  gone: number;
  changed: number;
  tooLarge: number;
  remote: number;
  unreadable: number;
  skipped: number;
}

const COUNTER_OF: Readonly<Record<HashProblem, keyof HashCounters>> = {
  gone: 'gone',
  changed: 'changed',
  'too-large': 'tooLarge',
  remote: 'remote',
  unreadable: 'unreadable',
  busy: 'skipped',
};

/**
 * Hashes executable files, one after the other, in pieces with rests between. Each question has one answer; nothing throws,
 * and everything has an end.
 */
export class ExecutableHasher implements Disposable {
  readonly counters: HashCounters = {
    asked: 0,
    hashed: 0,
    known: 0,
    gone: 0,
    changed: 0,
    tooLarge: 0,
    remote: 0,
    unreadable: 0,
    skipped: 0,
  };
  readonly #onAnswer: (key: string, hash: ExecutableHash) => void;
  readonly #limitBytes: number;
  readonly #waiting: HashQuestion[] = [];
  /** By all that stat(2) tells of a file that changes with it. */
  readonly #known = new Map<string, string>();
  #piece: Buffer | null = null;
  #isWorking = false;
  #isOver = false;

  constructor(onAnswer: (key: string, hash: ExecutableHash) => void, limitBytes = LIMIT_BYTES) {
    this.#onAnswer = onAnswer;
    this.#limitBytes = limitBytes;
  }

  /** The answer comes to onAnswer. */
  ask(question: HashQuestion): void {
    if (this.#isOver) return;
    this.counters.asked++;
    if (this.#waiting.length >= MAX_WAITING) {
      this.#answer(question, { sha256: null, problem: 'busy' });
      return;
    }
    this.#waiting.push(question);
    if (!this.#isWorking) void this.#work();
  }

  [Symbol.dispose](): void {
    this.#isOver = true;
    this.#waiting.length = 0;
  }

  async #work(): Promise<void> {
    this.#isWorking = true;
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      const hash = await this.#hash(next).catch(() => ({ sha256: null, problem: 'unreadable' }) as const);
      if (!this.#isOver) this.#answer(next, hash);
    }
    this.#isWorking = false;
  }

  #answer({ key }: HashQuestion, hash: ExecutableHash): void {
    if (hash.problem !== null) this.counters[COUNTER_OF[hash.problem]]++;
    this.#onAnswer(key, hash);
  }

  async #hash(question: HashQuestion): Promise<ExecutableHash> {
    const file = await openExecutable(question);
    if (typeof file === 'string') return { sha256: null, problem: file };
    try {
      return await this.#hashFile(file);
    } finally {
      await file.close();
    }
  }

  async #hashFile(file: FileHandle): Promise<ExecutableHash> {
    const stat = await file.stat({ bigint: true });
    const identity = identityOf(stat);
    const known = this.#known.get(identity);
    if (known !== undefined) {
      this.counters.known++;
      return { sha256: known, problem: null };
    }
    const isSettled = Date.now() - Number(stat.ctimeMs) > TICK_MS;
    if (stat.size > BigInt(this.#limitBytes)) return { sha256: null, problem: 'too-large' };
    const sha256 = await this.#read(file);
    if (sha256 === null) return { sha256, problem: 'busy' };
    if (identityOf(await file.stat({ bigint: true })) !== identity)
      return { sha256: null, problem: 'changed' };
    this.counters.hashed++;
    if (isSettled) {
      if (this.#known.size >= MAX_KNOWN) dropOldest(this.#known);
      this.#known.set(identity, sha256);
    }
    return { sha256, problem: null };
  }

  /** null: it took too long, or nobody waits any more. */
  async #read(file: FileHandle): Promise<string | null> {
    const hash = createHash('sha256');
    const piece = (this.#piece ??= Buffer.allocUnsafeSlow(PIECE_BYTES));
    const startedAt = performance.now();
    let workedMs = 0;
    for (let offset = 0; offset <= this.#limitBytes;) {
      if (this.#isOver || performance.now() - startedAt > MAX_FILE_MS) return null;
      const from = performance.now();
      const { bytesRead } = await file.read(piece, 0, PIECE_BYTES, offset);
      if (bytesRead === 0) return hash.digest('hex');
      hash.update(piece.subarray(0, bytesRead));
      offset += bytesRead;
      workedMs += performance.now() - from;
      if (workedMs < WORK_MS) continue;
      await sleep(workedMs * REST_PER_WORK, undefined, { ref: false });
      workedMs = 0;
    }
    return null;
  }
}

function identityOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return `${dev}:${ino}:${size}:${mtimeNs}:${ctimeNs}`;
}
