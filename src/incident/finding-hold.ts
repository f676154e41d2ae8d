import type { ExecutableFile } from '../model/executable.ts';
import type { Finding } from '../model/finding.ts';

/** Hashes of programs are waited for so long, beyond the time for the story. */
const WAIT_NS = 400_000_000;
const MAX_HELD = 1024;

interface Held {
  readonly finding: Finding;
  readonly files: readonly ExecutableFile[];
  readonly untilNs: number;
}

/** Keeps findings until the hashes of their programs are known, for a moment at most, in their order. */
export class FindingHold {
  readonly #isPending: (file: ExecutableFile) => boolean;
  readonly #emit: (finding: Finding) => void;
  readonly #held: Held[] = [];

  constructor(isPending: (file: ExecutableFile) => boolean, emit: (finding: Finding) => void) {
    this.#isPending = isPending;
    this.#emit = emit;
  }

  add(finding: Finding, files: readonly ExecutableFile[], nowNs: number): void {
    if (this.#held.length === 0 && !files.some(this.#isPending)) {
      this.#emit(finding);
      return;
    }
    this.#held.push({ finding, files, untilNs: nowNs + WAIT_NS });
  }

  tick(nowNs: number): void {
    for (let first = this.#held[0]; first !== undefined; first = this.#held[0]) {
      const { finding, files, untilNs } = first;
      if (nowNs < untilNs && this.#held.length <= MAX_HELD && files.some(this.#isPending)) return;
      this.#held.shift();
      this.#emit(finding);
    }
  }
}
