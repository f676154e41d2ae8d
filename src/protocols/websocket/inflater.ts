import { constants, inflateRawSync } from 'node:zlib';

/** What a message that was compressed may come to. */
const MAX_INFLATED_BYTES = 1024 * 1024;
/** The most that deflate makes of one byte: a beginning of this length cannot come to more than the limit. */
const SAFE_BYTES = Math.floor(MAX_INFLATED_BYTES / 1032);
const WINDOW_BYTES = 32 * 1024;
/** The end of each message's last block, which is not sent (RFC 7692, 7.2.1). */
const TAIL = Uint8Array.of(0, 0, 0xff, 0xff);
const NO_BYTES = new Uint8Array(0);

/**
 * Decompresses one direction's messages of permessage-deflate (RFC 7692). What they come to is kept as far as the next
 * ones may refer to it: where client and server agreed on no such context nothing refers to it, so it is not needed to
 * know what they agreed on. After a message that was not captured whole the context is empty: what refers beyond it
 * fails, what does not is right.
 */
export class Inflater {
  #window: Uint8Array = NO_BYTES;

  get sizeBytes(): number {
    return this.#window.length;
  }

  /**
   * @param isWhole the message was captured in full
   * @returns null where it cannot be decompressed; isWhole where that is all of the message
   */
  inflate(
    payload: Uint8Array,
    isWhole: boolean,
  ): { readonly bytes: Uint8Array; readonly isWhole: boolean } | null {
    const whole = isWhole ? this.#run(Buffer.concat([payload, TAIL])) : this.#run(payload);
    // What comes to too much is hostile, or at least big: its beginning is what is wanted.
    const bytes = whole === 'too-big' ? this.#run(payload.subarray(0, SAFE_BYTES)) : whole;
    const isComplete = isWhole && whole !== 'too-big';
    if (bytes === null || bytes === 'too-big') {
      this.#window = NO_BYTES;
      return null;
    }
    if (isComplete) this.#keep(bytes);
    else this.#window = NO_BYTES;
    return { bytes, isWhole: isComplete };
  }

  /** A message was lost: the next ones may refer to it. */
  forget(): void {
    this.#window = NO_BYTES;
  }

  #run(payload: Uint8Array): Uint8Array | 'too-big' | null {
    try {
      return inflateRawSync(payload, {
        maxOutputLength: MAX_INFLATED_BYTES,
        finishFlush: constants.Z_SYNC_FLUSH,
        ...(this.#window.length > 0 ? { dictionary: this.#window } : {}),
      });
    } catch (error) {
      return (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE' ? 'too-big' : null;
    }
  }

  /** A copy: what zlib returns may be part of something larger. */
  #keep(bytes: Uint8Array): void {
    if (bytes.length >= WINDOW_BYTES) {
      this.#window = Uint8Array.from(bytes.subarray(bytes.length - WINDOW_BYTES));
      return;
    }
    const before = this.#window.subarray(Math.max(0, this.#window.length + bytes.length - WINDOW_BYTES));
    const joined = new Uint8Array(before.length + bytes.length);
    joined.set(before);
    joined.set(bytes, before.length);
    this.#window = joined;
  }
}
