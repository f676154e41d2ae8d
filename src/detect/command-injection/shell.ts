import type { ByteString } from '../../base/bytes.ts';
import { ShellWords, type Mark, type ShellDialect, type ShellScan } from './shell-words.ts';

export type { ShellDialect, ShellMark, ShellScan } from './shell-words.ts';

/**
 * What is active in a shell command line: which bytes separate commands, redirect, substitute, and where each command
 * begins. Bytes that are quoted, escaped or ordinary arguments leave no mark. One pass, linear time, bounded depth.
 *
 * It follows POSIX sh with the additions of bash, ksh, zsh and busybox where `dialect` is 'extended' (`$'...'`,
 * `<(...)`, `[[ ]]`, `&>`). It need not understand what a hostile value does after its first active byte: that one is
 * decisive already. It must understand what the application wrote before it, and ordinary scripts are that.
 *
 * libddwaf's tokenizer answers whether a value is active, neither where nor what it runs, reads 4 KiB at most, and
 * does not know lines that the shell refuses; it serves the tests as a second opinion.
 */
export function scanShell(text: ByteString, dialect: ShellDialect): ShellScan {
  return new ShellCommands(text, dialect).scan();
}

const OPENING_WORDS = new Set(['if', 'do', 'case', '{']);
const CLOSING_WORDS = new Set(['fi', 'done', 'esac', '}']);
/** Reserved words after which another command is expected. */
const LEADING_WORDS = new Set(['if', 'then', 'elif', 'else', 'while', 'until', 'do', '!', '{', 'time']);
/** Reserved words that go on with an `if`. */
const BRANCH_WORDS = new Set(['then', 'elif', 'else']);
/** Words that open what a `do` goes on with. */
const LOOP_WORDS = new Set(['while', 'until', 'for', 'select']);
const ASSIGNMENT = /^[A-Za-z_]\w*(?:\[[^\]]{0,64}\])?\+?=/;
const LONGEST_ASSIGNED_NAME = 96;
const DIGITS = /^\d+$/;
const FUNCTION_PARENTHESES = /\([ \t]*\)/y;

/** Where a list of commands stands. */
interface ListState {
  /** Nothing was read since the last separator. */
  isEmpty: boolean;
  /** The next word names a program. */
  atCommand: boolean;
  /** After && || | or a function's name: a line end does not complete the command. */
  isJoined: boolean;
  /** Inside `[[ ]]`, where operators compare. */
  isConditional: boolean;
  openWords: number;
  openCases: number;
  openLoops: number;
  /** The redirection whose target has not been read. */
  redirection: Mark | null;
}

class ShellCommands extends ShellWords {
  scan(): ShellScan {
    this.commands(false);
    return this.result();
  }

  protected override commands(untilParenthesis: boolean): void {
    const list: ListState = {
      isEmpty: true,
      atCommand: true,
      isJoined: false,
      isConditional: false,
      openWords: 0,
      openCases: 0,
      openLoops: 0,
      redirection: null,
    };
    while (this.at < this.end) {
      const character = this.text.charAt(this.at);
      if (character === ' ' || character === '\t') this.at++;
      else if (character === '\\' && this.peek(1) === '\n') this.at += 2;
      else if (character === '#') this.#comment();
      else if (character === '\n') this.#lineEnd(list);
      else if (character === ')' && untilParenthesis && !list.isConditional && list.openCases === 0) {
        this.#finish(list);
        this.at++;
        return;
      } else if (list.isConditional) this.#conditional(list);
      else if (!this.#operator(list, character)) this.#commandWord(list);
    }
    this.#finish(list);
    if (untilParenthesis) this.reject('an open parenthesis');
  }

  #finish(list: ListState): void {
    this.#expectNoTarget(list);
    if (list.isJoined && list.isEmpty) this.reject('a command is missing');
    if (list.openWords > 0 || list.openLoops > 0 || list.isConditional)
      this.reject('a compound command is open');
  }

  #expectNoTarget(list: ListState): void {
    if (list.redirection !== null) this.reject('a redirection without a target');
    list.redirection = null;
  }

  #comment(): void {
    while (this.at < this.end && this.text[this.at] !== '\n') this.at++;
  }

  #lineEnd(list: ListState): void {
    this.#expectNoTarget(list);
    this.mark('separator', this.at, this.at + 1);
    this.at++;
    this.readHereDocuments();
    list.isEmpty = true;
    list.atCommand = true;
    if (!list.isJoined && this.depth === 0 && list.openWords === 0 && list.openLoops <= 0)
      this.lineStart = this.at;
  }

  /** Reads an operator; false when a word begins here. */
  #operator(list: ListState, character: string): boolean {
    const next = this.peek(1);
    switch (character) {
      case ';':
        if (next === ';' && list.openCases === 0) this.reject('unexpected ;;');
        this.#separate(list, next === ';' || (next === '&' && list.openCases > 0) ? 2 : 1, false);
        return true;
      case '&':
        if (next === '>' && this.isExtended) this.#redirect(list, this.at);
        else this.#separate(list, next === '&' ? 2 : 1, next === '&');
        return true;
      case '|':
        this.#separate(list, next === '|' || (next === '&' && this.isExtended) ? 2 : 1, true);
        return true;
      case '(':
        this.#openParenthesis(list);
        return true;
      case ')':
        if (list.openCases === 0) this.reject('unexpected )');
        // The end of a pattern.
        list.isEmpty = true;
        list.atCommand = true;
        this.at++;
        return true;
      case '<':
      case '>':
        if (this.isExtended && next === '(') return false;
        this.#expectNoTarget(list);
        this.#redirect(list, this.at);
        return true;
      default:
        return false;
    }
  }

  #separate(list: ListState, length: number, joins: boolean): void {
    this.#expectNoTarget(list);
    if (list.isEmpty && list.openCases === 0) {
      this.reject(`unexpected ${this.text.slice(this.at, this.at + length)}`);
    }
    this.mark('separator', this.at, this.at + length);
    this.at += length;
    list.isEmpty = true;
    list.atCommand = true;
    list.isJoined = joins;
  }

  /** @param start of the operator or of the descriptor's number before it, which was read */
  #redirect(list: ListState, start: number): void {
    list.redirection = this.redirection(start);
    list.isEmpty = false;
    list.isJoined = false;
  }

  #openParenthesis(list: ListState): void {
    if (list.openCases > 0) {
      this.at++;
      return;
    }
    const isDouble = this.isExtended && this.peek(1) === '(';
    if (list.isEmpty && list.atCommand) {
      if (!isDouble || !this.skipArithmetic(this.at + 2)) {
        this.mark('separator', this.at, this.at + 1);
        this.at++;
        this.nested();
      }
      list.isEmpty = false;
      list.isJoined = false;
      list.atCommand = false;
      return;
    }
    FUNCTION_PARENTHESES.lastIndex = this.at;
    if (FUNCTION_PARENTHESES.test(this.text) && FUNCTION_PARENTHESES.lastIndex <= this.end) {
      this.at = FUNCTION_PARENTHESES.lastIndex;
      this.#expectBody(list);
      return;
    }
    // for ((i = 0; i < 3; i++))
    if (!isDouble || !this.skipTo('))')) this.reject('unexpected (');
    this.at++;
  }

  #expectBody(list: ListState): void {
    list.isEmpty = true;
    list.atCommand = true;
    list.isJoined = true;
  }

  #conditional(list: ListState): void {
    const start = this.at;
    this.word();
    if (this.at === start) this.at++;
    if (this.text.slice(start, this.at) === ']]') list.isConditional = false;
  }

  /** A word: a program's name, a reserved word, an assignment, an argument, the target of a redirection. */
  #commandWord(list: ListState): void {
    const start = this.at;
    const mark = list.atCommand && list.redirection === null ? this.mark('command', start, start) : null;
    this.word();
    if (this.at === start) this.at++;
    if (mark !== null) mark.end = this.at;

    if (list.redirection !== null) {
      list.redirection.target = start;
      list.redirection.targetEnd = this.at;
      list.redirection = null;
      return;
    }
    const word = this.text.slice(start, Math.min(this.at, start + LONGEST_ASSIGNED_NAME));
    const isDescriptor = (this.peek() === '<' || this.peek() === '>') && DIGITS.test(word);
    if (isDescriptor && mark !== null) this.drop(mark);
    if (isDescriptor) this.#redirect(list, start);
    else if (mark !== null) this.#commandName(list, mark, word);
  }

  #commandName(list: ListState, mark: Mark, word: ByteString): void {
    // Words are reserved only where a command begins, not after its assignments and redirections.
    const isFirst = list.isEmpty;
    list.isEmpty = false;
    list.isJoined = false;
    if (ASSIGNMENT.test(word)) {
      this.drop(mark);
      if (word.endsWith('=') && this.peek() === '(') this.arrayElements();
      return;
    }
    list.atCommand = false;
    if (isFirst) this.#reservedWord(list, mark, word);
  }

  #reservedWord(list: ListState, mark: Mark, word: ByteString): void {
    if (CLOSING_WORDS.has(word)) {
      this.drop(mark);
      if (list.openWords === 0) this.reject(`unexpected ${word}`);
      list.openWords = Math.max(0, list.openWords - 1);
      if (word === 'esac') list.openCases = Math.max(0, list.openCases - 1);
      return;
    }
    if (BRANCH_WORDS.has(word) && list.openWords === 0) this.reject(`unexpected ${word}`);
    if (LOOP_WORDS.has(word)) list.openLoops++;
    else if (word === 'do') {
      if (list.openLoops === 0) this.reject('unexpected do');
      list.openLoops--;
    }
    if (OPENING_WORDS.has(word)) list.openWords++;
    if (word === 'case') list.openCases++;
    if (LEADING_WORDS.has(word)) {
      this.drop(mark);
      list.atCommand = true;
      list.isEmpty = word !== '!' || !this.isExtended;
    } else if (word === 'function' && this.isExtended) {
      while (this.peek() === ' ' || this.peek() === '\t') this.at++;
      this.word();
      this.#expectBody(list);
    } else if (word === '[[' && this.isExtended) list.isConditional = true;
  }
}
