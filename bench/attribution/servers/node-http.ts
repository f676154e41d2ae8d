/** node:http and nothing else: one event loop. */
import { createServer } from 'node:http';
import { work } from './node-work.ts';

createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://127.0.0.1');
  const reply =
    pathname === '/work'
      ? work(searchParams.get('id') ?? '', searchParams.get('carry') ?? '')
      : Promise.resolve('ready\n');
  reply.then(
    (text) => response.end(text),
    (error: unknown) => response.writeHead(500).end(`${String(error)}\n`),
  );
}).listen(Number(process.env['PORT']), '127.0.0.1', 512);
