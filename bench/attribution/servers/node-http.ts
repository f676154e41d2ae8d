/** node:http and nothing else: one event loop. */
import { createServer } from 'node:http';
import { work, workAtOnce } from './node-work.ts';

createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://127.0.0.1');
  const id = searchParams.get('id') ?? '';
  const carry = searchParams.get('carry') ?? '';
  answer(pathname, id, carry).then(
    (text) => response.end(text),
    (error: unknown) => response.writeHead(500).end(`${String(error)}\n`),
  );
}).listen(Number(process.env['PORT']), '127.0.0.1', 512);

function answer(path: string, id: string, carry: string): Promise<string> {
  switch (path) {
    case '/work':
      return work(id, carry);
    case '/parallel':
      return workAtOnce(id, carry);
    default:
      return Promise.resolve('ready\n');
  }
}
