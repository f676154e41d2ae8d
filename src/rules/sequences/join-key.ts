import { createHash } from 'node:crypto';
import { originOf } from '../../model/hop.ts';
import { valueText, type Bound } from '../compile/bind.ts';
import { UNTOLD_NUMBER, type RuleEvent } from '../event.ts';
import { parseAddress } from '../match/address.ts';

/** Longer values, which the other side of a connection may choose, are kept as their digest. */
const MAX_LENGTH = 128;
const MAPPED = '::ffff:';
/** Of the four words of an IPv6 address those that name the network of one customer: a /64. */
const NETWORK_WORDS = 2;

/** The values by which an event is joined with others, as one text; null where it does not have all of them. */
export function joinKeyOf(terms: readonly Bound[], event: RuleEvent): string | null {
  if (terms.length === 1) return singleValueOf(terms[0], event);
  let key = '';
  for (let at = 0; at < terms.length; at++) {
    const value = singleValueOf(terms[at], event);
    if (value === null) return null;
    // Its length in front: no value can look like two.
    key += `${value.length}:${value}`;
  }
  return key;
}

/** The value of a term as a text that is the same for equal values; null for none. */
export function singleValueOf(term: Bound | undefined, event: RuleEvent): string | null {
  const access = term?.access;
  if (access?.shape !== 'single') return null;
  const value = access.get(event);
  if (value === null || value === UNTOLD_NUMBER) return null;
  if (access.type === 'address') return plainAddress(String(value));
  const text = valueText(value);
  return text.length <= MAX_LENGTH ? text : createHash('sha256').update(text, 'latin1').digest('base64');
}

/** An IPv4 address inside of an IPv6 one is the IPv4 address; else events write each address in one way. */
function plainAddress(address: string): string {
  return address.startsWith(MAPPED) && address.includes('.') ? address.slice(MAPPED.length) : address;
}

/** A client by its address or network, or a control group by its number: as they are, since nothing is made of them then. */
export type OwnerName = string | number;

/**
 * Who is to blame for what has to be remembered of an event: the client that sent the request or made the connection, else the
 * control group of the process.
 */
export function ownerOf(event: RuleEvent): OwnerName {
  const { request, descriptor, process } = event;
  const client =
    request !== null
      ? originOf(request).connection.client
      : descriptor?.isServer === true
        ? descriptor.client
        : null;
  if (client !== null && client.port !== 0) return networkOf(plainAddress(client.address));
  return process?.cgroupId ?? 0;
}

/** Of IPv6 what one customer has; a client may use each address in it. */
function networkOf(address: string): string {
  if (!address.includes(':')) return address;
  return parseAddress(address)?.slice(0, NETWORK_WORDS).join('.') ?? address;
}
