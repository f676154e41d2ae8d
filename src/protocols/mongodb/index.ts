import type { Protocol } from '../contract.ts';
import { messagePlausibility } from './parser.ts';
import { MongodbConnection } from './stream.ts';

/** MongoDB's wire protocol: OP_MSG, OP_QUERY of old drivers and first handshakes, OP_COMPRESSED unread. */
export const mongodb: Protocol = {
  name: 'mongodb',
  transport: 'stream',
  recognise({ fromClient, fromServer, isBeginning }) {
    if (fromClient.length > 0) return messagePlausibility(fromClient, true);
    // A server that speaks first speaks something else.
    return isBeginning ? 'no' : messagePlausibility(fromServer, false);
  },
  open: (sink) => new MongodbConnection(sink),
};
