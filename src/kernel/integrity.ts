/** What guards a table of the kernel side needs of the bindings. */
export interface ElementAccess {
  lookupElement(fd: number, key: Uint8Array, value: Uint8Array): number;
  updateElement(fd: number, key: Uint8Array, value: Uint8Array, flags: bigint): number;
}

interface GuardedElement {
  /** For people. */
  readonly what: string;
  readonly table: number;
  readonly key: Uint8Array;
  /** What is written to it, and what a look-up then tells: of a table of programs, the id of one. */
  readonly written: Uint8Array;
  readonly shown: Uint8Array;
}

/**
 * What the agent has told its programs to do. Whoever may load BPF programs may also write into their maps and variables, and so
 * blind them without detaching or signalling anything: so it is looked at now and then, and put right.
 */
export class Integrity {
  readonly #native: ElementAccess;
  readonly #variables: DataView;
  readonly #words = new Map<number, { readonly what: string; value: number }>();
  readonly #elements = new Map<string, GuardedElement>();

  /** @param variables memory-mapped */
  constructor(native: ElementAccess, variables: DataView) {
    this.#native = native;
    this.#variables = variables;
  }

  /** Writes 32 bits of the variables, which are to stay so. */
  setWord(what: string, offset: number, value: number): void {
    this.#variables.setUint32(offset, value >>> 0, true);
    this.#words.set(offset, { what, value: value >>> 0 });
  }

  /** Sets or clears a bit, counted from an offset, which is to stay so. */
  setBit(what: string, offset: number, index: number, isSet: boolean): void {
    const at = offset + (index >>> 5) * 4;
    const bit = 1 << (index & 31);
    const before = this.#words.get(at)?.value ?? this.#variables.getUint32(at, true);
    this.setWord(what, at, isSet ? before | bit : before & ~bit);
  }

  /**
   * Writes an element of a table, which is to stay so.
   * @returns 0, or a negative errno
   */
  setElement(what: string, table: number, key: Uint8Array, written: Uint8Array): number {
    const result = this.#native.updateElement(table, key, written, 0n);
    if (result !== 0) return result;
    const shown = new Uint8Array(written.length);
    this.#native.lookupElement(table, key, shown);
    this.#elements.set(`${table} ${key.join()}`, { what, table, key, written, shown });
    return 0;
  }

  /** Puts right what somebody else has changed. @returns what that was, each once */
  repair(): string[] {
    const changed = new Set<string>();
    for (const [offset, { what, value }] of this.#words) {
      if (this.#variables.getUint32(offset, true) === value) continue;
      this.#variables.setUint32(offset, value, true);
      changed.add(what);
    }
    for (const { what, table, key, written, shown } of this.#elements.values()) {
      const now = new Uint8Array(shown.length);
      if (this.#native.lookupElement(table, key, now) === 0 && Buffer.compare(now, shown) === 0) continue;
      this.#native.updateElement(table, key, written, 0n);
      changed.add(what);
    }
    return [...changed];
  }
}
