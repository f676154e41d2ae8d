import { byteString, type ByteString } from '../../base/bytes.ts';
import { MAX_HEAD_BYTES } from './parser.ts';

/** A head that goes on beyond this is no head: nothing more can be read from the connection. */
export const MAX_HEAD_LENGTH = 1024 * 1024;
const MAX_LINE_BYTES = 256;
const MAX_EXTRA_BYTES = 2048;
const LF = 10;
const CR = 13;

/**
 * A head that did not arrive in one piece. Keeps the first 16 KiB; of what follows only the lines that decide the
 * framing, so that an oversized head cannot hide the length of its body.
 */
export class HeadBuffer {
  /** The kept bytes are the first `length` ones. */
  bytes: Uint8Array = EMPTY;
  length = 0;
  /** Length of the head so far, kept or not. */
  totalLength = 0;
  isComplete = false;
  /** Offset of the LF that ends the first line, -1 while it has not come or is beyond what is kept. */
  firstLineEnd = -1;

  /** 0: inside a line, 1: after LF, 2: after LF CR. */
  #newline = 0;
  #line: Uint8Array = EMPTY;
  #lineLength = 0;
  #extra = '';

  get isEmpty(): boolean {
    return this.totalLength === 0;
  }

  get isOversized(): boolean {
    return this.totalLength > MAX_HEAD_BYTES;
  }

  /** Memory that is held now. */
  get sizeBytes(): number {
    return this.bytes.length + this.#line.length + this.#extra.length;
  }

  /** Takes bytes up to the end of the head. @returns offset of the first byte that is not of the head */
  append(bytes: Uint8Array, start: number, end: number): number {
    let index = start;
    while (index < end && !this.isComplete) {
      const byte = bytes[index++];
      if (byte === LF) {
        if (this.#newline !== 0) this.isComplete = true;
        const offset = this.totalLength + index - 1 - start;
        if (this.firstLineEnd === -1 && offset < MAX_HEAD_BYTES) this.firstLineEnd = offset;
        this.#newline = 1;
      } else {
        this.#newline = byte === CR && this.#newline === 1 ? 2 : 0;
      }
    }
    const kept = Math.min(MAX_HEAD_BYTES - this.length, index - start);
    if (kept > 0) this.#keep(bytes, start, start + kept);
    if (kept < index - start) this.#scanBeyond(bytes, start + kept, index);
    this.totalLength += index - start;
    return index;
  }

  /** The kept part of the head. */
  text(): ByteString {
    return byteString(this.bytes, 0, this.length);
  }

  /** The lines that readFraming needs: whole lines of the kept part, and framing lines of what follows it. */
  framingText(): ByteString {
    const text = this.text();
    if (!this.isOversized) return text;
    const lastLine = text.lastIndexOf('\n') + 1;
    return lastLine === 0 ? `\n${this.#extra}` : text.slice(0, lastLine) + this.#extra;
  }

  clear(): void {
    this.bytes = EMPTY;
    this.length = 0;
    this.totalLength = 0;
    this.isComplete = false;
    this.firstLineEnd = -1;
    this.#newline = 0;
    this.#line = EMPTY;
    this.#lineLength = 0;
    this.#extra = '';
  }

  #keep(bytes: Uint8Array, start: number, end: number): void {
    const needed = this.length + end - start;
    if (needed > this.bytes.length) {
      const grown = new Uint8Array(Math.min(MAX_HEAD_BYTES, Math.max(1024, needed, this.bytes.length * 2)));
      grown.set(this.bytes.subarray(0, this.length));
      this.bytes = grown;
    }
    this.bytes.set(bytes.subarray(start, end), this.length);
    this.length = needed;
  }

  #scanBeyond(bytes: Uint8Array, start: number, end: number): void {
    if (this.#line.length === 0) {
      this.#line = new Uint8Array(MAX_LINE_BYTES);
      const lineStart = this.bytes.lastIndexOf(LF) + 1;
      for (let index = lineStart; index < this.length; index++) this.#lineByte(this.bytes[index] as number);
    }
    for (let index = start; index < end; index++) this.#lineByte(bytes[index] as number);
  }

  #lineByte(byte: number): void {
    if (byte !== LF) {
      if (this.#lineLength < MAX_LINE_BYTES) this.#line[this.#lineLength++] = byte;
      return;
    }
    const line = byteString(this.#line, 0, this.#lineLength);
    this.#lineLength = 0;
    const isFraming = isFramingLine(line) && this.#extra.length < MAX_EXTRA_BYTES;
    if (isFraming) this.#extra += `${line}\n`;
  }
}

const EMPTY = new Uint8Array(0);

function isFramingLine(line: ByteString): boolean {
  const lower = line.slice(0, 17).toLowerCase();
  return (
    lower.startsWith('content-length') ||
    lower === 'transfer-encoding' ||
    // A folded line may belong to a framing line before it; joined to another one it makes that one invalid: safe.
    lower.startsWith(' ') ||
    lower.startsWith('\t')
  );
}
