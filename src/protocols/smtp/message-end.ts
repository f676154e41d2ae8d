const LF = 10;
const CR = 13;
const DOT = 46;

/**
 * Finds the end of a message: a line with nothing but a dot (RFC 5321 section 4.1.1.4), ended by CRLF on both sides.
 * Servers that take bare LF for a line end see another end: that is how messages are smuggled.
 */
export class MessageEnd {
  /** A dot stood alone on a line with a bare LF at its end or before it. */
  hasBareDot = false;
  /** 0: in a line, 1: after CR, 2: at a line's start, 3: a dot there, 4: CR after the dot. */
  #state = 2;
  #isBareStart = false;

  /** @returns offset after the end, -1 where the message goes on */
  read(bytes: Uint8Array, start: number): number {
    for (let index = start; index < bytes.length; index++) {
      // Most bytes are inside lines.
      if (this.#state === 0) {
        const next = this.#nextEnd(bytes, index);
        if (next < 0) return -1;
        index = next;
      }
      if (this.#step(bytes[index] as number)) return index + 1;
    }
    return -1;
  }

  /** Bytes were not captured: where lines begin is not known. */
  skip(): void {
    this.#state = 0;
    this.#isBareStart = false;
  }

  #nextEnd(bytes: Uint8Array, start: number): number {
    const lf = bytes.indexOf(LF, start);
    if (lf > start && bytes[lf - 1] === CR) return lf - 1;
    if (lf >= 0) return lf;
    return bytes.length > start && bytes[bytes.length - 1] === CR ? bytes.length - 1 : -1;
  }

  #step(byte: number): boolean {
    if (byte === LF) {
      const isEnd = this.#state === 4 && !this.#isBareStart;
      if ((this.#state === 4 || this.#state === 3) && !isEnd) this.hasBareDot = true;
      this.#isBareStart = this.#state === 0 || this.#state === 2 || this.#state === 3;
      this.#state = 2;
      return isEnd;
    }
    if (byte === CR) this.#state = this.#state === 3 ? 4 : 1;
    else this.#state = byte === DOT && this.#state === 2 ? 3 : 0;
    return false;
  }
}
