/** node:http: one event loop, everything asynchronous. See README.md for the paths. */
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import { createServer as createSecuredServer } from 'node:https';
import { connect } from 'node:net';
import { join } from 'node:path';

const port = Number(process.argv[2]);
const workDirectory = process.env['WORK_DIR'] ?? '/nonexistent';
const defaultSinkPort = process.env['SINK_PORT'] ?? '0';

function runProgram(program: string, args: string[]): Promise<string> {
  return new Promise((done) => {
    execFile(program, args, (_error, stdout, stderr) => done(stdout + stderr));
  });
}

function runShell(command: string): Promise<string> {
  return runProgram('/bin/sh', ['-c', command]);
}

function touchSink(sinkPort: number): Promise<void> {
  return new Promise((done, failed) => {
    const socket = connect({ host: '127.0.0.1', port: sinkPort }, () => socket.end());
    socket.once('error', failed);
    socket.once('close', () => done());
    socket.resume();
  });
}

async function work(parameters: URLSearchParams, isShell: boolean): Promise<string> {
  const id = parameters.get('id') ?? '';
  const mark = parameters.get('carry') === 'reversed' ? Array.from(id).toReversed().join('') : id;
  await touchSink(Number(parameters.get('port') ?? defaultSinkPort));
  await (isShell ? runShell(`/bin/echo ${mark}; true`) : runProgram('/bin/echo', [mark]));
  const path = join(workDirectory, `${mark}.txt`);
  await writeFile(path, mark);
  await readFile(path);
  return `done ${id}\n`;
}

async function body(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

async function answer(request: IncomingMessage): Promise<[status: number, body: string | Buffer]> {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://127.0.0.1');
  const value = (name: string): string => searchParams.get(name) ?? '';
  switch (pathname) {
    case '/':
      return [200, 'ready\n'];
    case '/work':
      return [200, await work(searchParams, false)];
    case '/shell':
      return [200, await work(searchParams, true)];
    case '/run':
      return [200, await runShell(`/bin/echo checking ${value('cmd')}`)];
    case '/saferun':
      return [200, await runProgram('/bin/echo', ['checking', value('arg')])];
    case '/read':
      return [200, await readFile(join(workDirectory, value('name')))];
    case '/saferead':
      if (value('name').includes('/') || value('name').startsWith('.')) return [403, 'refused\n'];
      return [200, await readFile(join(workDirectory, value('name')))];
    case '/big':
      return [200, 'x'.repeat(200 * 1024)];
    case '/echo':
      return [200, await body(request)];
    default:
      return [404, 'not found\n'];
  }
}

const listener: RequestListener = (request, response) => {
  void answer(request)
    .catch((error: unknown): [number, string] => [500, `${String(error)}\n`])
    .then(([status, reply]) => response.writeHead(status, { 'content-type': 'text/plain' }).end(reply));
};

const certificateFile = process.env['TLS_CERTIFICATE'];
const keyFile = process.env['TLS_KEY'];
const server =
  certificateFile === undefined || keyFile === undefined
    ? createServer(listener)
    : createSecuredServer({ cert: readFileSync(certificateFile), key: readFileSync(keyFile) }, listener);
server.listen(port, '127.0.0.1', 512);
