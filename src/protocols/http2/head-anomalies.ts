import type { ByteString } from '../../base/bytes.ts';
import type { HeaderList } from './header-list.ts';

const PSEUDO_FIELDS: ReadonlySet<string> = new Set([
  ...[':method', ':scheme', ':authority', ':path', ':protocol'],
]);
/** Fields of HTTP/1 connections: a proxy that passes one on to a server of HTTP/1 smuggles (RFC 9113, 8.2.2). */
const CONNECTION_FIELDS: ReadonlySet<string> = new Set([
  ...['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'upgrade'],
]);

/** What is odd about the head of a request. Not on the hot path: asked for when someone looks. */
export function headAnomalies(list: HeaderList): string[] {
  const found = new Set<string>();
  if (list.hasUnknown) found.add('unknown-header-table');
  if (list.isCut) found.add('cut-head');
  if (list.isMalformed) found.add('malformed-header-block');
  if (list.isOversized) found.add('oversized-head');
  const pseudo = new Map<ByteString, ByteString>();
  const hosts: ByteString[] = [];
  let hasHeader = false;
  for (const [name, value] of list.fields) {
    if (name === '') continue;
    if (value.includes('\r') || value.includes('\n') || value.includes('\0')) found.add('control-in-header');
    if (name.startsWith(':')) {
      if (hasHeader) found.add('pseudo-header-after-header');
      if (!PSEUDO_FIELDS.has(name)) found.add('unknown-pseudo-header');
      if (pseudo.has(name)) found.add('repeated-pseudo-header');
      pseudo.set(name, value);
      continue;
    }
    hasHeader = true;
    noteName(name, found);
    if (name === 'host') hosts.push(value);
    if (CONNECTION_FIELDS.has(name) || (name === 'te' && value !== 'trailers'))
      found.add('connection-header');
  }
  noteTarget(pseudo.get(':path') ?? '', found);
  const authority = pseudo.get(':authority');
  if (hosts.length > 1) found.add('repeated-host');
  if (authority !== undefined && hosts.some((host) => host !== authority)) found.add('conflicting-host');
  if (
    list.isComplete &&
    (!pseudo.has(':method') || (!pseudo.has(':path') && pseudo.get(':method') !== 'CONNECT'))
  ) {
    found.add('missing-pseudo-header');
  }
  return [...found];
}

function noteName(name: ByteString, found: Set<string>): void {
  for (let index = 0; index < name.length; index++) {
    const code = name.charCodeAt(index);
    if (code >= 0x41 && code <= 0x5a) found.add('upper-case-header-name');
    else if (code <= 0x20 || code >= 0x7f || code === 0x3a) found.add('invalid-header-name');
  }
}

function noteTarget(target: ByteString, found: Set<string>): void {
  for (let index = 0; index < target.length; index++) {
    const code = target.charCodeAt(index);
    if (code <= 0x20) found.add('space-in-target');
    else if (code > 0x7e) found.add('non-ascii-target');
  }
}
