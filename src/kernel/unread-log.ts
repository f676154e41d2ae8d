/** UNREAD_ENTRIES of bpf/lib/state.h. */
const ENTRIES = 1024;
export const UNREAD_LOG_BYTES = ENTRIES * 8;

/** Which processes had bytes that were lost, as the kernel side notes them in memory-mapped variables. */
export class UnreadLog {
  readonly #variables: DataView;
  readonly #log: number;
  readonly #count: number;
  #taken = 0;

  /**
   * @param log where the table begins
   * @param count where it stands how often something was noted
   */
  constructor(variables: DataView, log: number, count: number) {
    this.#variables = variables;
    this.#log = log;
    this.#count = count;
  }

  /** How often something was noted so far, modulo 2^32. */
  get count(): number {
    return this.#variables.getUint32(this.#count, true);
  }

  /** Nothing was noted since the last call of take(). */
  get isUnchanged(): boolean {
    return this.count === this.#taken;
  }

  /** Those since the last call; null: not all of them are known. */
  take(): ReadonlySet<number> | null {
    const { count } = this;
    const from = this.#taken;
    this.#taken = count;
    const processes = new Set<number>();
    const news = (count - from) >>> 0;
    if (news > ENTRIES) return null;
    for (let index = 0; index < news; index++) {
      const number = (from + index) >>> 0;
      const at = this.#log + (number % ENTRIES) * 8;
      // Not yet written, or already written over.
      if (this.#variables.getUint32(at + 4, true) !== (number + 1) >>> 0) return null;
      processes.add(this.#variables.getUint32(at, true));
    }
    return processes;
  }
}
