import type { Protocol } from '../contract.ts';
import { isPlainRequest, plainReplyHead } from './plain.ts';
import { requestPlausibility } from './parser.ts';
import { Http1Connection } from './stream.ts';

/** HTTP/1.0 and 1.1 as a server sees it (RFC 9110, RFC 9112), and the simple requests of HTTP/0.9. */
export const http1: Protocol = {
  name: 'http1',
  transport: 'stream',
  recognise({ fromClient, fromServer }) {
    // A server that speaks first speaks something else.
    if (fromClient.length === 0 && fromServer.length > 0) return 'no';
    let start = 0;
    while (start < fromClient.length && (fromClient[start] === 13 || fromClient[start] === 10)) start++;
    const plausibility = requestPlausibility(fromClient, start, fromClient.length, false);
    return plausibility === 'yes' ? 'certain' : plausibility;
  },
  plain: { isRequest: isPlainRequest, plainReplyHead },
  open: (sink) => new Http1Connection(sink),
};
