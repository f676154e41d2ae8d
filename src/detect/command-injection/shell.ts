import type { ByteString } from '../../base/bytes.ts';

/**
 * What is active in a shell command line: which bytes separate commands, redirect, substitute, and where each command
 * begins. Bytes that are quoted, escaped or ordinary arguments leave no mark. One pass, linear time, bounded depth.
 *
 * It follows POSIX sh with the additions of bash, ksh, zsh and busybox where `dialect` is 'extended' (`$'...'`,
 * `<(...)`, `[[ ]]`, `&>`). It need not understand what a hostile value does after its first active byte: that one is
 * decisive already. It must understand what the application wrote before it, and ordinary scripts are that.
 */
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

interface Mark {
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

const OPENING_WORDS = new Set(['if', 'do', 'case', '{']);
const CLOSING_WORDS = new Set(['fi', 'done', 'esac', '}']);
/** Reserved words after which another command is expected. */
const LEADING_WORDS = new Set(['if', 'then', 'elif', 'else', 'while', 'until', 'do', '!', '{', 'time']);
/** Reserved words that go on with an `if`. */
const BRANCH_WORDS = new Set(['then', 'elif', 'else']);
/** Words that open what a `do` goes on with. */
const LOOP_WORDS = new Set(['while', 'until', 'for', 'select']);
const ASSIGNMENT = /^[A-Za-z_]\w*(?:\[[^\]]{0,64}\])?\+?=/;
const DIGITS = /^\d+$/;
const FUNCTION_PARENTHESES = /\([ \t]*\)/y;

export function scanShell(text: ByteString, dialect: ShellDialect): ShellScan {
  return new Scanner(text, dialect === 'extended').scan();
}

class Scanner {
  readonly #text: ByteString;
  readonly #isExtended: boolean;
  readonly #marks: Mark[] = [];
  readonly #hereDocuments: HereDocument[] = [];
  #at = 0;
  /** The region being read ends here: the text's end, or the closing backtick. */
  #end: number;
  #depth = 0;
  /** Start of the complete command that is being read, outside of any nesting. */
  #lineStart = 0;
  #rejectedFrom: number;
  #problem: string | null = null;

  constructor(text: ByteString, isExtended: boolean) {
    this.#text = text;
    this.#isExtended = isExtended;
    this.#end = text.length;
    this.#rejectedFrom = text.length;
  }

  scan(): ShellScan {
    this.#list(false);
    this.#marks.sort((one, other) => one.start - other.start);
    return { marks: this.#marks, rejectedFrom: this.#rejectedFrom, problem: this.#problem };
  }

  #reject(problem: string): void {
    if (this.#problem !== null) return;
    this.#problem = problem;
    this.#rejectedFrom = this.#lineStart;
  }

  #mark(kind: ShellMark['kind'], start: number, end: number): Mark {
    const mark: Mark = { kind, start, end, target: -1, targetEnd: -1 };
    if (this.#marks.length < MAX_MARKS) this.#marks.push(mark);
    return mark;
  }

  #peek(ahead = 0): string {
    return this.#at + ahead < this.#end ? (this.#text[this.#at + ahead] ?? '') : '';
  }

  /** Commands up to the end of the region, or up to and with `)`. */
  #list(untilParenthesis: boolean): void {
    const text = this.#text;
    /** Nothing was read since the last separator. */
    let isEmpty = true;
    /** The next word names a program. */
    let atCommand = true;
    /** After && || |: a line end does not complete the command. */
    let isJoined = false;
    let isConditional = false;
    let openWords = 0;
    let openCases = 0;
    let openLoops = 0;
    let awaitsTarget: Mark | null = null;

    const separate = (length: number, joins: boolean): void => {
      if (awaitsTarget !== null) this.#reject('a redirection without a target');
      awaitsTarget = null;
      if (isEmpty && openCases === 0) this.#reject(`unexpected ${text.slice(this.#at, this.#at + length)}`);
      this.#mark('separator', this.#at, this.#at + length);
      this.#at += length;
      isEmpty = true;
      atCommand = true;
      isJoined = joins;
    };

    const filled = (): void => {
      isEmpty = false;
      isJoined = false;
    };

    while (this.#at < this.#end) {
      const character = text[this.#at] ?? '';
      const next = this.#peek(1);
      switch (character) {
        case ' ':
        case '\t':
          this.#at++;
          continue;
        case '\n':
          if (awaitsTarget !== null) this.#reject('a redirection without a target');
          awaitsTarget = null;
          this.#mark('separator', this.#at, this.#at + 1);
          this.#at++;
          this.#readHereDocuments();
          isEmpty = true;
          atCommand = true;
          if (!isJoined && this.#depth === 0 && openWords === 0 && openLoops <= 0) this.#lineStart = this.#at;
          continue;
        case '#':
          while (this.#at < this.#end && text[this.#at] !== '\n') this.#at++;
          continue;
        case ';':
          if (isConditional) break;
          if (next === ';' || (next === '&' && openCases > 0)) {
            if (openCases === 0) this.#reject('unexpected ;;');
            separate(2, false);
          } else separate(1, false);
          continue;
        case '&':
          if (isConditional) {
            this.#at++;
            continue;
          }
          if (next === '&') separate(2, true);
          else if (next === '>' && this.#isExtended) {
            awaitsTarget = this.#redirection(this.#at);
            filled();
          } else separate(1, false);
          continue;
        case '|':
          if (isConditional) {
            this.#at++;
            continue;
          }
          separate(next === '|' || (next === '&' && this.#isExtended) ? 2 : 1, true);
          continue;
        case '(':
          if (isConditional || openCases > 0) {
            this.#at++;
            continue;
          }
          if (isEmpty && atCommand) {
            if (next === '(' && this.#isExtended && this.#skipArithmetic(this.#at + 2)) {
              filled();
              atCommand = false;
              continue;
            }
            this.#mark('separator', this.#at, this.#at + 1);
            this.#at++;
            this.#nested();
            filled();
            atCommand = false;
            continue;
          }
          FUNCTION_PARENTHESES.lastIndex = this.#at;
          if (FUNCTION_PARENTHESES.test(text) && FUNCTION_PARENTHESES.lastIndex <= this.#end) {
            this.#at = FUNCTION_PARENTHESES.lastIndex;
            isEmpty = true;
            atCommand = true;
            isJoined = true;
            continue;
          }
          // for ((i = 0; i < 3; i++))
          if (next !== '(' || !this.#isExtended || !this.#skipTo('))')) this.#reject('unexpected (');
          this.#at++;
          continue;
        case ')':
          if (isConditional) {
            this.#at++;
            continue;
          }
          if (openCases > 0) {
            this.#at++;
            isEmpty = true;
            atCommand = true;
            continue;
          }
          if (!untilParenthesis) {
            this.#reject('unexpected )');
            this.#at++;
            continue;
          }
          if (isJoined && isEmpty) this.#reject('a command is missing');
          if (awaitsTarget !== null) this.#reject('a redirection without a target');
          if (openWords > 0) this.#reject('a compound command is open');
          this.#at++;
          return;
        case '<':
        case '>':
          if (isConditional) {
            this.#at++;
            continue;
          }
          if (this.#isExtended && next === '(') break;
          if (awaitsTarget !== null) this.#reject('a redirection without a target');
          awaitsTarget = this.#redirection(this.#at);
          filled();
          continue;
      }
      if (character === '\\' && next === '\n') {
        this.#at += 2;
        continue;
      }

      // A word.
      const start = this.#at;
      const startsCommand = atCommand && awaitsTarget === null && !isConditional;
      const mark = startsCommand ? this.#mark('command', start, start) : null;
      this.#word();
      if (this.#at === start) this.#at++;
      const word = text.slice(start, Math.min(this.#at, start + 96));

      if (awaitsTarget !== null) {
        awaitsTarget.target = start;
        awaitsTarget.targetEnd = this.#at;
        awaitsTarget = null;
        continue;
      }
      if (isConditional) {
        if (word === ']]') isConditional = false;
        continue;
      }
      if (mark === null) {
        if (DIGITS.test(word) && (this.#peek() === '<' || this.#peek() === '>')) {
          awaitsTarget = this.#redirection(start);
        }
        continue;
      }
      mark.end = this.#at;
      // Words are reserved only where a command begins, not after its assignments and redirections.
      const isFirst = isEmpty;
      if (DIGITS.test(word) && (this.#peek() === '<' || this.#peek() === '>')) {
        this.#drop(mark);
        awaitsTarget = this.#redirection(start);
        filled();
        continue;
      }
      if (ASSIGNMENT.test(word)) {
        this.#drop(mark);
        filled();
        if (this.#peek() === '(' && word.endsWith('=')) {
          this.#at++;
          this.#arrayElements();
        }
        continue;
      }
      filled();
      if (!isFirst) {
        atCommand = false;
        continue;
      }
      if (CLOSING_WORDS.has(word)) {
        this.#drop(mark);
        if (openWords === 0) this.#reject(`unexpected ${word}`);
        openWords = Math.max(0, openWords - 1);
        if (word === 'esac') openCases = Math.max(0, openCases - 1);
        atCommand = false;
        continue;
      }
      if (BRANCH_WORDS.has(word) && openWords === 0) this.#reject(`unexpected ${word}`);
      if (LOOP_WORDS.has(word)) openLoops++;
      else if (word === 'do') {
        if (openLoops === 0) this.#reject('unexpected do');
        openLoops--;
      }
      if (OPENING_WORDS.has(word)) {
        openWords++;
        if (word === 'case') openCases++;
      }
      if (LEADING_WORDS.has(word)) {
        this.#drop(mark);
        isEmpty = word !== '!' || !this.#isExtended;
        continue;
      }
      if (word === 'function' && this.#isExtended) {
        while (this.#peek() === ' ' || this.#peek() === '\t') this.#at++;
        this.#word();
        isEmpty = true;
        isJoined = true;
        continue;
      }
      if (word === '[[' && this.#isExtended) isConditional = true;
      atCommand = false;
    }

    if (awaitsTarget !== null) this.#reject('a redirection without a target');
    if (isJoined && isEmpty) this.#reject('a command is missing');
    if (openWords > 0 || openLoops > 0 || isConditional) this.#reject('a compound command is open');
    if (untilParenthesis) this.#reject('an open parenthesis');
  }

  /** The mark was of no command: a reserved word, an assignment, the number of a descriptor. */
  #drop(mark: Mark): void {
    const at = this.#marks.lastIndexOf(mark);
    if (at !== -1) this.#marks.splice(at, 1);
  }

  /** A list in parentheses, whose `(` was read. */
  #nested(): void {
    if (this.#depth >= MAX_DEPTH) {
      this.#at = this.#end;
      return;
    }
    this.#depth++;
    this.#list(true);
    this.#depth--;
  }

  /** Moves to the last byte of what is searched for, if it comes. */
  #skipTo(closing: string): boolean {
    const at = this.#text.indexOf(closing, this.#at);
    if (at === -1 || at + closing.length > this.#end) return false;
    this.#at = at + closing.length - 1;
    return true;
  }

  /** A redirection operator; the position may stand on its descriptor number already read. */
  #redirection(start: number): Mark {
    const text = this.#text;
    if (text[this.#at] === '&') this.#at++;
    const first = text[this.#at++];
    const rest = text.slice(this.#at, Math.min(this.#at + 2, this.#end));
    let isHereDocument = false;
    if (first === '<' && rest.startsWith('<')) {
      if (rest === '<<') this.#at += 2;
      else {
        isHereDocument = true;
        this.#at += rest === '<-' ? 2 : 1;
      }
    } else if (rest !== '' && (first === '<' ? '&>' : '>&|').includes(rest.charAt(0))) this.#at++;
    const mark = this.#mark('redirection', start, this.#at);
    if (isHereDocument) this.#hereDocumentDelimiter(rest === '<-');
    return mark;
  }

  #hereDocumentDelimiter(stripsTabs: boolean): void {
    let at = this.#at;
    while (at < this.#end && (this.#text[at] === ' ' || this.#text[at] === '\t')) at++;
    const match = /(?:'[^'\n]*'|"[^"\n]*"|\\.|[^\s'"\\;&|<>()])+/y;
    match.lastIndex = at;
    const raw = match.exec(this.#text.slice(0, Math.min(this.#end, at + 256)))?.[0] ?? '';
    if (raw === '') return;
    const delimiter = raw.replace(/['"\\]/g, '');
    this.#hereDocuments.push({ delimiter, isQuoted: delimiter !== raw, stripsTabs });
  }

  /** The bodies of the here-documents whose operators stood on the line that just ended. */
  #readHereDocuments(): void {
    for (const document of this.#hereDocuments.splice(0)) {
      for (;;) {
        if (this.#at >= this.#end) return;
        let lineEnd = this.#text.indexOf('\n', this.#at);
        if (lineEnd === -1 || lineEnd > this.#end) lineEnd = this.#end;
        const line = this.#text.slice(this.#at, lineEnd);
        if ((document.stripsTabs ? line.replace(/^\t+/, '') : line) === document.delimiter) {
          this.#at = Math.min(lineEnd + 1, this.#end);
          if (this.#at > lineEnd) this.#mark('separator', lineEnd, this.#at);
          break;
        }
        if (document.isQuoted) this.#at = lineEnd;
        else this.#expansions(lineEnd);
        this.#at = Math.min(Math.max(this.#at, lineEnd + 1), this.#end);
      }
    }
  }

  /** Text in which only expansions are active, as in double quotes, up to an offset. */
  #expansions(until: number): void {
    while (this.#at < until) {
      const character = this.#text[this.#at];
      if (character === '\\') this.#at += 2;
      else if (character === '$') this.#dollar(true);
      else if (character === '`') this.#backtick();
      else this.#at++;
    }
  }

  #word(): void {
    const text = this.#text;
    while (this.#at < this.#end) {
      switch (text[this.#at]) {
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
          if (!this.#isExtended || this.#peek(1) !== '(') return;
          this.#mark('substitution', this.#at, this.#at + 2);
          this.#at += 2;
          this.#nested();
          break;
        case '\\':
          this.#at = Math.min(this.#at + 2, this.#end);
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
          this.#at++;
      }
    }
  }

  #singleQuotes(): void {
    const close = this.#text.indexOf("'", this.#at + 1);
    if (close === -1 || close >= this.#end) {
      this.#reject('an open quote');
      this.#at = this.#end;
    } else this.#at = close + 1;
  }

  #doubleQuotes(): void {
    this.#at++;
    while (this.#at < this.#end) {
      const character = this.#text[this.#at];
      if (character === '"') {
        this.#at++;
        return;
      }
      if (character === '\\') this.#at += 2;
      else if (character === '$') this.#dollar(true);
      else if (character === '`') this.#backtick();
      else this.#at++;
    }
    this.#at = this.#end;
    this.#reject('an open quote');
  }

  #dollar(isInQuotes: boolean): void {
    const start = this.#at;
    const next = this.#peek(1);
    if (next === '(') {
      if (this.#peek(2) === '(' && this.#skipArithmetic(start + 3)) return;
      this.#mark('substitution', start, start + 2);
      this.#at = start + 2;
      this.#nested();
    } else if (next === '{') this.#braces(isInQuotes);
    else if (next === "'" && !isInQuotes && this.#isExtended) this.#ansiQuotes();
    else this.#at++;
  }

  /** `${...}`: quotes and expansions inside it count. */
  #braces(isInQuotes: boolean): void {
    this.#at += 2;
    if (this.#depth >= MAX_DEPTH) {
      this.#at = this.#end;
      return;
    }
    this.#depth++;
    while (this.#at < this.#end) {
      const character = this.#text[this.#at];
      if (character === '}') {
        this.#at++;
        this.#depth--;
        return;
      }
      if (character === '\\') this.#at += 2;
      else if (character === "'" && !isInQuotes) this.#singleQuotes();
      else if (character === '"') this.#doubleQuotes();
      else if (character === '$') this.#dollar(isInQuotes);
      else if (character === '`') this.#backtick();
      else this.#at++;
    }
    this.#depth--;
    this.#at = this.#end;
    this.#reject('an open brace');
  }

  /** `$'...'`: quotes can be escaped. */
  #ansiQuotes(): void {
    this.#at += 2;
    while (this.#at < this.#end) {
      const character = this.#text[this.#at];
      if (character === '\\') this.#at += 2;
      else {
        this.#at++;
        if (character === "'") return;
      }
    }
    this.#at = this.#end;
    this.#reject('an open quote');
  }

  #backtick(): void {
    const text = this.#text;
    const start = this.#at;
    let close = start + 1;
    while (close < this.#end && text[close] !== '`') close += text[close] === '\\' ? 2 : 1;
    if (close >= this.#end) {
      this.#mark('substitution', start, start + 1);
      this.#at = this.#end;
      this.#reject('an open backtick');
      return;
    }
    this.#mark('substitution', start, start + 1);
    this.#at = start + 1;
    if (this.#depth < MAX_DEPTH) {
      const end = this.#end;
      this.#end = close;
      this.#depth++;
      this.#list(false);
      this.#depth--;
      this.#end = end;
    }
    this.#at = close + 1;
  }

  /**
   * Arithmetic whose `((` ends at `from`: only expansions are active in it. Not arithmetic (no `))` closes it): false,
   * and nothing was read; it is a subshell in a substitution then.
   */
  #skipArithmetic(from: number): boolean {
    const text = this.#text;
    let open = 0;
    let close = from;
    for (; close < this.#end; close++) {
      const character = text[close];
      if (character === '(') open++;
      else if (character === ')' && open > 0) open--;
      else if (character === ')') break;
      else if (character === ';' || character === '\n' || character === "'") return false;
    }
    if (text[close + 1] !== ')' || close + 1 >= this.#end) return false;
    if (this.#depth >= MAX_DEPTH) return false;
    this.#at = from;
    this.#depth++;
    this.#expansions(close);
    this.#depth--;
    this.#at = Math.max(this.#at, close + 2);
    return true;
  }

  #arrayElements(): void {
    while (this.#at < this.#end) {
      const character = this.#text[this.#at];
      if (character === ')') {
        this.#at++;
        return;
      }
      const start = this.#at;
      if (!' \t\n;&|(<>'.includes(character ?? '')) this.#word();
      if (this.#at === start) this.#at++;
    }
    this.#reject('an open parenthesis');
  }
}
