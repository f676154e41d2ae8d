import type { Protocol } from '../contract.ts';
import { commandPlausibility, replyPlausibility } from './parser.ts';
import { RedisConnection } from './stream.ts';

/** Redis and what speaks like it (Valkey, KeyDB, Dragonfly): RESP2 and RESP3, and inline commands. */
export const redis: Protocol = {
  name: 'redis',
  transport: 'stream',
  recognise({ fromClient, fromServer, isBeginning }) {
    if (fromClient.length === 0) {
      // The server never speaks first; in the middle of a connection a reply alone does not tell.
      if (isBeginning || replyPlausibility(fromServer) === 'no') return 'no';
      return 'maybe';
    }
    const command = commandPlausibility(fromClient);
    if (command !== 'likely') return command;
    // After a line, the answer decides: memcached and SMTP know some of the words too.
    return replyPlausibility(fromServer);
  },
  open: (sink) => new RedisConnection(sink),
};
