/** The least that node:http can do, so that the agent's share shows most. */
import { createServer } from 'node:http';
import { listen } from './listen.ts';

const REPLY = 'hello from the bench\n';

listen(
  createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/plain', 'content-length': REPLY.length }).end(REPLY);
  }),
);
