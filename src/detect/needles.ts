import type { ByteString } from '../base/bytes.ts';
import { printable } from '../base/printable.ts';
import type { RequestInput, RequestMessage } from '../model/request.ts';

/** One form of one value that the client chose, worth searching in what the machine was told to do. */
export interface Needle {
  readonly input: RequestInput;
  readonly form: ByteString;
}

/** More inputs than any ordinary request has; what follows is not searched. */
const MAX_INPUTS = 256;
/** Forms of one input; the protocol leaf lists the likeliest first. */
const MAX_FORMS = 16;

/**
 * Values so common that finding them in an argument or a path says nothing about who put them there. Lower case.
 * Attack tools have no use for any of them.
 */
const COMMON_VALUES: ReadonlySet<string> = new Set(
  (
    'true false null none undefined nan yes no on off ok all any auto default new old test name value key type data file ' +
    'files path user users admin root guest public private static assets images image img css js json xml html htm text ' +
    'txt pdf csv png jpg jpeg gif svg index index.html index.php index.htm main home login logout search list edit ' +
    'create update delete remove add get post put patch head options asc desc utf-8 utf8 gzip deflate br identity ' +
    'keep-alive close no-cache max-age=0 localhost http https www en de fr es it en-us en-gb application/json ' +
    'text/html text/plain text/css */* v1 v2 v3 api favicon.ico robots.txt about:blank'
  ).split(' '),
);

const NUMBERS = /^[+-]?[\d.,:]+$/;

function isCommonValue(form: ByteString): boolean {
  return (
    (form.length <= 16 && COMMON_VALUES.has(form.toLowerCase())) || (form.length <= 40 && NUMBERS.test(form))
  );
}

/**
 * The distinct forms of a message's inputs that are worth searching: long enough, neither a common value nor a plain
 * number. Programs trim what they are given, so every form that has blanks around it is listed trimmed as well. Where
 * two inputs have the same form the one that is not a path segment is named: it is the likelier source.
 */
export function needlesOf(message: RequestMessage, minimumLength: number): readonly Needle[] {
  const found = new Map<ByteString, RequestInput>();
  const inputs = message.inputs;
  for (let index = 0; index < inputs.length && index < MAX_INPUTS; index++) {
    const input = inputs[index];
    if (input === undefined) continue;
    for (let form = 0; form < input.forms.length && form < MAX_FORMS; form++) {
      const text = input.forms[form] ?? '';
      keep(found, input, text, minimumLength);
      const trimmed = text.trim();
      if (trimmed.length !== text.length) keep(found, input, trimmed, minimumLength);
    }
  }
  return Array.from(found, ([form, input]) => ({ input, form }));
}

function keep(
  found: Map<ByteString, RequestInput>,
  input: RequestInput,
  form: ByteString,
  minimum: number,
): void {
  if (form.length < minimum || isCommonValue(form)) return;
  const known = found.get(form);
  if (known === undefined || (known.location === 'path' && input.location !== 'path')) found.set(form, input);
}

/**
 * Remembers what a function made of a message, as long as the message lives. A body that is still arriving brings new
 * inputs: what was remembered holds as long as the body has the same length.
 */
export function rememberByMessage<T>(
  compute: (message: RequestMessage) => T,
): (message: RequestMessage) => T {
  const known = new WeakMap<RequestMessage, { readonly bodyLength: number; readonly value: T }>();
  return (message) => {
    const bodyLength = message.body.length;
    const entry = known.get(message);
    if (entry !== undefined && entry.bodyLength === bodyLength) return entry.value;
    const value = compute(message);
    known.set(message, { bodyLength, value });
    return value;
  };
}

/**
 * The engine's own search degrades to needle length times text length on hostile input (36 ms for 8 KiB in 32 KiB), so
 * only so many bytes of the needle are searched with it and the rest is compared in place (by slices, which compare
 * by the word; startsWith takes fifty times as long).
 */
const SEARCHED_PREFIX = 64;

/** Start of the first occurrence of a needle at or after `from`, or -1. Fast on hostile input too. */
export function findNeedle(text: ByteString, needle: ByteString, from = 0): number {
  if (needle.length > text.length) return -1;
  if (needle.length <= SEARCHED_PREFIX) return text.indexOf(needle, from);
  const prefix = needle.slice(0, SEARCHED_PREFIX);
  let at = text.indexOf(prefix, from);
  while (at !== -1 && at + needle.length <= text.length) {
    if (text.slice(at, at + needle.length) === needle) return at;
    at = text.indexOf(prefix, at + 1);
  }
  return -1;
}

const LOCATION_NAMES = {
  path: 'path segment',
  query: 'query parameter',
  form: 'form field',
  json: 'JSON value',
  multipart: 'multipart field',
  cookie: 'cookie',
  header: 'header',
  body: 'body',
} as const satisfies Record<RequestInput['location'], string>;

/** Where an input stood, for people: "query parameter host". Safe to print. */
export function describeInput(input: RequestInput): string {
  const location = LOCATION_NAMES[input.location];
  return input.name === '' ? location : `${location} ${printable(input.name, 60)}`;
}
