import type { MutableProcess } from './mutable-process.ts';

/** Pids are below 2^22 (PID_MAX_LIMIT), which leaves 31 bits: ticks wrap after 248 days, long after the entry is gone. */
const PID_RANGE = 2 ** 22;
const TICK_RANGE = 2 ** 31;

/** What an exited ancestor keeps of its arguments once no late event is expected any more. */
const KEPT_ARGV_BYTES = 1024;

/** Not worth moving. */
const SMALL_QUEUE = 1024;

interface Entry {
  process: MutableProcess;
  key: number;
  argvBytes: number;
}

export interface RetiredLimits {
  entries: number;
  /** Arguments of all entries together. A process may have 32 KiB of them. */
  argvBytes: number;
  /** So long after its end a process is still found. */
  keptNs: number;
}

/**
 * Processes that exited (or were set aside) a short while ago: events of theirs may come late, by another ring or
 * processor. Bounded by number, size and time; the longest retired leave first.
 */
export class RetiredProcesses {
  readonly #limits: RetiredLimits;
  readonly #entries = new Map<number, Entry>();
  /**
   * In order of retirement, from #head on; entries that were removed since are still there. The map has the order
   * too, but looks for its first entry among all that were deleted, which makes a queue of it slow.
   */
  #queue: Entry[] = [];
  #head = 0;
  #argvBytes = 0;

  constructor(limits: RetiredLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#entries.size;
  }

  find(pid: number, startTicks: number): MutableProcess | null {
    const process = this.#entries.get(keyOf(pid, startTicks))?.process;
    return process !== undefined && process.pid === pid && process.startTicks === startTicks ? process : null;
  }

  add(process: MutableProcess, nowNs: number): void {
    const key = keyOf(process.pid, process.startTicks);
    this.#remove(key);
    process.retiredNs = nowNs;
    const entry = { process, key, argvBytes: process.argvBytes };
    this.#entries.set(key, entry);
    this.#queue.push(entry);
    this.#argvBytes += entry.argvBytes;
    this.#expire(nowNs);
  }

  remove(process: MutableProcess): void {
    this.#remove(keyOf(process.pid, process.startTicks));
  }

  #remove(key: number): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    this.#argvBytes -= entry.argvBytes;
  }

  #expire(nowNs: number): void {
    const { entries, argvBytes, keptNs } = this.#limits;
    while (this.#head < this.#queue.length) {
      const oldest = this.#queue[this.#head];
      if (oldest !== undefined && this.#entries.get(oldest.key) === oldest) {
        const isOver = this.#entries.size > entries || this.#argvBytes > argvBytes;
        if (!isOver && nowNs - oldest.process.retiredNs <= keptNs) break;
        this.#remove(oldest.key);
        oldest.process.cutArguments(KEPT_ARGV_BYTES);
      }
      this.#head++;
    }
    if (this.#head > SMALL_QUEUE && this.#head * 2 > this.#queue.length) {
      this.#queue = this.#queue.slice(this.#head);
      this.#head = 0;
    }
  }
}

function keyOf(pid: number, startTicks: number): number {
  return (startTicks % TICK_RANGE) * PID_RANGE + pid;
}
