import { createServer } from 'node:net';

/** The attacker's end of the story: a loopback port to which the injected command connects. */
export interface Listener extends AsyncDisposable {
  readonly port: number;
  /** What arrived on the next connection, or null when none came within the time. */
  received(timeoutMs: number): Promise<string | null>;
}

export async function openListener(): Promise<Listener> {
  const arrived = Promise.withResolvers<string>();
  const server = createServer((socket) => {
    const chunks: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.on('error', () => socket.destroy());
    socket.on('close', () => arrived.resolve(Buffer.concat(chunks).toString('utf8').trim()));
  });
  await new Promise<void>((done, failed) => {
    server.once('error', failed);
    server.listen(0, '127.0.0.1', done);
  });
  const address = server.address();
  if (typeof address !== 'object' || !address) throw new Error('the listener has no port');
  return {
    port: address.port,
    received: (timeoutMs) =>
      Promise.race([
        arrived.promise,
        new Promise<null>((done) => setTimeout(() => done(null), timeoutMs).unref()),
      ]),
    [Symbol.asyncDispose]: () => new Promise((done) => server.close(() => done())),
  };
}
