import type { ByteString } from '../../base/bytes.ts';
import { hasParentSegment } from '../../base/path.ts';
import { printable } from '../../base/printable.ts';
import { ATTACKER_CHOSEN_COMMANDS } from '../attack-commands.ts';
import type { Needle } from '../needles.ts';
import type { ShellMark, ShellScan } from './shell.ts';

/** What a needle's place in a program text means. */
export interface Judgement {
  readonly verdict: 'SUSPICIOUS' | 'EXPLOITED';
  /** For people: what is decisive. */
  readonly note: string;
  /** For the title: "runs `id`". */
  readonly deed: string;
}

/** Shorter runs of words stand in fixed commands by chance. */
const SHORTEST_PHRASE = 5;

/**
 * Whether the bytes from `start` to `end` of a command line changed its structure.
 *
 * They did when an active separator, substitution or redirection and what it acts on both begin inside them, or when
 * they name the program. They did not when they stay inside one argument or inside quotes, nor when all that is
 * active in them is what they end with: `foo;` in `echo foo; ls` is chance.
 *
 * A value that is the whole command line is a class of its own: an application made to run what it is sent (a build
 * runner, an administration console) and a complete takeover look the same, there is no structure of the application's
 * that the value could have broken. It is SUSPICIOUS, whatever it contains, and left to policy and behavior.
 */
export function judgeShellSpan(
  scan: ShellScan,
  text: ByteString,
  start: number,
  end: number,
  needle: Needle,
): Judgement | null {
  const judgement = structureOf(scan, text, start, end) ?? programNamed(scan, text, start, end, needle);
  if (judgement === null || !isWholeLine(text, start, end)) return judgement;
  return {
    verdict: 'SUSPICIOUS',
    note: 'is the whole command line: an application made to run what it is sent, or a takeover',
    deed: `runs ${quoted(text.slice(start, end))}`,
  };
}

function isWholeLine(text: ByteString, start: number, end: number): boolean {
  return text.slice(0, start).trim() === '' && text.slice(end).trim() === '';
}

function structureOf(scan: ShellScan, text: ByteString, start: number, end: number): Judgement | null {
  /** The first separator or substitution: what runs next runs because of it. */
  let opener: ShellMark | null = null;
  for (let index = firstFrom(scan.marks, start); index < scan.marks.length; index++) {
    const mark = scan.marks[index];
    if (mark === undefined || mark.start >= end) return null;
    if (mark.kind === 'command') {
      if (opener === null) continue;
      const name = quoted(text.slice(mark.start, mark.end));
      const by = text.slice(opener.start, opener.end);
      const note =
        opener.kind === 'substitution'
          ? `runs ${name} in a substitution opened by ${quoted(by)}`
          : `starts a new command ${name} after ${by === '\n' ? 'a line end' : quoted(by)}`;
      return decided(scan, mark.start, note, `runs ${name}`);
    }
    if (mark.end > end) continue;
    if (mark.kind !== 'redirection') {
      opener ??= mark;
    } else if (mark.target >= start && mark.target < end) {
      const target = quoted(text.slice(mark.target, mark.targetEnd));
      const operator = quoted(text.slice(mark.start, mark.end));
      return decided(scan, mark.start, `redirects with ${operator} to ${target}`, `redirects to ${target}`);
    }
  }
  return null;
}

/** Index of the first mark that starts at or after an offset. */
function firstFrom(marks: readonly ShellMark[], offset: number): number {
  let low = 0;
  let high = marks.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((marks[middle]?.start ?? offset) < offset) low = middle + 1;
    else high = middle;
  }
  return low;
}

function decided(scan: ShellScan, at: number, note: string, deed: string): Judgement {
  if (at < scan.rejectedFrom) return { verdict: 'EXPLOITED', note, deed };
  return {
    verdict: 'SUSPICIOUS',
    note: `${note}; but the shell cannot parse the line (${printable(scan.problem ?? 'syntax error', 60)}) and runs none of it`,
    deed: `breaks out of its argument`,
  };
}

/** The needle names the program of a command, without any active byte of its own. */
function programNamed(
  scan: ShellScan,
  text: ByteString,
  start: number,
  end: number,
  needle: Needle,
): Judgement | null {
  const from = start + leadingBlanks(text, start, end);
  for (const mark of scan.marks) {
    if (mark.start >= end) return null;
    if (mark.kind !== 'command' || mark.end <= from) continue;
    const name = quoted(text.slice(mark.start, mark.end));
    const note = `names the program ${name} that the shell runs`;
    if (mark.start < from) {
      if (isClimbing(needle.form)) return decided(scan, mark.start, note, `runs ${name}`);
      continue;
    }
    if (mark.end > end) continue;
    // `A=${value} ./run` with a value of `x id`: the blank ends the assignment.
    if (mark.start > from)
      return decided(scan, mark.start, `starts the command ${name} after a blank`, `runs ${name}`);
    const isPhrase = mark.end < end && end - from >= SHORTEST_PHRASE && /[ \t]/.test(text.charAt(mark.end));
    if (isPhrase || isChosenProgram(needle)) return decided(scan, mark.start, note, `runs ${name}`);
  }
  return null;
}

function leadingBlanks(text: ByteString, start: number, end: number): number {
  let at = start;
  while (at < end && ' \t\n'.includes(text.charAt(at))) at++;
  return at - start;
}

/** Long enough, and it leaves a directory: a program outside of the application's own directory. */
export function isClimbing(form: ByteString): boolean {
  return form.length >= 5 && hasParentSegment(form);
}

/**
 * Whether a needle that equals a program's name is more than chance: a path, or a name that attackers want, from an
 * input that is no path segment (`/api/curl` runs curl) and no header.
 */
export function isChosenProgram({ form, input }: Needle): boolean {
  if (form.includes('/')) return form.length >= 4 && input.location !== 'path';
  return ATTACKER_CHOSEN_COMMANDS.has(form) && input.location !== 'path' && input.location !== 'header';
}

function quoted(bytes: ByteString): string {
  return `\`${printable(bytes, 80)}\``;
}

const OPENERS = '\'"`';

/**
 * Whether the bytes from `start` to `end` of an interpreter's program text are more than the content of one literal.
 * The scan knows string literals as all these languages write them, not comments, regular expressions or q{}: so what
 * it says is EXPLOITED only where a value closes the literal that the application had opened and calls something.
 */
export function judgeCodeSpan(text: ByteString, start: number, end: number): Judgement | null {
  let quote = '';
  let quoteAtStart = '';
  let closedAt = -1;
  for (let at = 0; at < end; at++) {
    if (at === start) quoteAtStart = quote;
    const character = text.charAt(at);
    if (quote === '') {
      if (OPENERS.includes(character)) quote = character;
    } else if (character === '\\') {
      if (at + 1 === start) quoteAtStart = quote;
      at++;
    } else if (character === quote) {
      if (at >= start && closedAt === -1 && quoteAtStart !== '') closedAt = at;
      quote = '';
    }
  }
  const value = text.slice(start, end);
  if (quoteAtStart === '') {
    return /[(;`=\n]/.test(value)
      ? { verdict: 'SUSPICIOUS', note: 'stands in the program text as code', deed: `runs ${quoted(value)}` }
      : null;
  }
  if (closedAt === -1) {
    const isInterpolated = quoteAtStart !== "'" && /[#$@]\{[^}]*\}/.test(value);
    return isInterpolated
      ? { verdict: 'SUSPICIOUS', note: 'interpolates code into a literal', deed: `runs ${quoted(value)}` }
      : null;
  }
  const rest = text.slice(closedAt + 1, end);
  if (!/[(;`+.]/.test(rest)) return null;
  const calls = /[\w$\])]\s*\(|`/.test(rest);
  return {
    verdict: calls ? 'EXPLOITED' : 'SUSPICIOUS',
    note: 'closes the literal that it was put into and goes on as code',
    deed: `runs ${quoted(rest)}`,
  };
}
