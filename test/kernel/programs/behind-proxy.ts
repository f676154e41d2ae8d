/**
 * An application behind a proxy: waits a moment, writes a file that is named like the last part of the path, answers.
 * `behind-proxy.ts LISTEN DIRECTORY`, where LISTEN is a port or the path of a unix socket.
 */
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const [listen = '0', directory = '/nonexistent'] = process.argv.slice(2);

const server = createServer((request, response) => {
  const { pathname } = new URL(request.url ?? '/', 'http://app');
  const name = pathname.slice(pathname.lastIndexOf('/') + 1);
  void (async () => {
    await sleep(Math.random() * 5);
    if (/^\d{6}$/.test(name)) await writeFile(join(directory, `behind-${name}`), name);
    response.end('done\n');
  })();
});
server.keepAliveTimeout = 60_000;
if (/^\d+$/.test(listen)) server.listen(Number(listen), '127.0.0.1');
else server.listen(listen);
