import type { ByteString } from '../base/bytes.ts';
import type { Request, RequestInput } from '../model/request.ts';

/** A shorter value stands in too many effects by chance. */
const MIN_LENGTH = 4;
/** Values of a request that are looked for; the rest would only help an attacker who sends thousands. */
const MAX_FORMS = 128;
/** Making the list of a request's values costs about as much as looking for so many. */
const DECODING_COST = 500;
/** A value of digits only needs more of them: ports, sizes and counters are everywhere. */
const MIN_DIGITS = 6;
/** Headers that are the same for every request of a client say nothing about which one it was. */
const UNTELLING_HEADERS: ReadonlySet<string> = new Set(['host', 'user-agent', 'referer', 'origin']);
const ONLY_LETTERS = /^[A-Za-z_-]*$/;
const COMMON_VALUES: ReadonlySet<string> = new Set([
  'true',
  'false',
  'null',
  'undefined',
  'none',
  'index',
  'html',
  'json',
  'http',
  'https',
  'localhost',
  '127.0.0.1',
]);

/** What an effect says: bytes that may stand anywhere in it, or whom it is about. */
export type Sinks =
  | readonly ByteString[]
  /** The name of a host, without a dot at its end, in whatever case. */
  | { readonly hostName: ByteString }
  /** As addressText() writes it. */
  | { readonly address: string };

/**
 * Content evidence: which of the possible requests has bytes in the effect that no other one has. Decides only when it is
 * exactly one.
 * @param sinks what the effect says: arguments, paths
 * @param rivals requests that are no candidates but were in work a moment ago: what they share tells nothing either
 * @returns that request, or null when none or several have
 */
export function decideByContent<R extends Request>(
  candidates: Iterable<R>,
  sinks: Sinks,
  rivals: Iterable<Request> = [],
): R | null {
  if ('hostName' in sinks || 'address' in sinks) return decideByHost(candidates, sinks, rivals);
  const owners = new Map<ByteString, R | null>();
  for (const candidate of candidates)
    for (const form of tellingForms(candidate)) owners.set(form, owners.has(form) ? null : candidate);
  for (const rival of rivals)
    for (const form of tellingForms(rival)) if (owners.has(form)) owners.set(form, null);
  let found: R | null = null;
  for (const [form, owner] of owners) {
    if (owner === null || owner === found || !sinks.some((sink) => containsWord(sink, form))) continue;
    if (found !== null) return null;
    found = owner;
  }
  return found;
}

function decideByHost<R extends Request>(
  candidates: Iterable<R>,
  sink: { readonly hostName: ByteString } | { readonly address: string },
  rivals: Iterable<Request>,
): R | null {
  const isAddress = 'address' in sink;
  const host = (isAddress ? sink.address : sink.hostName).toLowerCase();
  let found: R | null = null;
  for (const candidate of candidates) {
    if (!namesHost(candidate, host, isAddress)) continue;
    if (found !== null) return null;
    found = candidate;
  }
  if (found !== null) for (const rival of rivals) if (namesHost(rival, host, isAddress)) return null;
  return found;
}

/** Whether the request has a value that is this host, or says where it is: `http://HOST:80/x`, `user@HOST`. */
function namesHost(request: Request, host: string, isAddress: boolean): boolean {
  for (const form of tellingForms(request)) {
    const text = form.toLowerCase();
    const named = hostIn(text);
    if (named === host && isLongEnough(named)) return true;
    if (isAddress) continue;
    if (isLongEnough(named) && host.startsWith(`${named}.`)) return true;
    if (standsInName(host, text)) return true;
  }
  return false;
}

/** The host of a URL, of an address with a port, of a mail address; other text as it is. Without the dot at its end. */
function hostIn(text: ByteString): ByteString {
  const scheme = text.indexOf('://');
  const start = scheme < 0 ? 0 : scheme + 3;
  let end = start;
  while (end < text.length && !'/?#'.includes(text.charAt(end))) end++;
  const user = text.slice(start, end).lastIndexOf('@');
  const authority = text.slice(start + user + 1, end);
  if (authority.startsWith('[')) return authority.slice(1, Math.max(1, authority.indexOf(']')));
  const colon = authority.indexOf(':');
  // Several colons: an IPv6 address without a port.
  const host = colon < 0 || authority.includes(':', colon + 1) ? authority : authority.slice(0, colon);
  return host.endsWith('.') ? host.slice(0, -1) : host;
}

/** A value tells nothing as the domain of a name: many hosts have the same. */
function standsInName(name: ByteString, needle: ByteString): boolean {
  for (let at = name.indexOf(needle); at >= 0; at = name.indexOf(needle, at + 1)) {
    const end = at + needle.length;
    if ((at === 0 || end < name.length) && isWholeWord(name, at, end)) return true;
  }
  return false;
}

/** What searching a request costs, in values that are compared. */
export function contentCost(request: Request): number {
  return costs.get(request) ?? DECODING_COST;
}

/** Whether some value of the request stands in one of the sinks as a word of its own. */
export function standsIn(request: Request, sinks: readonly ByteString[]): boolean {
  for (const needle of tellingForms(request))
    for (const sink of sinks) if (containsWord(sink, needle)) return true;
  return false;
}

/** By the list of inputs, which is another one when more of the request's bytes have arrived. */
const formsOf = new WeakMap<readonly RequestInput[], readonly ByteString[]>();

const costs = new WeakMap<Request, number>();

/** The distinct values of a request that are long and rare enough. */
function tellingForms(request: Request): readonly ByteString[] {
  const { inputs } = request.message;
  const known = formsOf.get(inputs);
  if (known !== undefined) return known;
  const forms = new Set<ByteString>();
  for (const input of inputs)
    if (canTell(input) && forms.size < MAX_FORMS)
      for (const form of input.forms) if (isTelling(form, input)) forms.add(form);
  const list = [...forms];
  formsOf.set(inputs, list);
  costs.set(request, list.length + 1);
  return list;
}

function canTell(input: RequestInput): boolean {
  return input.location !== 'header' || !UNTELLING_HEADERS.has(input.name);
}

function isTelling(form: ByteString, { location }: RequestInput): boolean {
  if (!isLongEnough(form)) return false;
  // Segments of paths are words of the service ("logs", "work") as often as values.
  if (location === 'path' && ONLY_LETTERS.test(form)) return false;
  return true;
}

function isLongEnough(form: ByteString): boolean {
  if (form.length < MIN_LENGTH || COMMON_VALUES.has(form)) return false;
  return form.length >= MIN_DIGITS || !isDigits(form);
}

function isDigits(text: ByteString): boolean {
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code < 0x30 || code > 0x39) return false;
  }
  return true;
}

function containsWord(sink: ByteString, needle: ByteString): boolean {
  for (let at = sink.indexOf(needle); at >= 0; at = sink.indexOf(needle, at + 1)) {
    if (isWholeWord(sink, at, at + needle.length)) return true;
  }
  return false;
}

/** Neither end of the bytes from `start` to `end` is in the middle of a word. */
function isWholeWord(text: ByteString, start: number, end: number): boolean {
  const startsFresh = start === 0 || !isWordPair(text.charCodeAt(start - 1), text.charCodeAt(start));
  return startsFresh && (end === text.length || !isWordPair(text.charCodeAt(end - 1), text.charCodeAt(end)));
}

/** Both are letters or digits: cutting between them would cut a word ("id=12" is not in "id=123"). */
function isWordPair(left: number, right: number): boolean {
  return isWordByte(left) && isWordByte(right);
}

function isWordByte(code: number): boolean {
  return (code >= 0x30 && code <= 0x39) || (code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a);
}
