import { byteString, type ByteString } from '../../base/bytes.ts';
import { percentDecode } from '../../base/percent.ts';
import { routeOf } from '../../base/route.ts';
import { sqlTables } from '../../base/sql-tables.ts';
import { originOf } from '../../model/hop.ts';
import type { ConnectionDescription } from '../../model/query.ts';
import type { RequestInput, RequestMessage } from '../../model/request.ts';
import type { RuleEvent } from '../event.ts';
import { list, namedAny, single } from './define.ts';
import type { Field } from './field.ts';

/** Protocols whose questions are statements or commands. */
const DATA_SERVICES = new Set(['postgresql', 'mysql', 'redis', 'mongodb', 'ldap']);

const bodies = new WeakMap<Uint8Array, ByteString>();

/** The request, on its own events and on all that are known to be caused by it. */
export const REQUEST_FIELDS: readonly Field[] = [
  single('http.method', 'string', 'Method of the request.', (event) => event.request?.message.method ?? null),
  single('http.target', 'string', 'Target as it was sent: path and query, nothing decoded.', target),
  single('http.path', 'string', 'Path of the target, percent-decoded once.', path),
  any('http.query', 'Values of a query parameter, as sent and decoded.', 'query'),
  any('http.cookie', 'Values of a cookie, as sent and decoded.', 'cookie'),
  namedAny('http.header', 'Values of a header field; its name in any case.', (event, name, test) => {
    const wanted = name.toLowerCase();
    for (const [header, value] of event.request?.message.headers ?? [])
      if (header === wanted && test(value)) return true;
    return false;
  }),
  single('http.version', 'string', 'Version of HTTP: 1.1, 2, ...', ({ request }) =>
    request === null ? null : versionOf(request.message),
  ),
  single('http.host', 'string', 'Host header.', (event) => header(event, 'host')),
  single('http.user_agent', 'string', 'User-Agent header.', (event) => header(event, 'user-agent')),
  single('http.body', 'bytes', 'The captured part of the body.', body),
  single(
    'http.status',
    'number',
    'Status of the reply, once there is one.',
    (event) => event.request?.status ?? null,
  ),
  single(
    'http.client_ip',
    'address',
    'Who sent the request to this host: the client of the first proxy on it. No header is believed.',
    clientAddress,
  ),

  single(
    'req.id',
    'string',
    'Id of the request.',
    (event) => event.request?.id ?? null,
    (event) => event.request !== null,
  ),
  single(
    'req.endpoint',
    'string',
    'Method and path of the request, with :id for what names one of many: GET /users/:id.',
    ({ request }) =>
      request === null ? null : `${request.message.method} ${routeOf(request.message.target)}`,
  ),
  single(
    'req.verdict',
    'string',
    'The worst that detectors have said of the request before this event: PROBED, SUSPICIOUS, EXPLOITED; in run and replay.',
    ({ verdict }) => verdict,
  ),
  single(
    'req.grade',
    'string',
    'How it is known that the request caused the event: exact, linked or matched; exact for the events of the request itself.',
    ({ request, attribution }) => (request === null ? null : (attribution?.grade ?? 'exact')),
  ),
  single(
    'req.candidates',
    'number',
    'How many requests may have caused the event; also there where it is not known which did.',
    ({ request, attribution }) => attribution?.candidates.length || (request === null ? null : 1),
  ),

  single(
    'db.protocol',
    'string',
    'Protocol of the data service: postgresql, mysql, redis, ...',
    (event) => dataQuery(event)?.protocol ?? null,
  ),
  single(
    'db.statement',
    'string',
    'The statement or command.',
    (event) => dataQuery(event)?.statement ?? null,
  ),
  single(
    'db.operation',
    'string',
    'Its verb: SELECT, HGET, find, ...',
    (event) => dataQuery(event)?.operation ?? null,
  ),
  single(
    'db.error',
    'string',
    "The service's code for what went wrong: SQLSTATE or a number; in db_response.",
    (event) => {
      const { outcome } = event;
      return dataQuery(event) !== null && outcome?.isError === true ? outcome.code : null;
    },
  ),
  list('db.table', 'Tables that a statement of SQL names.', (event) => {
    const query = dataQuery(event);
    const { protocol = '', statement = '' } = query ?? {};
    if (protocol !== 'postgresql' && protocol !== 'mysql') return null;
    const tables = sqlTables(statement, protocol);
    return tables.length === 0 ? null : tables;
  }),
  single('db.rows', 'number', 'Rows or documents that came back or were changed; in db_response.', (event) =>
    dataQuery(event) === null ? null : (event.outcome?.rows ?? null),
  ),
  single('dns.name', 'string', 'Name that is looked up.', (event) => dnsQuery(event)?.statement ?? null),
  single(
    'dns.type',
    'string',
    'Type that is asked for: A, AAAA, MX, ...',
    (event) => dnsQuery(event)?.operation ?? null,
  ),
  single('tls.sni', 'string', 'Name of the server that the client of the request asked for.', (event) =>
    known(greeting(event)?.serverName),
  ),
  single('tls.version', 'string', 'Newest version of TLS that the client offered: TLS 1.3, ...', (event) =>
    known(greeting(event)?.version),
  ),
  single('tls.ja4', 'string', "Fingerprint of the client's TLS (JA4).", (event) =>
    known(greeting(event)?.fingerprint),
  ),
  list('dns.answer', 'Addresses and names that came back; in dns_response.', (event) => {
    const answers = dnsQuery(event) === null ? null : (event.outcome?.answers ?? null);
    return answers === null || answers.length === 0 ? null : answers;
  }),
];

function target({ request }: RuleEvent): ByteString | null {
  return request?.message.target ?? null;
}

function path(event: RuleEvent): ByteString | null {
  const text = target(event);
  if (text === null) return null;
  const end = text.search(/[?#]/);
  return percentDecode(end === -1 ? text : text.slice(0, end));
}

function any(name: string, description: string, location: RequestInput['location']): Field {
  return namedAny(name, description, ({ request }, wanted, test) => {
    if (request === null) return false;
    for (const input of request.message.inputs) {
      if (input.location !== location || input.name !== wanted) continue;
      for (const form of input.forms) if (test(form)) return true;
    }
    return false;
  });
}

function header({ request }: RuleEvent, wanted: string): ByteString | null {
  for (const [name, value] of request?.message.headers ?? []) if (name === wanted) return value;
  return null;
}

function body({ request }: RuleEvent): ByteString | null {
  if (request === null) return null;
  const { body: bytes } = request.message;
  let text = bodies.get(bytes);
  if (text === undefined) {
    text = byteString(bytes);
    bodies.set(bytes, text);
  }
  return text;
}

function clientAddress({ request }: RuleEvent): string | null {
  if (request === null) return null;
  const { family, client } = originOf(request).connection;
  return family === 'unix' ? null : client.address;
}

/** What the client of the request, or of the proxy before it, said of itself. */
function greeting({ request }: RuleEvent): ConnectionDescription | null {
  return request === null ? null : (originOf(request).connection.tls ?? null);
}

function known(text: string | undefined): string | null {
  return text === undefined || text === '' ? null : text;
}

/** Of HTTP/1 it stands at the end of the first line; null where that was not captured, or another protocol does not say. */
function versionOf({ protocol, head }: RequestMessage): string | null {
  if (protocol === 'http2' || protocol === 'grpc') return '2';
  if (protocol !== 'http1') return null;
  const end = head.indexOf('\n');
  return /HTTP\/(\d\.\d)\r?$/.exec(end === -1 ? '' : head.slice(Math.max(0, end - 12), end))?.[1] ?? null;
}

function dataQuery({ query }: RuleEvent): RuleEvent['query'] {
  return query !== null && DATA_SERVICES.has(query.protocol) ? query : null;
}

function dnsQuery({ query }: RuleEvent): RuleEvent['query'] {
  return query?.protocol === 'dns' ? query : null;
}
