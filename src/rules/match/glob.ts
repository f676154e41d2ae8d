import type { ByteString } from '../../base/bytes.ts';

/**
 * Matching as fnmatch(3) does without flags: `*` and `?` match slashes and leading dots too, `[...]` one of some
 * characters, a backslash takes the next character as it is. Never backtracks further than to the last star.
 */
export type Glob = readonly GlobPart[];

type GlobPart = { readonly kind: 'star' } | { readonly kind: 'one'; readonly bytes: ByteSet };

/** One flag for each byte. */
type ByteSet = Uint8Array;

const CLASSES: Readonly<Record<string, (byte: number) => boolean>> = {
  alpha: (byte) => isLetter(byte),
  digit: (byte) => isDigit(byte),
  alnum: (byte) => isLetter(byte) || isDigit(byte),
  upper: (byte) => byte >= 65 && byte <= 90,
  lower: (byte) => byte >= 97 && byte <= 122,
  space: (byte) => byte === 32 || (byte >= 9 && byte <= 13),
  blank: (byte) => byte === 32 || byte === 9,
  punct: (byte) => byte > 32 && byte < 127 && !isLetter(byte) && !isDigit(byte),
  print: (byte) => byte >= 32 && byte < 127,
  graph: (byte) => byte > 32 && byte < 127,
  cntrl: (byte) => byte < 32 || byte === 127,
  xdigit: (byte) => isDigit(byte) || (byte >= 65 && byte <= 70) || (byte >= 97 && byte <= 102),
};

/** Nearly all parts are one byte: patterns share their sets. */
const ANY: ByteSet = new Uint8Array(256).fill(1);
const ONLY = Array.from({ length: 256 }, (_, byte) => setOf(byte));
const ONLY_FOLDED = Array.from({ length: 256 }, (_, byte) => {
  const bytes = setOf(byte);
  foldCase(bytes);
  return bytes;
});

function setOf(byte: number): ByteSet {
  const bytes = new Uint8Array(256);
  bytes[byte] = 1;
  return bytes;
}

/** @param ignoresCase of ASCII letters */
export function compileGlob(pattern: ByteString, ignoresCase = false): Glob {
  const parts: GlobPart[] = [];
  for (let at = 0; at < pattern.length; at++) {
    const character = pattern[at];
    if (character === '*') {
      if (parts.at(-1)?.kind !== 'star') parts.push({ kind: 'star' });
      continue;
    }
    let bytes: ByteSet | null = null;
    if (character === '?') {
      bytes = ANY;
    } else if (character === '[') {
      const set = bracketAt(pattern, at);
      if (set !== null) {
        bytes = set.bytes;
        if (ignoresCase) foldCase(bytes);
        at = set.end;
      }
    } else if (character === '\\' && at + 1 < pattern.length) {
      at++;
    }
    const only = ignoresCase ? ONLY_FOLDED : ONLY;
    parts.push({ kind: 'one', bytes: bytes ?? (only[pattern.charCodeAt(at) & 0xff] as ByteSet) });
  }
  return parts;
}

export function matchesGlob(glob: Glob, text: ByteString): boolean {
  let part = 0;
  let at = 0;
  let starPart = -1;
  let starAt = 0;
  while (at < text.length) {
    const current = glob[part];
    if (current?.kind === 'star') {
      starPart = part++;
      starAt = at;
    } else if (current !== undefined && current.bytes[text.charCodeAt(at) & 0xff] === 1) {
      part++;
      at++;
    } else if (starPart !== -1) {
      part = starPart + 1;
      at = ++starAt;
    } else {
      return false;
    }
  }
  while (glob[part]?.kind === 'star') part++;
  return part === glob.length;
}

/** The bytes of a bracket expression and where it ends; null where it is none, and the bracket stands for itself. */
function bracketAt(pattern: ByteString, start: number): { bytes: ByteSet; end: number } | null {
  const bytes = new Uint8Array(256);
  let at = start + 1;
  const isNegated = pattern[at] === '!' || pattern[at] === '^';
  if (isNegated) at++;
  for (let first = true; at < pattern.length; first = false) {
    if (pattern[at] === ']' && !first) {
      if (isNegated) for (let byte = 0; byte < 256; byte++) bytes[byte] = bytes[byte] === 1 ? 0 : 1;
      return { bytes, end: at };
    }
    const name = /^\[:([a-z]+):\]/.exec(pattern.slice(at, at + 12))?.[1];
    const isMember = name === undefined ? undefined : CLASSES[name];
    if (name !== undefined && isMember !== undefined) {
      for (let byte = 0; byte < 256; byte++) if (isMember(byte)) bytes[byte] = 1;
      at += name.length + 4;
      continue;
    }
    if (pattern[at] === '\\' && at + 1 < pattern.length) at++;
    const from = pattern.charCodeAt(at++) & 0xff;
    let to = from;
    if (pattern[at] === '-' && at + 1 < pattern.length && pattern[at + 1] !== ']') {
      at++;
      if (pattern[at] === '\\' && at + 1 < pattern.length) at++;
      to = pattern.charCodeAt(at++) & 0xff;
    }
    for (let byte = from; byte <= to; byte++) bytes[byte] = 1;
  }
  return null;
}

function foldCase(bytes: ByteSet): void {
  for (let upper = 65; upper <= 90; upper++) {
    if (bytes[upper] === 1 || bytes[upper + 32] === 1) bytes[upper] = bytes[upper + 32] = 1;
  }
}

function isLetter(byte: number): boolean {
  const lower = byte | 32;
  return lower >= 97 && lower <= 122;
}

function isDigit(byte: number): boolean {
  return byte >= 48 && byte <= 57;
}

/** What every match holds, for quick refusals: the literal text at its beginning, at its end, and the longest in between. */
export interface GlobLiterals {
  readonly prefix: ByteString;
  readonly suffix: ByteString;
  readonly longest: ByteString;
  /** Nothing but literals and stars: 'a', 'a*', '*a', '*a*', '*'; null for anything else. */
  readonly form: 'equal' | 'prefix' | 'suffix' | 'inside' | 'all' | null;
}

export function globLiterals(glob: Glob): GlobLiterals {
  const runs: ByteString[] = [''];
  let isPlain = true;
  for (const part of glob) {
    const byte = part.kind === 'star' ? null : onlyByte(part.bytes);
    if (part.kind === 'one' && byte === null) isPlain = false;
    if (byte === null) runs.push('');
    else runs.push((runs.pop() ?? '') + String.fromCharCode(byte));
  }
  const prefix = runs[0] ?? '';
  const suffix = runs.at(-1) ?? '';
  const longest = runs.reduce((best, run) => (run.length > best.length ? run : best), '');
  return { prefix, suffix, longest, form: isPlain ? formOf(runs) : null };
}

function formOf(runs: readonly ByteString[]): GlobLiterals['form'] {
  const [first = '', second = '', third = ''] = runs;
  if (runs.length === 1) return 'equal';
  if (runs.length === 2) {
    if (second === '') return first === '' ? 'all' : 'prefix';
    return first === '' ? 'suffix' : null;
  }
  return runs.length === 3 && first === '' && third === '' && second !== '' ? 'inside' : null;
}

function onlyByte(bytes: ByteSet): number | null {
  const first = bytes.indexOf(1);
  return first !== -1 && bytes.indexOf(1, first + 1) === -1 ? first : null;
}
