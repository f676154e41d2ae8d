import type { ByteString } from '../../base/bytes.ts';
import type { RuleEvent } from '../event.ts';
import type { Access } from '../fields/field.ts';
import { lowerCase, upperCase } from '../match/automaton.ts';
import { problemIn, RuleError } from '../problem.ts';
import type { Literal, Term, Transformer, TransformTerm } from '../syntax.ts';
import { bindTerm, valuesOf, valueText, type Bound, type Warn } from './bind.ts';

/** How many arguments each takes. */
const ARGUMENTS: Readonly<Record<Transformer, readonly [least: number, most: number]>> = {
  tolower: [1, 1],
  toupper: [1, 1],
  b64: [1, 1],
  basename: [1, 1],
  len: [1, 1],
  join: [2, 2],
  concat: [1, 16],
  getopt: [2, 2],
};

/** From one text to another; null where it has none. */
const OF_TEXT: Readonly<Partial<Record<Transformer, (text: ByteString) => ByteString | null>>> = {
  tolower: lowerCase,
  toupper: upperCase,
  b64: decodeBase64,
  basename: (path) => path.slice(path.lastIndexOf('/') + 1),
};

/** @throws RuleError where it cannot be applied to its arguments */
export function bindTransform(term: TransformTerm, warn: Warn): Bound {
  const [least, most] = ARGUMENTS[term.name];
  const count = term.arguments.length;
  if (count < least || count > most) {
    const wanted = least === most ? `${least}` : `${least} to ${most}`;
    fail(term, `${term.name}(...) takes ${wanted} arguments, not ${count}`);
  }
  if (term.selector !== null && term.name !== 'getopt') fail(term, `${term.name}(...) takes no [...]`);
  const parts = term.arguments.map((argument) =>
    argument.kind === 'literal' ? argument : { bound: bindTerm(argument, warn), term: argument },
  );
  const [first] = parts;
  const bounds = parts.flatMap((part) => ('bound' in part ? [part.bound] : []));
  if (bounds.length === 0) fail(term, `${term.name}(...) needs a field`);
  return {
    access: accessOf(term, parts, first),
    key: keyOf(term, parts),
    isUnanswered: bounds.some(({ isUnanswered }) => isUnanswered),
    isFilterOnly: false,
    cost: 5 + bounds.reduce((sum, { cost }) => sum + cost, 0),
  };
}

type Part = Literal | { readonly bound: Bound; readonly term: Term };

function accessOf(term: TransformTerm, parts: readonly Part[], first: Part | undefined): Access {
  const convert = OF_TEXT[term.name];
  if (convert !== undefined) return mapText(term, textAccess(term, first), convert);
  switch (term.name) {
    case 'len':
      return lengthOf(fieldAccess(term, first));
    case 'join': {
      const access = fieldAccess(term, first);
      const separator = literal(term, parts[1]);
      return single((event) => valuesOf(access, event)?.map(valueText).join(separator) ?? null);
    }
    case 'concat':
      return single(concatenation(parts));
    default: {
      const access = textAccess(term, first);
      return options(access, literal(term, parts[1]), term.selector);
    }
  }
}

function single(get: (event: RuleEvent) => ByteString | null): Access {
  return { shape: 'single', type: 'string', get };
}

function mapText(
  term: TransformTerm,
  access: Access<'string'>,
  convert: (text: ByteString) => ByteString | null,
): Access {
  switch (access.shape) {
    case 'single':
      return single((event) => {
        const value = access.get(event);
        return value === null ? null : convert(value);
      });
    case 'list':
      return {
        shape: 'list',
        type: 'string',
        get: (event) => access.get(event)?.flatMap((value) => convert(value) ?? []) ?? null,
      };
    case 'any':
      return fail(term, `${term.name}(...) cannot take several values: give the field an argument`);
  }
}

/** Length of a text in bytes, of a list in values. */
function lengthOf(access: Access): Access {
  return {
    shape: 'single',
    type: 'number',
    get: (event) => {
      const values = valuesOf(access, event);
      if (values === null) return null;
      return access.shape === 'single' ? valueText(values[0] ?? '').length : values.length;
    },
  };
}

/** All parts in a row; no value where one of them has none. */
function concatenation(parts: readonly Part[]): (event: RuleEvent) => ByteString | null {
  return (event) => {
    let text = '';
    for (const part of parts) {
      if ('bound' in part) {
        const values = valuesOf(part.bound.access, event);
        if (values === null) return null;
        text += values.map(valueText).join(',');
      } else {
        text += part.value;
      }
    }
    return text;
  };
}

/**
 * Options of a command line as getopt(3) finds them: the letters that were given, or with a selector the argument of
 * one letter ('' for an option without one).
 */
function options(access: Access<'string'>, specification: ByteString, selector: string | null): Access {
  if (access.shape !== 'single') return { shape: 'list', type: 'string', get: () => null };
  const given = (event: RuleEvent) => {
    const value = access.get(event);
    return value === null ? null : parseOptions(value, specification);
  };
  if (selector !== null) return single((event) => given(event)?.get(selector) ?? null);
  return {
    shape: 'list',
    type: 'string',
    get: (event) => {
      const found = given(event);
      return found === null || found.size === 0 ? null : [...found.keys()];
    },
  };
}

function parseOptions(line: ByteString, specification: ByteString): Map<string, ByteString> {
  const found = new Map<string, ByteString>();
  const words = line.split(' ');
  for (let index = 0; index < words.length; index++) {
    const word = words[index] ?? '';
    if (word === '--') break;
    if (!word.startsWith('-') || word.length === 1) continue;
    for (let at = 1; at < word.length; at++) {
      const letter = word[at] ?? '';
      const place = letter === ':' ? -1 : specification.indexOf(letter);
      if (place === -1) continue;
      if (specification[place + 1] !== ':') {
        found.set(letter, '');
        continue;
      }
      // The argument is the rest of the word, or the next one.
      const rest = word.slice(at + 1);
      const argument = rest === '' && specification[place + 2] !== ':' ? words[++index] : rest;
      if (argument !== undefined) found.set(letter, argument);
      break;
    }
  }
  return found;
}

function decodeBase64(text: ByteString): ByteString | null {
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return null;
  return Buffer.from(text, 'base64').toString('latin1');
}

function fieldAccess(term: TransformTerm, part: Part | undefined): Access {
  if (part === undefined || !('bound' in part)) return fail(term, `${term.name}(...) needs a field`);
  return part.bound.access;
}

function textAccess(term: TransformTerm, part: Part | undefined): Access<'string'> {
  const access = fieldAccess(term, part);
  if (access.type !== 'string' && access.type !== 'bytes')
    fail(term, `${term.name}(...) takes a text, not a ${access.type}`);
  return access as Access<'string'>;
}

function literal(term: TransformTerm, part: Part | undefined): ByteString {
  if (part === undefined || 'bound' in part)
    return fail(term, `the second argument of ${term.name}(...) must be a text`);
  return part.value;
}

function keyOf(term: TransformTerm, parts: readonly Part[]): string {
  const inside = parts.map((part) => ('bound' in part ? part.bound.key : JSON.stringify(part.value)));
  return `${term.name}(${inside.join(', ')})${term.selector === null ? '' : `[${term.selector}]`}`;
}

function fail(term: TransformTerm, message: string): never {
  throw new RuleError(problemIn('transformer', message, term.span));
}
