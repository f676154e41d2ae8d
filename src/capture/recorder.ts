import { closeSync, constants, fchmodSync, fstatSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { byteStringFromText } from '../base/bytes.ts';
import { ThroughlineError } from '../base/errors.ts';
import type { Fact } from '../model/event.ts';
import type { CaptureSink } from './contract.ts';
import {
  FRAME_EVENT,
  FRAME_FACT,
  FRAME_HEADER_BYTES,
  FRAME_LIMIT_BYTES,
  MAGIC,
  paddingOf,
  type RecordingHeader,
} from './recording-format.ts';

const BUFFER_BYTES = 2 * FRAME_LIMIT_BYTES;

/**
 * Passes everything on to the next sink and writes it to a file as well. When the file cannot be written any more (the
 * disk is full), recording ends, what was written stays replayable, and observing goes on.
 */
export class Recorder implements CaptureSink, Disposable {
  readonly #next: CaptureSink;
  readonly #path: string;
  readonly #onFailure: (error: ThroughlineError) => void;
  readonly #buffer = Buffer.alloc(BUFFER_BYTES);
  #fd: number;
  #used = 0;
  #writtenBytes = 0;

  /** @throws ThroughlineError TL2004 when the file cannot be made */
  constructor(
    path: string,
    header: RecordingHeader,
    next: CaptureSink,
    onFailure: (error: ThroughlineError) => void,
  ) {
    this.#next = next;
    this.#path = path;
    this.#onFailure = onFailure;
    try {
      this.#fd = openPrivate(path);
    } catch (error) {
      throw new ThroughlineError('TL2004', describe(path, error));
    }
    const text = Buffer.from(JSON.stringify(header));
    const size = Buffer.alloc(4);
    size.writeUInt32LE(text.length);
    this.#writeAll(Buffer.concat([MAGIC, size, text]));
  }

  get writtenBytes(): number {
    return this.#writtenBytes + this.#used;
  }

  fact(fact: Fact): void {
    const content = Buffer.from(byteStringFromText(JSON.stringify(fact)), 'latin1');
    if (content.length <= FRAME_LIMIT_BYTES) this.#frame(FRAME_FACT, content, 0, content.length);
    this.#next.fact(fact);
  }

  event(bytes: Uint8Array, view: DataView, offset: number, size: number): void {
    this.#frame(FRAME_EVENT, bytes, offset, size);
    this.#next.event(bytes, view, offset, size);
  }

  tick(nowNs: number): void {
    this.#flush();
    this.#next.tick(nowNs);
  }

  [Symbol.dispose](): void {
    this.#flush();
    if (this.#fd >= 0) closeSync(this.#fd);
    this.#fd = -1;
  }

  #frame(type: number, bytes: Uint8Array, offset: number, size: number): void {
    if (this.#fd < 0) return;
    const padding = paddingOf(size);
    if (this.#used + FRAME_HEADER_BYTES + size + padding > BUFFER_BYTES) this.#flush();
    this.#buffer.writeUInt32LE(size, this.#used);
    this.#buffer.writeUInt32LE(type, this.#used + 4);
    this.#buffer.set(bytes.subarray(offset, offset + size), this.#used + FRAME_HEADER_BYTES);
    this.#used += FRAME_HEADER_BYTES + size;
    this.#buffer.fill(0, this.#used, this.#used + padding);
    this.#used += padding;
  }

  #flush(): void {
    if (this.#used === 0) return;
    const length = this.#used;
    this.#used = 0;
    this.#writeAll(this.#buffer.subarray(0, length));
  }

  #writeAll(bytes: Uint8Array): void {
    if (this.#fd < 0) return;
    try {
      for (let at = 0; at < bytes.length;) at += writeSync(this.#fd, bytes, at);
      this.#writtenBytes += bytes.length;
    } catch (error) {
      closeSync(this.#fd);
      this.#fd = -1;
      this.#onFailure(new ThroughlineError('TL2004', describe(this.#path, error)));
    }
  }
}

/**
 * Recordings hold what users sent to the services of this host, and are written by root: no symbolic link is followed, no
 * file of somebody else is filled, and nobody else can read it.
 */
function openPrivate(path: string): number {
  const { O_WRONLY, O_CREAT, O_NOFOLLOW } = constants;
  const fd = openSync(path, O_WRONLY | O_CREAT | O_NOFOLLOW, 0o600);
  const status = fstatSync(fd);
  if (!status.isFile()) return fd;
  if (status.uid !== process.geteuid?.()) {
    closeSync(fd);
    throw new Error('the file belongs to another user');
  }
  fchmodSync(fd, 0o600);
  ftruncateSync(fd);
  return fd;
}

function describe(path: string, error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
  return `${path} (${code})`;
}
