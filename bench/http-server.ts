/** The server that the HTTP workload asks: the least that node:http can do, so that the agent's share shows most. */
import { createServer } from 'node:http';

const REPLY = 'hello from the bench\n';

const server = createServer((_request, response) => {
  response.writeHead(200, { 'content-type': 'text/plain', 'content-length': REPLY.length }).end(REPLY);
}).listen(0, '127.0.0.1', () => {
  const address = server.address();
  process.send?.({ port: typeof address === 'object' && address ? address.port : 0 });
});
process.on('disconnect', () => process.exit(0));
