/**
 * A Node server that looks up a name before it opens a file and answers.
 *
 *   node resolves.ts PORT DIRECTORY
 *
 * `?id=ID&how=HOW`: HOW is `resolve` (c-ares on the event loop) or `lookup` (getaddrinfo in a thread of the pool). The name
 * and the file carry the id backwards: their bytes prove nothing. With `&host=NAME` it is that name.
 */
import { promises } from 'node:dns';
import { closeSync, openSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';

const [port, directory = '/nonexistent'] = process.argv.slice(2);

createServer((request, response) => {
  const { searchParams } = new URL(request.url ?? '/', 'http://localhost');
  const mark = Array.from(searchParams.get('id') ?? 'none')
    .toReversed()
    .join('');
  const name = searchParams.get('host') ?? `${mark}.test`;
  const asked =
    searchParams.get('how') === 'lookup'
      ? promises.lookup(name, { all: true }).then((found) => found.map(({ address }) => address))
      : promises.resolve4(name);
  void asked.then((addresses) => {
    closeSync(openSync(join(directory, mark), 'w'));
    response.end(addresses.join(' '));
  });
}).listen(Number(port), '127.0.0.1', 512);
