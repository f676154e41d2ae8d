/** So much of one answer is read. What `docker inspect` says of a container is some 10 KiB. */
export const MAX_ANSWER_BYTES = 1024 * 1024;

/** What a socket said is nothing that its runtime says, or too much of it. The message is for people. */
export class UnreadableAnswer extends Error {
  override readonly name = 'UnreadableAnswer';
}

/** Collects an answer, up to the limit. */
export class AnswerBytes {
  readonly #chunks: Uint8Array[] = [];
  #size = 0;

  /** @throws UnreadableAnswer beyond the limit */
  add(chunk: Uint8Array): void {
    this.#size += chunk.length;
    if (this.#size > MAX_ANSWER_BYTES)
      throw new UnreadableAnswer(`answers with more than ${MAX_ANSWER_BYTES / 1024} KiB`);
    this.#chunks.push(chunk);
  }

  whole(): Buffer {
    return Buffer.concat(this.#chunks, this.#size);
  }
}
