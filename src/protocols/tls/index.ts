import type { Protocol } from '../contract.ts';
import { judgeBeginning, judgeMiddle } from './records.ts';
import { TlsConnection } from './stream.ts';

/** TLS (RFC 8446, RFC 5246) as far as it can be read: who the client is and whom it wants. */
export const tls: Protocol = {
  name: 'tls',
  transport: 'stream',
  recognise({ fromClient, fromServer, isBeginning }) {
    if (fromClient.length === 0) {
      if (fromServer.length === 0) return 'maybe';
      return isBeginning ? 'no' : judgeMiddle(fromServer);
    }
    const beginning = judgeBeginning(fromClient);
    if (beginning !== 'no' || isBeginning) return beginning;
    const middle = judgeMiddle(fromClient);
    if (middle === 'no' || fromServer.length === 0) return middle;
    return judgeMiddle(fromServer) === 'no' ? 'no' : middle;
  },
  open: (sink) => new TlsConnection(sink),
};
