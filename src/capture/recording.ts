import { closeSync, openSync, readSync } from 'node:fs';
import { EVENT_HEADER } from '../abi/abi.gen.ts';
import { EventUpgrade, isCurrent, LAYOUTS } from '../abi/layouts.ts';
import { ThroughlineError } from '../base/errors.ts';
import type { CaptureSink } from './contract.ts';
import { parseFact } from './parse-fact.ts';
import {
  FRAME_EVENT,
  FRAME_FACT,
  FRAME_HEADER_BYTES,
  FRAME_LIMIT_BYTES,
  HEADER_LIMIT_BYTES,
  MAGIC,
  paddingOf,
  SCHEMA,
  type RecordingHeader,
} from './recording-format.ts';

const BUFFER_BYTES = 4 * FRAME_LIMIT_BYTES;

/** Hands everything in a recording to a sink, as the live capture would have. */
export class RecordingCapture implements Disposable {
  readonly header: RecordingHeader;
  readonly #path: string;
  readonly #fd: number;
  readonly #buffer = Buffer.alloc(BUFFER_BYTES);
  readonly #view = new DataView(this.#buffer.buffer, this.#buffer.byteOffset, BUFFER_BYTES);
  #start = 0;
  #end = 0;
  #isAtEnd = false;
  #lastNs = 0;
  /** null for a recording in today's layout. */
  #upgrade: EventUpgrade | null = null;

  /** @throws ThroughlineError TL2001, TL2002 or TL2003 */
  constructor(path: string) {
    this.#path = path;
    try {
      this.#fd = openSync(path, 'r');
    } catch (error) {
      throw unreadable(path, error);
    }
    try {
      this.header = this.#readHeader();
    } catch (error) {
      closeSync(this.#fd);
      throw error;
    }
  }

  /**
   * Hands over up to `limit` frames.
   * @returns whether there is more
   * @throws ThroughlineError TL2005 when the file ends inside a frame, after everything before it was handed over;
   *   TL2001 when it cannot be read on
   */
  step(sink: CaptureSink, limit: number): boolean {
    for (let count = 0; count < limit; count++) {
      if (!this.#fill(FRAME_HEADER_BYTES)) {
        this.#finish(sink);
        if (this.#end > this.#start) throw new ThroughlineError('TL2005', this.#path);
        return false;
      }
      const size = this.#buffer.readUInt32LE(this.#start);
      const type = this.#buffer.readUInt32LE(this.#start + 4);
      if (size > FRAME_LIMIT_BYTES || !this.#fill(FRAME_HEADER_BYTES + size)) {
        this.#finish(sink);
        throw new ThroughlineError('TL2005', this.#path);
      }
      const content = this.#start + FRAME_HEADER_BYTES;
      this.#deliver(sink, type, content, size);
      this.#start = Math.min(content + size + paddingOf(size), this.#end);
    }
    return true;
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }

  #deliver(sink: CaptureSink, type: number, content: number, size: number): void {
    if (type === FRAME_EVENT) {
      if (size >= EVENT_HEADER.SIZE) {
        const timeNs =
          this.#view.getUint32(content + EVENT_HEADER.time_ns, true) +
          this.#view.getUint32(content + EVENT_HEADER.time_ns + 4, true) * 4294967296;
        this.#lastNs = Math.max(this.#lastNs, timeNs);
      }
      if (this.#upgrade === null) sink.event(this.#buffer, this.#view, content, size);
      else {
        const upgraded = this.#upgrade.apply(this.#buffer, content, size);
        sink.event(this.#upgrade.bytes, this.#upgrade.view, 0, upgraded);
      }
    } else if (type === FRAME_FACT) {
      const fact = parseFact(this.#buffer.toString('utf8', content, content + size));
      if (fact !== null) sink.fact(fact);
    }
    // Frames of unknown types are of a later version: skipped by size.
  }

  /** The last timers run: nothing follows. */
  #finish(sink: CaptureSink): void {
    sink.tick(this.#lastNs + 60e9);
  }

  #readHeader(): RecordingHeader {
    const fixed = MAGIC.length + 4;
    if (!this.#fill(fixed) || !this.#buffer.subarray(0, MAGIC.length).equals(MAGIC))
      throw new ThroughlineError('TL2002', this.#path);
    const size = this.#buffer.readUInt32LE(MAGIC.length);
    if (size > HEADER_LIMIT_BYTES || !this.#fill(fixed + size))
      throw new ThroughlineError('TL2002', this.#path);
    const header = parseHeader(this.#buffer.toString('utf8', fixed, fixed + size));
    if (header === null) throw new ThroughlineError('TL2002', this.#path);
    const layout = LAYOUTS.get(header.abi);
    if (header.schema !== SCHEMA || layout === undefined)
      throw new ThroughlineError('TL2003', `${this.#path}, made by Throughline ${header.version}`);
    if (!isCurrent(layout)) this.#upgrade = new EventUpgrade(layout, FRAME_LIMIT_BYTES);
    this.#start = fixed + size;
    return header;
  }

  /** Makes sure that so many bytes stand in the buffer from #start on; false at the end of the file. */
  #fill(count: number): boolean {
    if (this.#end - this.#start >= count) return true;
    if (this.#start > 0) {
      this.#buffer.copyWithin(0, this.#start, this.#end);
      this.#end -= this.#start;
      this.#start = 0;
    }
    while (this.#end < count && !this.#isAtEnd) {
      const read = this.#read();
      if (read === 0) this.#isAtEnd = true;
      this.#end += read;
    }
    return this.#end >= count;
  }

  /** Appends what comes next to the buffer; 0 at the end of the file. */
  #read(): number {
    try {
      return readSync(this.#fd, this.#buffer, this.#end, BUFFER_BYTES - this.#end, null);
    } catch (error) {
      // A folder, or a disk that fails.
      throw unreadable(this.#path, error);
    }
  }
}

function unreadable(path: string, error: unknown): ThroughlineError {
  const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
  return new ThroughlineError('TL2001', `${path} (${code})`);
}

function parseHeader(text: string): RecordingHeader | null {
  try {
    const value = JSON.parse(text) as Partial<RecordingHeader>;
    if (typeof value.schema !== 'number' || typeof value.abi !== 'string') return null;
    return {
      schema: value.schema,
      abi: value.abi,
      version: String(value.version),
      kernel: String(value.kernel),
      architecture: String(value.architecture),
      createdAt: String(value.createdAt),
    };
  } catch {
    return null;
  }
}
