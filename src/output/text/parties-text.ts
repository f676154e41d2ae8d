import { endpointText } from '../../base/addresses.ts';
import type { ClientView, RequestSummaryView } from '../views.ts';
import type { Style, Terminal } from './terminal.ts';
import { countText, durationText } from './wording.ts';

const MAX_CANDIDATES = 8;

/**
 * Who sent the request, as far as is known: `203.0.113.9:51944`, `203.0.113.9:51944 through nginx[812]`; what only the
 * message says stands in brackets and is called a claim.
 */
export function clientText(request: RequestSummaryView, terminal: Terminal): string {
  const { client, forwardedFor } = request;
  const own = addressText(client, terminal);
  if (forwardedFor === null) return own;
  const { claimed } = forwardedFor;
  const claim = claimed === null ? '' : ` (claims to be for ${addressText(claimed.client, terminal)})`;
  if (forwardedFor.known === 'header') return own + claim;
  // The way that it took: the first proxy first.
  const proxies = forwardedFor.through
    .toReversed()
    .map(({ comm, pid }) => `${terminal.safe(comm, 40)}[${pid}]`)
    .join(', ');
  if (forwardedFor.client !== null)
    return `${addressText(forwardedFor.client, terminal)}${claim} through ${proxies}`;
  const count = forwardedFor.candidates.length;
  return `${count < 2 ? 'unknown client' : `one of ${countText(count, 'client')}`}${claim} through ${proxies}`;
}

function addressText({ ip, port }: ClientView, terminal: Terminal): string {
  // Headers name addresses alone, as a rule.
  const isWithoutPort = port === 0 && (/^[\d.]+$/.test(ip) || ip.includes(':'));
  return terminal.safe(isWithoutPort ? ip : endpointText(ip, port), 120);
}

/** How the proxy's own request is called, and how it is known; null where no proxy on this host is. */
export function frontText({ forwardedFor }: RequestSummaryView, terminal: Terminal): string | null {
  if (forwardedFor === null || forwardedFor.known === 'header') return null;
  const { request, candidates, grade } = forwardedFor;
  const reason = `${grade}: ${terminal.safe(forwardedFor.reason, 200)}`;
  if (request !== null) return `sent on for ${terminal.safe(request, 60)}, ${reason}`;
  const shown = candidates.slice(0, MAX_CANDIDATES).map((id) => terminal.safe(id, 60));
  const rest = candidates.length - shown.length;
  const list = shown.join(', ') + (rest > 0 ? ` and ${rest} more` : '');
  if (shown.length === 0) return `sent on for nobody that is known, ${reason}`;
  return `sent on for ${shown.length === 1 ? 'perhaps' : 'one of'} ${list}, ${reason}`;
}

/** A request that a proxy sent on, in the tree of the proxy's own one: who serves it, and how that went. */
export function requestBehindText(request: RequestSummaryView, terminal: Terminal, limit: number): string {
  const parts = [
    `${terminal.paint('dim', terminal.symbols.arrow)} ${serverText(request, terminal)}`,
    terminal.paint('bold', requestText(request, terminal, limit)),
    statusText(request.status, terminal),
    request.durationMs === null ? '' : durationText(request.durationMs),
    terminal.paint('dim', terminal.safe(request.id, 60)),
  ];
  return parts.filter((part) => part !== '').join('  ');
}

export function requestText(request: RequestSummaryView, terminal: Terminal, limit: number): string {
  return `${terminal.safe(request.method, 20)} ${terminal.safe(request.target, limit)}`;
}

export function serverText(request: RequestSummaryView, terminal: Terminal): string {
  return `${terminal.safe(request.server.comm, 40)}[${request.server.pid}]`;
}

export function statusText(status: number | null, terminal: Terminal): string {
  if (status === null) return terminal.paint('dim', 'no reply');
  return terminal.paint(statusStyle(status), String(status));
}

function statusStyle(status: number): Style {
  if (status >= 500) return 'red';
  return status >= 400 ? 'yellow' : 'green';
}
