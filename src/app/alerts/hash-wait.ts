import type { Effect } from '../../model/effect.ts';
import type { ExecutableFile } from '../../model/executable.ts';
import type { Process } from '../../model/process.ts';

/** So long an effect waits for the hash of its program at most. */
const WAIT_NS = 1_000_000_000;
const MAX_HELD = 2048;
/** As many as the table of processes follows. */
const MAX_ANCESTORS = 32;

interface Held {
  readonly effect: Effect;
  readonly file: ExecutableFile;
}

/** Keeps effects until the hashes of their programs are known, for those rules alone that ask for them. */
export class HashWait {
  readonly #judge: (effect: Effect, isKnown: boolean) => void;
  #held: Held[] = [];

  /** @param judge gets each of them, in order of their answers */
  constructor(judge: (effect: Effect, isKnown: boolean) => void) {
    this.#judge = judge;
  }

  /** Effect and process as they are now, whatever the process becomes. */
  add(effect: Effect, file: ExecutableFile): void {
    if (this.#held.length >= MAX_HELD) {
      this.#judge(effect, false);
      return;
    }
    this.#held.push({ effect: { ...effect, process: stillOf(effect.process) }, file });
  }

  tick(nowNs: number): void {
    if (this.#held.length === 0) return;
    const due = this.#held.filter(
      ({ effect, file }) => file.hash !== null || nowNs >= effect.timeNs + WAIT_NS,
    );
    if (due.length === 0) return;
    this.#held = this.#held.filter((one) => !due.includes(one));
    for (const { effect, file } of due) this.#judge(effect, isKnown(file));
  }
}

export function isKnown({ hash }: ExecutableFile): boolean {
  return hash !== null && hash.sha256 !== null;
}

/** A process and its ancestors as they are now: a spread would leave out what they have as accessors. */
function stillOf(process: Process, depth = 0): Process {
  const {
    userName,
    loginName = null,
    containerId,
    container,
    podUid,
    serviceUnit,
    parentPid,
    parent,
  } = process;
  const ancestor = parent === null || depth >= MAX_ANCESTORS ? null : stillOf(parent, depth + 1);
  return {
    ...process,
    userName,
    loginName,
    containerId,
    container,
    podUid,
    serviceUnit,
    parentPid,
    parent: ancestor,
  };
}
