import type { EngineMessage } from '../cli/contract.ts';

/** More than that at once is posted without waiting for the end of the step. */
const BATCH_MESSAGES = 512;

/** Collects messages for the other thread. */
export class MessageBatch {
  readonly #post: (messages: readonly EngineMessage[]) => void;
  #messages: EngineMessage[] = [];

  constructor(post: (messages: readonly EngineMessage[]) => void) {
    this.#post = post;
  }

  add(message: EngineMessage): void {
    this.#messages.push(message);
    if (this.#messages.length >= BATCH_MESSAGES) this.flush();
  }

  flush(): void {
    if (this.#messages.length === 0) return;
    const messages = this.#messages;
    this.#messages = [];
    this.#post(messages);
  }
}
