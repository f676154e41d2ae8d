/** Segments that name one thing of many: numbers, UUIDs, long hexadecimal keys. */
const IDENTIFIER = /^(?:\d+|[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|(?=[a-f]*\d)[0-9a-f]{16,128})$/i;
/** Routes of a scanner are without end and without sense beyond this. */
const MAX_LENGTH = 200;

/** The path of a target as a route: /users/4711/orders becomes /users/:id/orders. */
export function routeOf(target: string): string {
  const path = pathOfTarget(target);
  const short = path.length > MAX_LENGTH ? path.slice(0, MAX_LENGTH) + '…' : path;
  return short
    .split('/')
    .map((segment) => (IDENTIFIER.test(segment) ? ':id' : segment))
    .join('/');
}

/** The path of a request target: no query, no fragment, and no scheme and host where a proxy was asked. */
export function pathOfTarget(target: string): string {
  const end = target.search(/[?#]/);
  const path = end < 0 ? target : target.slice(0, end);
  const [origin] = /^[a-z][a-z0-9+.-]{0,20}:\/\/[^/]*/i.exec(path) ?? [];
  return origin === undefined ? path : path.slice(origin.length) || '/';
}
