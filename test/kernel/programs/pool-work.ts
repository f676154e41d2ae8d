/**
 * A Node server whose requests, one at a time, hand work to libuv's pool and to programs.
 *
 *   node pool-work.ts PORT REDIS_PORT DIRECTORY
 *
 * What it opens, runs and asks carries the request's id backwards: its bytes prove nothing.
 */
import { execFile } from 'node:child_process';
import { pbkdf2 } from 'node:crypto';
import { copyFile, unlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const [port, redisPort, directory = '/nonexistent'] = process.argv.slice(2);
const run = promisify(execFile);
const derive = promisify(pbkdf2);

/** As clients of Redis do, what is to be sent waits for the end of the turn. */
const redis = connect(Number(redisPort), '127.0.0.1');

function ask(key: string): Promise<unknown> {
  return new Promise((answered) => {
    redis.once('data', answered);
    setImmediate(() => redis.write(`*2\r\n$3\r\nGET\r\n$${key.length}\r\n${key}\r\n`));
  });
}

/** As much as a request of the bench's Node service does, but for PostgreSQL, whose answers cost no probe. */
async function work(mark: string): Promise<void> {
  await run('/bin/echo', [mark]);
  const path = join(directory, mark);
  await writeFile(path, 'visited\n');
  await unlink(path);
  await ask(mark);
}

/** When its last work is done, which has no path, it is still in flight while the pool does what a timer wants. */
async function linger(mark: string): Promise<void> {
  await derive(mark, 'salt', 1000, 32, 'sha256');
  await copyFile(import.meta.filename, join(directory, mark));
  await derive(mark, 'salt', 1000, 32, 'sha256');
  await sleep(20);
}

/** Nobody's work: a file every few milliseconds. */
let ticks = 0;
if (process.env['TICKS'] === '1')
  setInterval(() => void writeFile(join(directory, `tick-${ticks++}`), 'tick\n'), 5);

createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
  const mark = Array.from(searchParams.get('id') ?? 'none')
    .toReversed()
    .join('');
  const done = pathname === '/work' ? work(mark) : pathname === '/linger' ? linger(mark) : Promise.resolve();
  done.then(
    () => response.end('ok\n'),
    (error: unknown) => response.writeHead(500).end(`${String(error)}\n`),
  );
}).listen(Number(port), '127.0.0.1', 512);
