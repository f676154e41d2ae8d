import { createWriteStream, type WriteStream } from 'node:fs';
import type { OutputCounts } from '../../cli/contract.ts';
import type { LineOutput } from './outputs.ts';

/** Alerts hold command lines and paths: the owner alone reads them. */
const MODE = 0o600;
/** So much may wait to be written. */
const MAX_WAITING_BYTES = 8 * 1024 * 1024;
const END_MS = 2000;

/** Appends alerts to a file. What cannot be written is counted, and told the first time. */
export class AlertFile implements LineOutput {
  readonly #path: string;
  readonly #warn: (text: string) => void;
  #stream: WriteStream;
  #delivered = 0;
  #dropped = 0;
  #hasFailed = false;

  constructor(path: string, warn: (text: string) => void) {
    this.#path = path;
    this.#warn = warn;
    this.#stream = this.#open();
  }

  add(line: string): void {
    if (this.#stream.destroyed) this.#stream = this.#open();
    if (this.#stream.writableLength > MAX_WAITING_BYTES) {
      this.#drop('it does not take them as fast as they come');
      return;
    }
    this.#stream.write(line, (error) => {
      if (error === null || error === undefined) this.#delivered++;
      else this.#drop(error.message);
    });
  }

  reopen(): void {
    this.#stream.end();
    this.#stream = this.#open();
  }

  async end(): Promise<OutputCounts> {
    const ended = new Promise<void>((resolve) => {
      if (this.#stream.destroyed) resolve();
      this.#stream.once('close', resolve);
      setTimeout(resolve, END_MS).unref();
    });
    this.#stream.end();
    await ended;
    return { name: this.#path, delivered: this.#delivered, dropped: this.#dropped };
  }

  #open(): WriteStream {
    const stream = createWriteStream(this.#path, { flags: 'a', mode: MODE });
    // Told by the write that failed, and here where nothing was written.
    stream.on('error', (error) => this.#tell(error.message));
    return stream;
  }

  #drop(why: string): void {
    this.#dropped++;
    this.#tell(why);
  }

  #tell(why: string): void {
    if (this.#hasFailed) return;
    this.#hasFailed = true;
    this.#warn(`alerts cannot be written to ${this.#path}: ${why}; what is dropped is counted`);
  }
}
