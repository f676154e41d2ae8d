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

/**
 * Content evidence: which of the possible requests has bytes in the effect that no other one has. Decides only when it is
 * exactly one.
 * @param sinks what the effect says: arguments, paths
 * @param rivals requests that are no candidates but were in work a moment ago: what they share tells nothing either
 * @returns that request, or null when none or several have
 */
export function decideByContent<R extends Request>(
  candidates: Iterable<R>,
  sinks: readonly ByteString[],
  rivals: Iterable<Request> = [],
): R | null {
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
  if (form.length < MIN_LENGTH || COMMON_VALUES.has(form)) return false;
  // Segments of paths are words of the service ("logs", "work") as often as values.
  if (location === 'path' && ONLY_LETTERS.test(form)) return false;
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
    const end = at + needle.length;
    const startsFresh = at === 0 || !isWordPair(sink.charCodeAt(at - 1), needle.charCodeAt(0));
    const endsClean =
      end === sink.length || !isWordPair(needle.charCodeAt(needle.length - 1), sink.charCodeAt(end));
    if (startsFresh && endsClean) return true;
  }
  return false;
}

/** Both are letters or digits: cutting between them would cut a word ("id=12" is not in "id=123"). */
function isWordPair(left: number, right: number): boolean {
  return isWordByte(left) && isWordByte(right);
}

function isWordByte(code: number): boolean {
  return (code >= 0x30 && code <= 0x39) || (code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a);
}
