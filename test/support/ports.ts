import { createServer, type Server } from 'node:net';

async function listen(server: Server): Promise<number> {
  await new Promise<void>((done, failed) => {
    server.once('error', failed);
    server.listen(0, '127.0.0.1', 512, done);
  });
  const address = server.address();
  if (typeof address !== 'object' || !address) throw new Error('a listening server has no port');
  return address.port;
}

/** A port that was free a moment ago: for servers that must be told one. Callers retry when somebody was faster. */
export async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listen(server);
  await new Promise<void>((done) => server.close(() => done()));
  return port;
}

/** Loopback listeners that accept and discard: what servers under test connect to. */
export interface Sinks extends AsyncDisposable {
  readonly ports: readonly number[];
}

export async function openSinks(count: number): Promise<Sinks> {
  const servers = Array.from({ length: count }, () =>
    createServer((socket) => {
      socket.on('error', () => socket.destroy());
      socket.end();
      socket.resume();
    }),
  );
  const ports = await Promise.all(servers.map(listen));
  return {
    ports,
    async [Symbol.asyncDispose]() {
      await Promise.all(servers.map((server) => new Promise<void>((done) => server.close(() => done()))));
    },
  };
}
