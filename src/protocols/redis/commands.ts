import { byteString, type ByteString } from '../../base/bytes.ts';
import { splitInline } from './inline.ts';

/** What is kept of one command's arguments, all together. Values that are longer are cut; the command still counts. */
export const MAX_COMMAND_BYTES = 16 * 1024;
/** Arguments of one command that are kept (an MSET may have a million). */
export const MAX_ARGUMENTS = 1024;
/** Redis refuses longer inline commands and longer counts (PROTO_INLINE_MAX_SIZE). */
const MAX_LINE_BYTES = 64 * 1024;
/** Redis refuses more arguments (1024 * 1024 before version 7, INT_MAX since) and longer ones (proto-max-bulk-len). */
const MAX_COUNT = 0x7fff_ffff;

const CR = 13;
const LF = 10;
const STAR = 42;
const DOLLAR = 36;

/** A command as the client sent it; `words` holds at most MAX_COMMAND_BYTES. */
export interface Command {
  readonly words: readonly ByteString[];
  readonly isTruncated: boolean;
  readonly isInline: boolean;
}

/**
 * Cuts a client's bytes into commands (https://redis.io/docs/latest/develop/reference/protocol-spec/): arrays of bulk
 * strings, or lines of words for people with a terminal.
 */
export class CommandReader {
  /** The bytes are no commands. */
  isBroken = false;
  /** Bytes were passed over in which commands may have begun and ended. */
  isLost = false;

  readonly #tell: (command: Command) => void;
  #state: 'line' | 'bulk' | 'bulk-end' = 'line';
  /** The line so far: an array's or a bulk string's head, or an inline command. */
  #line: ByteString = '';
  #words: ByteString[] = [];
  #keptBytes = 0;
  #isTruncated = false;
  /** Arguments of the array that are still to come. */
  #wordsLeft = 0;
  /** Bytes of the bulk string, then of its line end, that are still to come. */
  #bytesLeft = 0;
  #word: ByteString = '';

  constructor(tell: (command: Command) => void) {
    this.#tell = tell;
  }

  read(bytes: Uint8Array, missing: number): void {
    let index = this.isLost ? this.#resynchronise(bytes) : 0;
    while (index < bytes.length && !this.isBroken) {
      index = this.#state === 'line' ? this.#readLine(bytes, index) : this.#readBulk(bytes, index);
    }
    if (missing > 0 && !this.isBroken && !this.isLost) this.#skip(missing);
  }

  /** The command under way ends as far as it came. */
  close(): void {
    if (this.#wordsLeft > 0) {
      if (this.#word !== '') this.#words.push(this.#word);
      this.#isTruncated = true;
      this.#finishCommand();
    }
  }

  #skip(missing: number): void {
    if (this.#state === 'bulk' && missing <= this.#bytesLeft) {
      this.#bytesLeft -= missing;
      this.#isTruncated = true;
      if (this.#bytesLeft === 0) this.#finishBulk();
    } else if (this.#state === 'bulk' && missing <= this.#bytesLeft + 2) {
      this.#isTruncated = true;
      const isWhole = missing === this.#bytesLeft + 2;
      const left = this.#bytesLeft + 2 - missing;
      this.#finishBulk();
      this.#bytesLeft = left;
      if (isWhole) this.#finishWord();
    } else if (this.#state === 'bulk-end' && missing <= this.#bytesLeft) {
      this.#bytesLeft -= missing;
      if (this.#bytesLeft === 0) this.#finishWord();
    } else {
      this.close();
      this.#reset();
      this.isLost = true;
    }
  }

  /** After a gap, a command begins where a read of the server begins with one, or after the end of another. */
  #resynchronise(bytes: Uint8Array): number {
    for (let index = 0; index >= 0 && index < bytes.length; index = bytes.indexOf(STAR, index + 1)) {
      const isLineStart = index === 0 || (bytes[index - 1] === LF && bytes[index - 2] === CR);
      if (bytes[index] !== STAR || !isLineStart || !isDigit(bytes[index + 1])) continue;
      this.isLost = false;
      return index;
    }
    return bytes.length;
  }

  #readLine(bytes: Uint8Array, start: number): number {
    const lineEnd = bytes.indexOf(LF, start);
    const end = lineEnd === -1 ? bytes.length : lineEnd;
    const room = MAX_LINE_BYTES - this.#line.length;
    if (end - start > room) {
      this.isBroken = true;
      return bytes.length;
    }
    this.#line += byteString(bytes, start, end);
    if (lineEnd === -1) return bytes.length;
    const line = this.#line.endsWith('\r') ? this.#line.slice(0, -1) : this.#line;
    this.#line = '';
    if (this.#wordsLeft > 0) this.#beginBulk(line);
    else if (line.charCodeAt(0) === STAR) this.#beginArray(line);
    else this.#finishInline(line);
    return end + 1;
  }

  #beginArray(line: ByteString): void {
    const count = countOf(line);
    if (count === null) this.isBroken = true;
    // Redis passes over arrays of none.
    else if (count > 0) this.#wordsLeft = count;
  }

  #beginBulk(line: ByteString): void {
    const length = line.charCodeAt(0) === DOLLAR ? countOf(line) : null;
    if (length === null || length < 0) {
      this.isBroken = true;
      return;
    }
    this.#bytesLeft = length;
    this.#state = 'bulk';
    if (length === 0) this.#finishBulk();
  }

  #readBulk(bytes: Uint8Array, start: number): number {
    const end = Math.min(bytes.length, start + this.#bytesLeft);
    this.#bytesLeft -= end - start;
    if (this.#state === 'bulk-end') {
      for (let index = start; index < end; index++) {
        if (bytes[index] !== CR && bytes[index] !== LF) this.isBroken = true;
      }
      if (this.#bytesLeft === 0 && !this.isBroken) this.#finishWord();
      return end;
    }
    const kept = this.#words.length < MAX_ARGUMENTS ? Math.min(end - start, this.#room()) : 0;
    if (kept < end - start) this.#isTruncated = true;
    if (kept > 0) this.#word += byteString(bytes, start, start + kept);
    this.#keptBytes += kept;
    if (this.#bytesLeft === 0) this.#finishBulk();
    return end;
  }

  #room(): number {
    return MAX_COMMAND_BYTES - this.#keptBytes;
  }

  #finishBulk(): void {
    this.#state = 'bulk-end';
    this.#bytesLeft = 2;
  }

  #finishWord(): void {
    if (this.#words.length < MAX_ARGUMENTS) this.#words.push(this.#word);
    else this.#isTruncated = true;
    this.#word = '';
    this.#state = 'line';
    if (--this.#wordsLeft === 0) this.#finishCommand();
  }

  #finishInline(line: ByteString): void {
    if (hasControls(line)) {
      this.isBroken = true;
      return;
    }
    const isCut = line.length > MAX_COMMAND_BYTES;
    const words = splitInline(isCut ? line.slice(0, MAX_COMMAND_BYTES) : line, MAX_ARGUMENTS);
    if (words === null) this.isBroken = true;
    else if (words.length > 0) this.#tell({ words, isTruncated: isCut, isInline: true });
  }

  #finishCommand(): void {
    const words = this.#words;
    const isTruncated = this.#isTruncated;
    this.#reset();
    if (words.length > 0) this.#tell({ words, isTruncated, isInline: false });
  }

  #reset(): void {
    this.#state = 'line';
    this.#line = '';
    this.#words = [];
    this.#word = '';
    this.#keptBytes = 0;
    this.#isTruncated = false;
    this.#wordsLeft = 0;
    this.#bytesLeft = 0;
  }
}

/** The number after a head's type byte, null where there is none or it is beyond every limit. */
export function countOf(line: ByteString): number | null {
  if (line.length < 2 || line.length > 20) return null;
  const isNegative = line.charCodeAt(1) === 45;
  let count = 0;
  for (let index = isNegative ? 2 : 1; index < line.length; index++) {
    const code = line.charCodeAt(index);
    if (!isDigit(code)) return null;
    count = count * 10 + code - 48;
  }
  if (isNegative) return line === `${line[0]}-1` ? -1 : null;
  return count <= MAX_COUNT ? count : null;
}

export function isDigit(code: number | undefined): boolean {
  return code !== undefined && code >= 48 && code <= 57;
}

/** Redis takes whatever a line holds; people and health checks send text. */
function hasControls(line: ByteString): boolean {
  for (let index = 0; index < line.length; index++) {
    const code = line.charCodeAt(index);
    if (code < 32 && code !== 9) return true;
  }
  return false;
}
