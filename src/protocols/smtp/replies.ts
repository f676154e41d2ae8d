import type { ByteString } from '../../base/bytes.ts';
import { LineBuffer } from './lines.ts';
import { parseReply } from './parser.ts';

/** What is kept of the text of a reply, all lines together. */
const MAX_TEXT_BYTES = 1024;
/** Lines that are no reply: beyond so many in a row the server speaks something else. */
const MAX_STRAY_LINES = 8;

export interface Reply {
  readonly code: number;
  /** The lines' texts, with a line end between them. */
  readonly text: ByteString;
}

/** Cuts a server's bytes into replies of one or more lines. */
export class ReplyReader {
  isBroken = false;
  /** Nothing further is read. */
  isDone = false;
  /** Where the next reply begins is not known; cleared by resume(). */
  isLost = false;

  readonly #tell: (reply: Reply) => void;
  readonly #line = new LineBuffer(MAX_TEXT_BYTES);
  #code = 0;
  #text: ByteString = '';
  #strayLines = 0;

  constructor(tell: (reply: Reply) => void) {
    this.#tell = tell;
  }

  /** @returns offset after what was read */
  read(bytes: Uint8Array, missing: number): number {
    let index = 0;
    while (index < bytes.length && !this.isDone && !this.isBroken && !this.isLost) {
      const step = this.#line.read(bytes, index);
      index = step.index;
      if (step.line !== null) this.#take(step.line.text);
    }
    if (missing > 0) this.isLost = true;
    return index;
  }

  /** The client goes on: the reply under way is over. @returns what is known of it */
  resume(): Reply | null {
    const last = parseReply(this.#line.take().text);
    const code = this.#code === 0 ? (last?.code ?? 0) : this.#code;
    const reply = code === 0 ? null : { code, text: this.#text };
    this.#code = 0;
    this.#text = '';
    this.isLost = false;
    return reply;
  }

  #take(line: ByteString): void {
    const reply = parseReply(line);
    if (reply === null) {
      if (++this.#strayLines > MAX_STRAY_LINES) this.isBroken = true;
      return;
    }
    this.#strayLines = 0;
    const room = MAX_TEXT_BYTES - this.#text.length;
    if (room > 0) this.#text += (this.#code === 0 ? reply.text : `\n${reply.text}`).slice(0, room);
    this.#code = reply.code;
    if (!reply.isLast) return;
    const whole = { code: reply.code, text: this.#text };
    this.#code = 0;
    this.#text = '';
    this.#tell(whole);
  }
}
