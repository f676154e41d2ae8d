import type { Grade } from './effect.ts';
import type { Process } from './process.ts';
import type { Request } from './request.ts';

/**
 * A proxy on this host and the application behind it: both ends of one connection are here, and the bytes that one end
 * wrote are those that the other read.
 */
export interface Hop {
  /** Who sent the request on. */
  readonly proxy: Process;
  /** The request of the proxy in whose name it did; null where several were possible, or it served none. */
  readonly front: Request | null;
  /** How that is known; what is 'matched' is known by bytes, which clients choose. */
  readonly grade: Grade;
  readonly reason: string;
  /** All requests of the proxy that were possible. */
  readonly candidates: readonly Request[];
}

/** Proxies one behind the other that are followed: more is a loop, or nobody's intention. */
const MAX_HOPS = 8;

/** The hops that led to a request on this host, the nearest first. The front of the last one came from elsewhere, or is not known. */
export function hopsOf(request: Request): readonly Hop[] {
  const hops: Hop[] = [];
  for (let at: Request | null = request; at !== null && hops.length < MAX_HOPS;) {
    const hop: Hop | null = at.hop ?? null;
    if (hop === null) break;
    hops.push(hop);
    at = hop.front;
  }
  return hops;
}

/** The request that came to this host first, of which this one is a part: itself, where nothing is known of a proxy. */
export function originOf(request: Request): Request {
  // Mostly there is no proxy, and rules ask on each event.
  if ((request.hop ?? null) === null) return request;
  return hopsOf(request).findLast(({ front }) => front !== null)?.front ?? request;
}
