import { bytesOf } from '../../base/bytes.ts';
import { isPlainRequest } from '../../protocols/http1/plain.ts';
import { checksOf, isPossible } from '../../rules/event-type-set.ts';
import { eventTypeOf } from '../../rules/event-types.ts';
import type { Rule } from '../../rules/rule.ts';
import type { Check } from '../../rules/syntax.ts';

/**
 * Whether rules look at requests so plain that nobody reads them (app/plain-exchanges.ts). What most rules on requests look for,
 * such as the beginning of a substitution, cannot stand in a plain one: for those nothing more has to be read.
 */

const REQUEST_TYPES = ['http_request', 'http_response'].map((name) => eventTypeOf(name) ?? -1);

/** Rules that can be true of a plain request or of the reply to it. */
export function rulesOnPlainRequests(rules: readonly Rule[]): readonly Rule[] {
  return rules.filter(({ condition, types }) => {
    const asked = REQUEST_TYPES.filter((type) => types.has(type));
    if (asked.length === 0) return false;
    const failing = checksOf(condition, /^http\./).filter(isFalseOfPlain);
    return asked.some((type) => isPossible(condition, type, failing));
  });
}

/** Of the value all of the text is in the request as it came, in one piece. */
const OPERATORS: readonly Check['operator'][] = [
  '=',
  '==',
  'contains',
  'icontains',
  'startswith',
  'endswith',
  'in',
  'intersects',
];

/** A check that wants a text which no plain request has in this place. Others may be true: false. */
function isFalseOfPlain({ left, operator, right }: Check): boolean {
  if (left.kind !== 'field' || right === null || !OPERATORS.includes(operator)) return false;
  const places = PLACES[left.name];
  if (places === undefined) return false;
  const texts = right.kind === 'literal' ? [right] : right.kind === 'list' ? right.values : [];
  return texts.length > 0 && texts.every(({ value }) => value !== '' && !canStand(value, places));
}

/** Heads of requests with a text in them, behind another character and in front of one, or not. */
type Places = readonly ((text: string) => string)[];

const IN_PATH: Places = [(text) => `/${text} HTTP/1.1\r\nHost: a`, (text) => `/x${text} HTTP/1.1\r\nHost: a`];
/** A plus sign is a blank once it is decoded. */
const IN_QUERY: Places = [
  (text) => `/?a=${text.replaceAll(' ', '+')} HTTP/1.1\r\nHost: a`,
  (text) => `/?a=x${text.replaceAll(' ', '+')} HTTP/1.1\r\nHost: a`,
];
/** The line of the target as a whole, of which a text may also be the beginning, or the border of path and query. */
const IN_TARGET: Places = [
  ...IN_PATH,
  ...IN_QUERY,
  (text) => `${text} HTTP/1.1\r\nHost: a`,
  (text) => `/${text.replace('?', '')} HTTP/1.1\r\nHost: a`,
];
const IN_HEADER: Places = [
  (text) => `/ HTTP/1.1\r\nHost: a\r\nX: ${text}`,
  (text) => `/ HTTP/1.1\r\nHost: a\r\nX: x${text}`,
];

const PLACES: Readonly<Record<string, Places>> = {
  'http.path': [...IN_PATH, (text) => `${text} HTTP/1.1\r\nHost: a`],
  'http.query': IN_TARGET,
  'http.target': IN_TARGET,
  'http.header': IN_HEADER,
  'http.cookie': IN_HEADER,
  'http.user_agent': IN_HEADER,
  'http.host': IN_HEADER,
  // A plain request has none.
  'http.body': [],
};

function canStand(text: string, places: Places): boolean {
  return places.some((place) =>
    ['', 'x'].some((behind) => {
      const bytes = bytesOf(`GET ${place(text + behind)}\r\n\r\n`);
      return isPlainRequest(bytes, 0, bytes.length);
    }),
  );
}
