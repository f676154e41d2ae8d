import type { ByteString } from '../../base/bytes.ts';

export type ShellDialect = 'posix' | 'extended';

export interface ShellMark {
  readonly kind: 'separator' | 'redirection' | 'substitution' | 'command';
  readonly start: number;
  /** First byte after it. */
  readonly end: number;
  /** Where the word after a redirection starts, else -1. */
  readonly target: number;
  readonly targetEnd: number;
}

export interface ShellScan {
  /** In order of their start. */
  readonly marks: readonly ShellMark[];
  /**
   * Shells read a line, run it, read the next. Where a line cannot be parsed (an open quote, `;;`), the shell stops:
   * nothing from this offset on is run. Length of the text when all of it can be parsed.
   */
  readonly rejectedFrom: number;
  /** Why the shell stops there, for people. */
  readonly problem: string | null;
}

export interface Mark {
  kind: ShellMark['kind'];
  start: number;
  end: number;
  target: number;
  targetEnd: number;
}

interface HereDocument {
  readonly delimiter: ByteString;
  readonly isQuoted: boolean;
  readonly stripsTabs: boolean;
}

/** Nesting beyond this is not followed: no application writes it, and a hostile value was decisive long before. */
const MAX_DEPTH = 64;
const MAX_MARKS = 4096;
const LONGEST_DELIMITER = 256;
const DELIMITER = /(?:'[^'\n]*'|"[^"\n]*"|\\.|[^\s'"\\;&|<>()])+/y;

/** The inside of words: quotes, escapes, expansions, here-documents. What separates words is for the class that extends it. */
export abstract class ShellWords {
  protected readonly text: ByteString;
  protected readonly isExtended: boolean;
  protected at = 0;
  /** The region being read ends here: the text's end, or the closing backtick. */
  protected end: number;
  protected depth = 0;
  /** Start of the complete command that is being read, outside of any nesting. */
  protected lineStart = 0;

  readonly #marks: Mark[] = [];
  readonly #hereDocuments: HereDocument[] = [];
  #rejectedFrom: number;
  #problem: string | null = null;

  constructor(text: ByteString, dialect: ShellDialect) {
    this.text = text;
    this.isExtended = dialect === 'extended';
    this.end = text.length;
    this.#rejectedFrom = text.length;
  }

  /** Reads commands up to the end of the region, or up to and with `)`. */
  protected abstract commands(untilParenthesis: boolean): void;

  protected result(): ShellScan {
    this.#marks.sort((one, other) => one.start - other.start);
    return { marks: this.#marks, rejectedFrom: this.#rejectedFrom, problem: this.#problem };
  }

  protected reject(problem: string): void {
    if (this.#problem !== null) return;
    this.#problem = problem;
    this.#rejectedFrom = this.lineStart;
  }

  protected mark(kind: ShellMark['kind'], start: number, end: number): Mark {
    const mark: Mark = { kind, start, end, target: -1, targetEnd: -1 };
    if (this.#marks.length < MAX_MARKS) this.#marks.push(mark);
    return mark;
  }

  /** The mark was of no command: a reserved word, an assignment, the number of a descriptor. */
  protected drop(mark: Mark): void {
    const at = this.#marks.lastIndexOf(mark);
    if (at !== -1) this.#marks.splice(at, 1);
  }

  protected peek(ahead = 0): string {
    return this.at + ahead < this.end ? this.text.charAt(this.at + ahead) : '';
  }

  /** A list in parentheses, whose `(` was read. */
  protected nested(): void {
    if (this.depth >= MAX_DEPTH) {
      this.at = this.end;
      return;
    }
    this.depth++;
    this.commands(true);
    this.depth--;
  }

  /** Moves to the last byte of what is searched for, if it comes. */
  protected skipTo(closing: string): boolean {
    const at = this.text.indexOf(closing, this.at);
    if (at === -1 || at + closing.length > this.end) return false;
    this.at = at + closing.length - 1;
    return true;
  }

  /** A redirection operator. @param start of the operator, or of the descriptor's number before it */
  protected redirection(start: number): Mark {
    if (this.text[this.at] === '&') this.at++;
    const first = this.text[this.at++];
    const rest = this.text.slice(this.at, Math.min(this.at + 2, this.end));
    let isHereDocument = false;
    if (first === '<' && rest.startsWith('<')) {
      isHereDocument = rest !== '<<';
      this.at += rest === '<<' || rest === '<-' ? 2 : 1;
    } else if (rest !== '' && (first === '<' ? '&>' : '>&|').includes(rest.charAt(0))) this.at++;
    const mark = this.mark('redirection', start, this.at);
    if (isHereDocument) this.#hereDocumentDelimiter(rest === '<-');
    return mark;
  }

  #hereDocumentDelimiter(stripsTabs: boolean): void {
    let at = this.at;
    while (at < this.end && ' \t'.includes(this.text.charAt(at))) at++;
    DELIMITER.lastIndex = 0;
    const raw = DELIMITER.exec(this.text.slice(at, Math.min(this.end, at + LONGEST_DELIMITER)))?.[0] ?? '';
    if (raw === '') return;
    const delimiter = raw.replace(/['"\\]/g, '');
    this.#hereDocuments.push({ delimiter, isQuoted: delimiter !== raw, stripsTabs });
  }

  /** The bodies of the here-documents whose operators stood on the line that just ended. */
  protected readHereDocuments(): void {
    if (this.#hereDocuments.length === 0) return;
    for (const document of this.#hereDocuments.splice(0)) {
      while (this.at < this.end) {
        let lineEnd = this.text.indexOf('\n', this.at);
        if (lineEnd === -1 || lineEnd > this.end) lineEnd = this.end;
        const line = this.text.slice(this.at, lineEnd);
        if ((document.stripsTabs ? line.replace(/^\t+/, '') : line) === document.delimiter) {
          this.at = Math.min(lineEnd + 1, this.end);
          // What follows is a command again because of this line end.
          if (this.at > lineEnd) this.mark('separator', lineEnd, this.at);
          break;
        }
        if (document.isQuoted) this.at = lineEnd;
        else this.#expansions(lineEnd);
        this.at = Math.min(Math.max(this.at, lineEnd + 1), this.end);
      }
    }
  }

  /** Text in which only expansions are active, as in double quotes, up to an offset. */
  #expansions(until: number): void {
    while (this.at < until) {
      const character = this.text[this.at];
      if (character === '\\') this.at += 2;
      else if (character === '$') this.#dollar(true);
      else if (character === '`') this.#backtick();
      else this.at++;
    }
  }

  /** Up to the next byte that ends a word. */
  protected word(): void {
    while (this.at < this.end) {
      switch (this.text[this.at]) {
        case ' ':
        case '\t':
        case '\n':
        case ';':
        case '&':
        case '|':
        case '(':
        case ')':
          return;
        case '<':
        case '>':
          if (!this.isExtended || this.peek(1) !== '(') return;
          this.mark('substitution', this.at, this.at + 2);
          this.at += 2;
          this.nested();
          break;
        case '\\':
          this.at = Math.min(this.at + 2, this.end);
          break;
        case "'":
          this.#singleQuotes();
          break;
        case '"':
          this.#doubleQuotes();
          break;
        case '$':
          this.#dollar(false);
          break;
        case '`':
          this.#backtick();
          break;
        default:
          this.at++;
      }
    }
  }

  #singleQuotes(): void {
    const close = this.text.indexOf("'", this.at + 1);
    if (close !== -1 && close < this.end) {
      this.at = close + 1;
      return;
    }
    this.reject('an open quote');
    this.at = this.end;
  }

  #doubleQuotes(): void {
    this.at++;
    while (this.at < this.end) {
      const character = this.text[this.at];
      if (character === '"') {
        this.at++;
        return;
      }
      if (character === '\\') this.at += 2;
      else if (character === '$') this.#dollar(true);
      else if (character === '`') this.#backtick();
      else this.at++;
    }
    this.at = this.end;
    this.reject('an open quote');
  }

  #dollar(isInQuotes: boolean): void {
    const start = this.at;
    const next = this.peek(1);
    if (next === '(') {
      if (this.peek(2) === '(' && this.skipArithmetic(start + 3)) return;
      this.mark('substitution', start, start + 2);
      this.at = start + 2;
      this.nested();
    } else if (next === '{') this.#braces(isInQuotes);
    else if (next === "'" && !isInQuotes && this.isExtended) this.#ansiQuotes();
    else this.at++;
  }

  /** `${...}`: quotes and expansions inside it count. */
  #braces(isInQuotes: boolean): void {
    this.at += 2;
    if (this.depth >= MAX_DEPTH) {
      this.at = this.end;
      return;
    }
    this.depth++;
    while (this.at < this.end) {
      const character = this.text[this.at];
      if (character === '}') {
        this.at++;
        this.depth--;
        return;
      }
      if (character === '\\') this.at += 2;
      else if (character === "'" && !isInQuotes) this.#singleQuotes();
      else if (character === '"') this.#doubleQuotes();
      else if (character === '$') this.#dollar(isInQuotes);
      else if (character === '`') this.#backtick();
      else this.at++;
    }
    this.depth--;
    this.at = this.end;
    this.reject('an open brace');
  }

  /** `$'...'`: quotes can be escaped. */
  #ansiQuotes(): void {
    this.at += 2;
    while (this.at < this.end) {
      const character = this.text[this.at];
      if (character === '\\') this.at += 2;
      else {
        this.at++;
        if (character === "'") return;
      }
    }
    this.at = this.end;
    this.reject('an open quote');
  }

  #backtick(): void {
    const start = this.at;
    let close = start + 1;
    while (close < this.end && this.text[close] !== '`') close += this.text[close] === '\\' ? 2 : 1;
    this.mark('substitution', start, start + 1);
    if (close >= this.end) {
      this.at = this.end;
      this.reject('an open backtick');
      return;
    }
    if (this.depth < MAX_DEPTH) {
      const end = this.end;
      this.at = start + 1;
      this.end = close;
      this.depth++;
      this.commands(false);
      this.depth--;
      this.end = end;
    }
    this.at = close + 1;
  }

  /**
   * Arithmetic whose `((` ends at `from`: only expansions are active in it. Not arithmetic (no `))` closes it): false,
   * and nothing was read; it is a subshell in a substitution then.
   */
  protected skipArithmetic(from: number): boolean {
    if (this.depth >= MAX_DEPTH) return false;
    let open = 0;
    let close = from;
    for (; close < this.end; close++) {
      const character = this.text[close];
      if (character === '(') open++;
      else if (character === ')' && open > 0) open--;
      else if (character === ')') break;
      else if (character === ';' || character === '\n' || character === "'") return false;
    }
    if (close + 1 >= this.end || this.text[close + 1] !== ')') return false;
    this.at = from;
    this.depth++;
    this.#expansions(close);
    this.depth--;
    this.at = Math.max(this.at, close + 2);
    return true;
  }

  /** The elements of an array, from its `(`. */
  protected arrayElements(): void {
    this.at++;
    while (this.at < this.end) {
      const start = this.at;
      if (this.text[start] === ')') {
        this.at++;
        return;
      }
      this.word();
      if (this.at === start) this.at++;
    }
    this.reject('an open parenthesis');
  }
}
