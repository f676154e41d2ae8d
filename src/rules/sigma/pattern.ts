/**
 * Texts of Sigma with their wildcards: `*` stands for any characters, `?` for one; a backslash makes a wildcard or a backslash
 * plain, and stands for itself in front of anything else.
 */
export type Pattern = readonly PatternPart[];

export type PatternPart =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'any' }
  | { readonly kind: 'one' }
  /** A dash that starts an option, in any of the ways that Windows takes: - / – — ― */
  | { readonly kind: 'dash' };

const ANY: PatternPart = { kind: 'any' };
const ONE: PatternPart = { kind: 'one' };

export function parsePattern(text: string): Pattern {
  const parts: PatternPart[] = [];
  let plain = '';
  const flush = () => {
    if (plain !== '') parts.push({ kind: 'text', text: plain });
    plain = '';
  };
  for (let at = 0; at < text.length; at++) {
    const character = text[at] ?? '';
    const next = text[at + 1] ?? '';
    if (character === '\\' && next !== '' && '*?\\'.includes(next)) {
      plain += next;
      at++;
    } else if (character === '*' || character === '?') {
      flush();
      if (character === '?') parts.push(ONE);
      else if (parts.at(-1)?.kind !== 'any') parts.push(ANY);
    } else {
      plain += character;
    }
  }
  flush();
  return parts;
}

/** The text that the pattern is; null where it has wildcards. */
export function plainText(pattern: Pattern): string | null {
  const [only] = pattern;
  if (pattern.length === 0) return '';
  return pattern.length === 1 && only?.kind === 'text' ? only.text : null;
}

/** With any characters around. */
export function surrounded(pattern: Pattern, before: boolean, after: boolean): Pattern {
  const parts = [...pattern];
  if (before && parts[0]?.kind !== 'any') parts.unshift(ANY);
  if (after && parts.at(-1)?.kind !== 'any') parts.push(ANY);
  return parts;
}

/** Dashes in front of words, as options begin, become dashes of any kind. */
export function withAnyDash(pattern: Pattern): Pattern {
  return pattern.flatMap((part) => {
    if (part.kind !== 'text') return [part];
    const pieces = part.text.split(/\B[-/]\b/);
    return pieces.flatMap((text, index): PatternPart[] => [
      ...(index === 0 ? [] : [{ kind: 'dash' } as const]),
      ...(text === '' ? [] : [{ kind: 'text', text } as const]),
    ]);
  });
}

/** Ends with a slash, as directories do in events. */
export function asDirectory(pattern: Pattern): Pattern {
  const last = pattern.at(-1);
  if (last === undefined || last.kind === 'any') return pattern;
  if (last.kind !== 'text') return [...pattern, { kind: 'text', text: '/' }];
  return last.text.endsWith('/')
    ? pattern
    : [...pattern.slice(0, -1), { kind: 'text', text: `${last.text}/` }];
}

/** An operator of our rule language and its right side. */
export interface TextCheck {
  readonly operator:
    | 'exists'
    | '='
    | 'contains'
    | 'icontains'
    | 'startswith'
    | 'endswith'
    | 'glob'
    | 'iglob'
    | 'regex';
  readonly value: string;
}

/** Letters of ASCII are what the operators that ignore case fold. */
const NOT_ASCII = /[^\0-\x7f]/;

/** The check that is true of what the pattern matches. */
export function checkOf(pattern: Pattern, isCased: boolean): TextCheck {
  const text = pattern.map((part) => (part.kind === 'text' ? part.text : '')).join('');
  const hasCase = text.toLowerCase() !== text.toUpperCase();
  const ignoresCase = !isCased && hasCase;
  const isWide = ignoresCase && NOT_ASCII.test(text);
  // One character is one byte for a glob, and may be four in UTF-8.
  if (isWide || pattern.some(({ kind }) => kind === 'one' || kind === 'dash'))
    return { operator: 'regex', value: regexOf(pattern, ignoresCase) };
  const [first, second, third] = pattern;
  if (pattern.length === 0) return { operator: '=', value: '' };
  if (pattern.length === 1 && first?.kind === 'any') return { operator: 'exists', value: '' };
  if (pattern.length === 3 && first?.kind === 'any' && second?.kind === 'text' && third?.kind === 'any')
    return { operator: ignoresCase ? 'icontains' : 'contains', value: second.text };
  if (ignoresCase) return { operator: 'iglob', value: globOf(pattern) };
  if (pattern.length === 1 && first?.kind === 'text') return { operator: '=', value: first.text };
  if (pattern.length === 2 && first?.kind === 'text') return { operator: 'startswith', value: first.text };
  if (pattern.length === 2 && second?.kind === 'text') return { operator: 'endswith', value: second.text };
  return { operator: 'glob', value: globOf(pattern) };
}

function globOf(pattern: Pattern): string {
  return pattern.map((part) => (part.kind === 'text' ? part.text.replace(/[*?[\\]/g, '\\$&') : '*')).join('');
}

/** RE2, for the value as a whole. */
function regexOf(pattern: Pattern, ignoresCase: boolean): string {
  return `(?${ignoresCase ? 'i' : ''}s)${bodyOf(pattern, '.')}`;
}

/**
 * The check that is true of a list of words, with one blank between, where the pattern matches the one at a place. The
 * pattern has no blanks.
 * @param index how many words stand before it
 */
export function wordCheckOf(pattern: Pattern, index: number, isCased: boolean): TextCheck {
  const flags = isCased ? 's' : 'is';
  return { operator: 'regex', value: `(?${flags})(?:[^ ]* ){${index}}${bodyOf(pattern, '[^ ]')}(?: .*)?` };
}

/** @param one what a single character is */
function bodyOf(pattern: Pattern, one: string): string {
  const body = pattern.map((part) => {
    switch (part.kind) {
      case 'text':
        return quoteRegex(part.text);
      case 'any':
        return `${one}*`;
      case 'one':
        return one;
      case 'dash':
        return '[-/–—―]';
    }
  });
  return body.join('');
}

function quoteRegex(text: string): string {
  return text.replace(/[\\^$.|?*+()[\]{}]/g, '\\$&');
}
