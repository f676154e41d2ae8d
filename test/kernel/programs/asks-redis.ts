/**
 * A Node server that asks Redis over a pool of connections before it opens a file and answers.
 *
 *   node asks-redis.ts PORT REDIS_PORT CONNECTIONS DIRECTORY
 *
 * What it asks and opens carries the request's id backwards: its bytes prove nothing.
 */
import { closeSync, openSync } from 'node:fs';
import { createServer } from 'node:http';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';

const [port, redisPort, connections, directory = '/nonexistent'] = process.argv.slice(2);

interface PoolConnection {
  readonly socket: Socket;
  answered: ((reply: string) => void) | null;
}

const idle: PoolConnection[] = [];
const queue: ((connection: PoolConnection) => void)[] = [];

for (let count = Number(connections); count > 0; count--) {
  const connection: PoolConnection = { socket: connect(Number(redisPort), '127.0.0.1'), answered: null };
  connection.socket.on('data', (bytes) => connection.answered?.(bytes.toString('latin1')));
  idle.push(connection);
}

function acquire(): Promise<PoolConnection> {
  const connection = idle.pop();
  return connection === undefined ? new Promise((done) => queue.push(done)) : Promise.resolve(connection);
}

function release(connection: PoolConnection): void {
  const next = queue.shift();
  if (next === undefined) idle.push(connection);
  else next(connection);
}

async function ask(key: string): Promise<string> {
  const connection = await acquire();
  const reply = await new Promise<string>((done) => {
    connection.answered = done;
    connection.socket.write(`*2\r\n$3\r\nGET\r\n$${key.length}\r\n${key}\r\n`);
  });
  release(connection);
  return reply;
}

createServer((request, response) => {
  const id = new URL(request.url ?? '/', 'http://localhost').searchParams.get('id') ?? 'none';
  const mark = Array.from(id).toReversed().join('');
  void ask(mark).then(() => {
    closeSync(openSync(join(directory, mark), 'w'));
    response.end('ok');
  });
}).listen(Number(port), '127.0.0.1', 512);
