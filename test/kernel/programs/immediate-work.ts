/**
 * A Node server whose requests do their work in immediates.
 *
 *   node immediate-work.ts PORT DIRECTORY
 *
 * What it writes carries the request's id backwards: its bytes prove nothing.
 */
import { execFile, spawnSync } from 'node:child_process';
import { pbkdf2 } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { promisify } from 'node:util';

const ROUNDS = 3;
const [port, directory = '/nonexistent'] = process.argv.slice(2);
const run = promisify(execFile);
const derive = promisify(pbkdf2);

/** Done in the turn of the loop that goes on with the caller, behind all that is ready in it. */
function inImmediate(name: string): Promise<void> {
  return new Promise((done) => {
    setImmediate(() => {
      writeFileSync(join(directory, name), 'done\n');
      done();
    });
  });
}

/** Asked for amid work of the pool that comes back, in an immediate, and while the handles of a program are closed. */
async function work(mark: string): Promise<void> {
  for (let round = 0; round < ROUNDS; round++) {
    await derive(mark, 'salt', 500, 32, 'sha256');
    if (round === 0) {
      // Meanwhile the thread runs another loop.
      spawnSync('/bin/true');
      writeFileSync(join(directory, `${mark}.synced`), 'done\n');
    }
    await inImmediate(`${mark}.returned-${round}`);
    await inImmediate(`${mark}.nested-${round}`);
  }
  await run('/bin/true');
  await inImmediate(`${mark}.closed`);
}

// Nobody's work, in immediates that are asked for by timers, and by what the pool has done.
let ticks = 0;
if (process.env['TICKS'] === '1') {
  setInterval(() => void inImmediate(`tick-${ticks++}.timer`), 2);
  setInterval(() => {
    const name = `tick-${ticks++}.pool`;
    void derive(name, 'salt', 500, 32, 'sha256').then(() => inImmediate(name));
  }, 2);
}

createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
  const mark = Array.from(searchParams.get('id') ?? 'none')
    .toReversed()
    .join('');
  const done = pathname === '/work' ? work(mark) : Promise.resolve();
  done.then(
    () => response.end('ok\n'),
    (error: unknown) => response.writeHead(500).end(`${String(error)}\n`),
  );
}).listen(Number(port), '127.0.0.1', 512);
