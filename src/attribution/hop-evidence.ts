import type { QueryEffect } from '../model/effect.ts';
import type { Hop } from '../model/hop.ts';
import type { Request } from '../model/request.ts';
import { UNKNOWN_STAMP } from './verdicts.ts';

/** Protocols in which a web server tells the address of its client beside the client's own header fields. */
const CGI_PROTOCOLS = new Set(['fastcgi', 'uwsgi']);
/** Header fields that proxies pass on and that name one request. */
const IDENTIFIERS = ['x-request-id', 'x-correlation-id', 'traceparent'];
/** Shorter ones are no names: clients count, too. */
const MIN_IDENTIFIER = 8;
const MAX_CANDIDATES = 256;

/**
 * In whose name a proxy sent the request on. Who wrote it is known by the sockets; which request that thread was working
 * on is what attribution says of the question. Where several were possible, what stands in both requests may decide.
 */
export function hopOf(sent: QueryEffect, received: Request): Hop {
  const { attribution, process: proxy } = sent;
  const { grade, reason, request, candidates } = attribution;
  if (grade === 'none') return { proxy, front: null, grade, reason, candidates: [] };
  if (request === null) return decideByBytes(sent, received);
  // The proxy itself says who its client is: where that is another one, neither is believed.
  const told = toldClient(received);
  const { client } = request.connection;
  if (told !== null && told.address === client.address && client.port !== 0 && told.port !== client.port)
    return {
      proxy,
      front: null,
      grade: 'ambiguous',
      reason: 'the thread of the proxy stands for one client and its variables for another',
      candidates: [request],
    };
  return { proxy, front: request, grade, reason, candidates };
}

function decideByBytes({ attribution, process: proxy }: QueryEffect, received: Request): Hop {
  const { reason, candidates } = attribution;
  const undecided: Hop = { proxy, front: null, grade: 'ambiguous', reason, candidates };
  // The request that was not captured is the likelier one, and not among the candidates.
  if (reason === UNKNOWN_STAMP || candidates.length > MAX_CANDIDATES) return undecided;
  const matched = (front: Request, evidence: string): Hop => ({
    proxy,
    front,
    grade: 'matched',
    reason: `${reason}; ${evidence}`,
    candidates: [front],
  });
  const told = toldClient(received);
  if (told !== null) {
    const front = onlyOne(candidates, ({ connection: { client } }) => {
      return client.port !== 0 && client.port === told.port && client.address === told.address;
    });
    if (front !== null) return matched(front, 'only this client is the one that the proxy names');
  }
  for (const name of IDENTIFIERS) {
    const identifiers = identifiersOf(received, name);
    if (identifiers.size === 0) continue;
    const front = onlyOne(candidates, (candidate) =>
      [...identifiersOf(candidate, name)].some((one) => identifiers.has(one)),
    );
    if (front !== null) return matched(front, `only this request has the same ${name}`);
  }
  return undecided;
}

/** The client that a web server names in its variables; null where it names none with a port. */
function toldClient({ message }: Request): { readonly address: string; readonly port: number } | null {
  if (!CGI_PROTOCOLS.has(message.protocol)) return null;
  let address = '';
  let port = 0;
  for (const [name, value] of message.headers) {
    if (name === 'remote_addr') address = value;
    else if (name === 'remote_port') port = Number(value);
  }
  return address !== '' && port > 0 ? { address, port } : null;
}

function identifiersOf({ message }: Request, name: string): ReadonlySet<string> {
  const found = new Set<string>();
  for (const [header, value] of message.headers) {
    if (header !== name) continue;
    // Of traceparent, the trace: each service puts its own span beside it.
    const identifier = name === 'traceparent' ? (value.split('-', 2)[1] ?? '') : value;
    if (identifier.length >= MIN_IDENTIFIER) found.add(identifier);
  }
  return found;
}

function onlyOne(requests: readonly Request[], holds: (request: Request) => boolean): Request | null {
  let found: Request | null = null;
  for (const request of requests) {
    if (!holds(request)) continue;
    if (found !== null) return null;
    found = request;
  }
  return found;
}
