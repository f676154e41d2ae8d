import { textFromByteString, type ByteString } from '../base/bytes.ts';
import type { Grade } from '../model/effect.ts';
import { hopsOf } from '../model/hop.ts';
import type { Request } from '../model/request.ts';
import type { ClaimView, ForwardedForView } from './views.ts';

/** Protocols in which a web server tells its client beside the client's own header fields. */
const CGI_PROTOCOLS = new Set(['fastcgi', 'uwsgi']);
const CLAIMING_HEADERS = ['forwarded', 'x-forwarded-for', 'x-real-ip'] as const;
/** Best first. */
const GRADES: readonly Grade[] = ['exact', 'linked', 'matched', 'ambiguous', 'none'];
/** More of a value is not looked at. */
const MAX_VALUE = 256;

/** For whom the request was sent on: by proxies on this host, or as the message claims; null where neither is known. */
export function forwardedForView(request: Request): ForwardedForView | null {
  const hops = hopsOf(request);
  const last = hops.at(-1);
  if (last === undefined) {
    const claimed = claimOf(request);
    if (claimed === null) return null;
    return {
      known: 'header',
      trusted: false,
      client: claimed.client,
      request: null,
      grade: 'none',
      reason: `the message says so (${claimed.header}), and anybody can`,
      through: [],
      candidates: [],
      claimed,
    };
  }
  // The weakest one decides.
  const weakest = hops.reduce((a, b) => (GRADES.indexOf(b.grade) > GRADES.indexOf(a.grade) ? b : a));
  const { front } = last;
  return {
    known: 'socket',
    trusted: front !== null && (weakest.grade === 'exact' || weakest.grade === 'linked'),
    client:
      front === null ? null : { ip: front.connection.client.address, port: front.connection.client.port },
    request: front?.id ?? null,
    grade: weakest.grade,
    reason: weakest.reason,
    through: hops.map(({ proxy, front: own }) => ({
      pid: proxy.pid,
      comm: textFromByteString(proxy.comm),
      request: own?.id ?? null,
    })),
    candidates: front === null ? last.candidates.map(({ id }) => id) : [],
    claimed: claimOf(front ?? hops.at(-2)?.front ?? request),
  };
}

/** What the message says of its client: the first address that its proxies name. */
function claimOf({ message }: Request): ClaimView | null {
  const values = new Map<string, ByteString>();
  for (const [name, value] of message.headers)
    if (!values.has(name)) values.set(name, value.slice(0, MAX_VALUE));
  for (const header of CLAIMING_HEADERS) {
    const value = values.get(header);
    const client = value === undefined ? null : endpointOf(header === 'forwarded' ? forOf(value) : value);
    if (client !== null) return { client, header };
  }
  if (!CGI_PROTOCOLS.has(message.protocol)) return null;
  const ip = values.get('remote_addr') ?? '';
  const port = portOf(values.get('remote_port') ?? '');
  return isAddress(ip) ? { client: { ip, port }, header: 'remote_addr' } : null;
}

/** The first `for=` of a Forwarded header (RFC 7239, section 4). */
function forOf(value: string): string {
  for (const pair of (value.split(',', 1)[0] ?? '').split(';')) {
    const equals = pair.indexOf('=');
    if (equals < 0 || pair.slice(0, equals).trim().toLowerCase() !== 'for') continue;
    const node = pair.slice(equals + 1).trim();
    return node.startsWith('"') && node.endsWith('"') ? node.slice(1, -1) : node;
  }
  return '';
}

/** 192.0.2.7, 192.0.2.7:4711, 2001:db8::7, [2001:db8::7]:4711; of a list, the first. null for anything else. */
function endpointOf(value: string): { readonly ip: string; readonly port: number } | null {
  const first = (value.split(',', 1)[0] ?? '').trim();
  if (isAddress(first)) return { ip: first, port: 0 };
  const isBracketed = first.startsWith('[');
  const end = isBracketed ? first.indexOf(']') : first.indexOf(':');
  if (end < 0) return null;
  const ip = first.slice(isBracketed ? 1 : 0, end);
  const rest = first.slice(isBracketed ? end + 1 : end);
  if (!isAddress(ip) || (rest !== '' && !rest.startsWith(':'))) return null;
  return { ip, port: portOf(rest.slice(1)) };
}

function portOf(text: string): number {
  return /^\d{1,5}$/.test(text) && Number(text) < 65_536 ? Number(text) : 0;
}

function isAddress(text: string): boolean {
  if (text.length > 45) return false;
  if (/^\d{1,3}(?:\.\d{1,3}){3}$/.test(text)) return text.split('.').every((part) => Number(part) < 256);
  return /^[0-9a-f:]+$/i.test(text) && text.split(':').length > 2;
}
