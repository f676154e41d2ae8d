import type { Protocol } from '../contract.ts';
import { requestPlausibility } from './parser.ts';
import { Http1Connection } from './stream.ts';

/** HTTP/1.0 and 1.1 as a server sees it (RFC 9110, RFC 9112), and the simple requests of HTTP/0.9. */
export const http1: Protocol = {
  name: 'http1',
  recognise(firstBytes) {
    let start = 0;
    while (start < firstBytes.length && (firstBytes[start] === 13 || firstBytes[start] === 10)) start++;
    return requestPlausibility(firstBytes, start, firstBytes.length, false);
  },
  open: (sink) => new Http1Connection(sink),
};
