import { byteStringFromText, type ByteString } from '../base/bytes.ts';
import { problemIn, RuleError } from './problem.ts';
import type { RuleText, Span } from './text.ts';

const BLANKS = ' \t\n\r\b';
const FIELD_NAME = /[a-zA-Z][a-zA-Z0-9_]*(?:\.[a-zA-Z][a-zA-Z0-9_]*)+/y;
const WORD = /[a-zA-Z][a-zA-Z0-9_]*/y;
const NUMBER = /0[xX][0-9a-fA-F]+|[+-]?[0-9]+\.?[0-9]*(?:[eE][+-][0-9]+)?/y;
const BARE_STRING = /[^ \b\t\n\r(),="']+/y;
const BARE_ARGUMENT = /[^ \b\t\n\r[\]"']+/y;
const TO_NEXT_BLANK = /[^ \b\t\n\r]+/y;

/** Reads the tokens of a condition. Which are possible depends on where it stands, so the parser asks for each kind. */
export class Scanner {
  readonly source: RuleText;
  readonly #text: string;
  #at: number;

  constructor(source: RuleText, at = 0) {
    this.source = source;
    this.#text = source.text;
    this.#at = at;
  }

  get at(): number {
    return this.#at;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#text.length;
  }

  span(start: number, end = this.#at): Span {
    return { in: this.source, start, end };
  }

  /** @returns whether there was a blank */
  skipBlanks(): boolean {
    const start = this.#at;
    while (this.#at < this.#text.length && BLANKS.includes(this.#text[this.#at] ?? '')) this.#at++;
    return this.#at > start;
  }

  take(token: string): boolean {
    if (!this.#text.startsWith(token, this.#at)) return false;
    this.#at += token.length;
    return true;
  }

  /** Takes a word that ends here: `or` is not in `order`. */
  takeWord(word: string): boolean {
    return this.#text.startsWith(word, this.#at) && this.peek(WORD) === word && this.take(word);
  }

  fieldName(): string | null {
    return this.#match(FIELD_NAME);
  }

  word(): string | null {
    return this.#match(WORD);
  }

  peekWord(): string | null {
    return this.peek(WORD);
  }

  number(): string | null {
    return this.#match(NUMBER);
  }

  /** The bytes of a string with or without quotes; null where there is none. */
  string(): ByteString | null {
    return this.#quoted() ?? this.#bare(BARE_STRING);
  }

  /** What stands between the brackets of a field. */
  fieldArgument(): ByteString | null {
    return this.#quoted() ?? this.#bare(BARE_ARGUMENT);
  }

  /** The word or sign where something else was expected, for a message. */
  unexpected(): Span {
    const start = this.#at;
    const token = this.peek(TO_NEXT_BLANK) ?? '';
    return this.span(start, start + token.length);
  }

  peek(pattern: RegExp): string | null {
    pattern.lastIndex = this.#at;
    return pattern.exec(this.#text)?.[0] ?? null;
  }

  #match(pattern: RegExp): string | null {
    const found = this.peek(pattern);
    if (found !== null) this.#at += found.length;
    return found;
  }

  #bare(pattern: RegExp): ByteString | null {
    const text = this.#match(pattern);
    return text === null ? null : byteStringFromText(text);
  }

  #quoted(): ByteString | null {
    const start = this.#at;
    const quote = this.#text[start];
    if (quote !== '"' && quote !== "'") return null;
    let value = '';
    let plainStart = start + 1;
    for (let at = start + 1; at < this.#text.length; at++) {
      const character = this.#text[at];
      if (character !== quote && character !== '\\') continue;
      value += byteStringFromText(this.#text.slice(plainStart, at));
      if (character === quote) {
        this.#at = at + 1;
        return value;
      }
      const { bytes, length } = this.#escape(at);
      value += bytes;
      at += length - 1;
      plainStart = at + 1;
    }
    throw new RuleError(
      problemIn('syntax', `the string has no closing ${quote}`, this.span(start, start + 20)),
    );
  }

  /** An escape sequence: its byte, and how many characters it takes. */
  #escape(at: number): { bytes: ByteString; length: number } {
    const letter = this.#text[at + 1] ?? '';
    if (letter === 'x') {
      const digits = /^[0-9a-fA-F]{2}/.exec(this.#text.slice(at + 2, at + 4))?.[0];
      if (digits !== undefined) return { bytes: String.fromCharCode(parseInt(digits, 16)), length: 4 };
    }
    const bytes = ESCAPES[letter];
    if (bytes !== undefined) return { bytes, length: 2 };
    const span = this.span(at, at + 2);
    throw new RuleError(
      problemIn(
        'syntax',
        `unknown escape sequence; \\b \\f \\n \\r \\t \\\\ \\/ \\" \\' and \\xNN are`,
        span,
      ),
    );
  }
}

/** A blank becomes a backslash: rules that were escaped wrongly depend on it, and the reference engine keeps it. */
const ESCAPES: Readonly<Record<string, string>> = {
  ' ': '\\',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  '\\': '\\',
  '/': '/',
  '"': '"',
  "'": "'",
};
