import { byteString, type ByteString } from '../../base/bytes.ts';
import { countOf } from './commands.ts';

/** What is kept of a simple string or error. */
const MAX_TEXT_BYTES = 1024;
/** Simple strings are single lines; a MONITOR line holds a whole command. */
const MAX_LINE_BYTES = 1024 * 1024;
/** Redis itself nests at most seven deep, scripts deeper. */
const MAX_DEPTH = 64;

const LF = 10;

/** A value that the server sent, as far as anybody asks. */
export interface Reply {
  /** RESP's type byte: '+', '-', ':', '$', '*', '%', '>', ... */
  readonly type: string;
  /** Text of a simple value or an error; of an aggregate that holds an error, that error's text. */
  readonly text: ByteString;
  readonly isError: boolean;
  /** Elements of an aggregate (pairs of a map); 1 for a string, 0 for null, null where it says nothing. */
  readonly rows: number | null;
  /** First and last elements of an aggregate, where they are short: they name what a push message is. */
  readonly first: ByteString;
  readonly last: ByteString;
  /** Some of it was not captured. */
  readonly isTruncated: boolean;
}

/** Types whose count says how many values follow, each that many times. */
const AGGREGATES: Readonly<Record<string, number>> = { '*': 1, '~': 1, '>': 1, '%': 2, '|': 2 };

/** Cuts a server's bytes into replies: RESP2 and RESP3, nested, of any length. */
export class ReplyReader {
  /** Where the next reply begins is not known; cleared by resume(). */
  isLost = false;

  readonly #tell: (reply: Reply) => void;
  #line: ByteString = '';
  #lineLength = 0;
  /** Bytes of a string's body and its line end that are still to come. */
  #bytesLeft = 0;
  /** The short string under way, null where it is not kept. */
  #body: ByteString | null = null;
  #bodyLength = 0;
  #isBodyError = false;
  /** Values that are still to come, of every aggregate that is open. */
  readonly #open: number[] = [];
  #reply: { -readonly [Key in keyof Reply]: Reply[Key] } | null = null;
  /** The aggregate holds attributes: the reply itself follows it. */
  #isAttribute = false;

  constructor(tell: (reply: Reply) => void) {
    this.#tell = tell;
  }

  /** A reply has begun and not ended. */
  get isInside(): boolean {
    return this.#reply !== null || this.#lineLength > 0;
  }

  read(bytes: Uint8Array, missing: number): void {
    let index = 0;
    while (index < bytes.length && !this.isLost) {
      index = this.#bytesLeft > 0 ? this.#readBody(bytes, index) : this.#readLine(bytes, index);
    }
    if (missing > 0 && !this.isLost) this.#skip(missing);
  }

  /** The client asks again: what was under way is over. @returns what is known of it */
  resume(): Reply | null {
    const reply = this.#reply;
    this.#clear();
    this.isLost = false;
    return reply;
  }

  #skip(missing: number): void {
    if (this.#reply !== null) this.#reply.isTruncated = true;
    if (missing <= this.#bytesLeft) {
      this.#bytesLeft -= missing;
      this.#body = null;
      if (this.#bytesLeft === 0) this.#finishValue('');
    } else {
      this.isLost = true;
    }
  }

  #readLine(bytes: Uint8Array, start: number): number {
    const lineEnd = bytes.indexOf(LF, start);
    const end = lineEnd === -1 ? bytes.length : lineEnd;
    const kept = Math.min(end - start, MAX_TEXT_BYTES - this.#line.length);
    if (kept > 0) this.#line += byteString(bytes, start, start + kept);
    this.#lineLength += end - start;
    if (this.#lineLength > MAX_LINE_BYTES) this.isLost = true;
    if (lineEnd === -1) return bytes.length;
    const line = this.#line.endsWith('\r') ? this.#line.slice(0, -1) : this.#line;
    this.#line = '';
    this.#lineLength = 0;
    this.#head(line);
    return end + 1;
  }

  #head(line: ByteString): void {
    const type = line[0] ?? '';
    const values = AGGREGATES[type];
    if (values !== undefined) {
      this.#beginAggregate(type, values, countOf(line));
    } else if (type === '$' || type === '!' || type === '=') {
      this.#beginBody(type, countOf(line));
    } else if (type === '-') {
      this.#begin(type, null);
      this.#noteError(line.slice(1));
      this.#finishValue('');
    } else if (type === '_') {
      this.#begin(type, 0);
      this.#finishValue('');
    } else if (type === '+' || type === ':' || type === ',' || type === '#' || type === '(') {
      this.#begin(type, null);
      if (this.#reply !== null && this.#open.length === 0) this.#reply.text = line.slice(1);
      this.#finishValue(line.slice(1));
    } else {
      this.isLost = true;
    }
  }

  #beginAggregate(type: string, values: number, count: number | null): void {
    if (count === null || this.#open.length >= MAX_DEPTH) {
      this.isLost = true;
      return;
    }
    if (this.#reply === null) this.#isAttribute = type === '|';
    this.#begin(type, Math.max(count, 0));
    if (count > 0) this.#open.push(count * values);
    else this.#finishValue('');
  }

  #beginBody(type: string, length: number | null): void {
    if (length === null) {
      this.isLost = true;
      return;
    }
    this.#begin(type, length < 0 ? 0 : 1);
    if (length < 0) {
      this.#finishValue('');
      return;
    }
    this.#isBodyError = type === '!';
    const isShort = length <= (this.#isBodyError ? MAX_TEXT_BYTES : 64);
    this.#body = (isShort && this.#open.length <= 1) || this.#isBodyError ? '' : null;
    this.#bodyLength = Math.min(length, MAX_TEXT_BYTES);
    this.#bytesLeft = length + 2;
  }

  #readBody(bytes: Uint8Array, start: number): number {
    const end = Math.min(bytes.length, start + this.#bytesLeft);
    if (this.#body !== null) {
      const kept = Math.min(end - start, this.#bodyLength - this.#body.length);
      if (kept > 0) this.#body += byteString(bytes, start, start + kept);
    }
    this.#bytesLeft -= end - start;
    if (this.#bytesLeft > 0) return end;
    const body = this.#body ?? '';
    this.#body = null;
    if (this.#isBodyError) this.#noteError(body);
    this.#isBodyError = false;
    this.#finishValue(body);
    return end;
  }

  #begin(type: string, rows: number | null): void {
    this.#reply ??= { type, text: '', isError: false, rows, first: '', last: '', isTruncated: false };
  }

  /** A failed command inside EXEC's reply makes the whole of it one that failed. */
  #noteError(text: ByteString): void {
    const reply = this.#reply;
    if (reply === null || reply.isError || this.#open.length > 1) return;
    reply.isError = true;
    reply.text = text;
  }

  #finishValue(text: ByteString): void {
    const reply = this.#reply;
    if (reply !== null && this.#open.length === 1) {
      if (reply.first === '') reply.first = text;
      reply.last = text;
    }
    while (this.#open.length > 0) {
      const depth = this.#open.length - 1;
      const left = (this.#open[depth] as number) - 1;
      if (left > 0) {
        this.#open[depth] = left;
        return;
      }
      this.#open.pop();
    }
    const isAttribute = this.#isAttribute;
    this.#isAttribute = false;
    this.#reply = null;
    if (reply !== null && !isAttribute) this.#tell(reply);
  }

  #clear(): void {
    this.#line = '';
    this.#lineLength = 0;
    this.#bytesLeft = 0;
    this.#body = null;
    this.#isBodyError = false;
    this.#open.length = 0;
    this.#reply = null;
    this.#isAttribute = false;
  }
}
