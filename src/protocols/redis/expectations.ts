import type { ByteString } from '../../base/bytes.ts';

/** What a command changes or how it is answered, where that is not one plain reply. */
export type Expectation =
  | { readonly kind: 'silence' }
  /** One confirmation for every channel. */
  | { readonly kind: 'confirmations'; readonly name: ByteString; left: number }
  | { readonly kind: 'select'; readonly before: ByteString }
  | { readonly kind: 'sign-on'; readonly before: ByteString }
  | { readonly kind: 'monitor' }
  | { readonly kind: 'replication' }
  /** The integer that comes back counts keys or elements. */
  | { readonly kind: 'count' }
  /** A cursor and a page: the outer array's length says nothing. */
  | { readonly kind: 'page' };

/** Commands that answer how many keys, fields or elements they changed or found. */
const COUNTING = new Set(
  (
    'DEL UNLINK EXISTS TOUCH SADD SREM HSET HDEL ZADD ZREM ZREMRANGEBYSCORE ZREMRANGEBYRANK ZREMRANGEBYLEX LREM ' +
    'SINTERSTORE SUNIONSTORE SDIFFSTORE ZUNIONSTORE ZINTERSTORE ZRANGESTORE XDEL XACK XTRIM GEOADD PFADD PUBLISH'
  ).split(' '),
);
const PAGES = new Set(['SCAN', 'SSCAN', 'HSCAN', 'ZSCAN']);
const SUBSCRIPTIONS = new Set([
  'SUBSCRIBE',
  'PSUBSCRIBE',
  'SSUBSCRIBE',
  'UNSUBSCRIBE',
  'PUNSUBSCRIBE',
  'SUNSUBSCRIBE',
]);

/** @param before database and user of the connection before the command */
export function expectationOf(
  operation: ByteString,
  argumentCount: number,
  before: { readonly database: ByteString; readonly user: ByteString },
): Expectation | null {
  if (SUBSCRIPTIONS.has(operation))
    return { kind: 'confirmations', name: operation.toLowerCase(), left: Math.max(1, argumentCount) };
  if (COUNTING.has(operation)) return { kind: 'count' };
  if (PAGES.has(operation)) return { kind: 'page' };
  switch (operation) {
    case 'SELECT':
      return { kind: 'select', before: before.database };
    case 'AUTH':
    case 'HELLO':
      return { kind: 'sign-on', before: before.user };
    case 'MONITOR':
      return { kind: 'monitor' };
    case 'SYNC':
    case 'PSYNC':
      return { kind: 'replication' };
    default:
      return null;
  }
}

/** Kinds of the arrays (RESP2) and pushes (RESP3) that confirm a subscription or its end. */
export function isConfirmation(kind: ByteString): boolean {
  return SUBSCRIPTIONS.has(kind.toUpperCase());
}

/** Kinds of the messages that a subscriber gets: they answer nothing. */
export function isMessage(kind: ByteString): boolean {
  return kind === 'message' || kind === 'pmessage' || kind === 'smessage';
}
