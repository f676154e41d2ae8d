/**
 * A small web service with two holes, each beside a twin that does the same thing safely. For the demo only:
 * it answers on 127.0.0.1 and refuses to listen anywhere else.
 *
 *   GET /, /health          ordinary
 *   GET /ping?host=H        VULNERABLE: H goes into a shell command (CWE-78)
 *   GET /safe/ping?host=H   the same program, H as one argument, no shell
 *   GET /file?name=N        VULNERABLE: N is joined to a directory unchecked (CWE-22)
 *   GET /safe/file?name=N   the same, checked to stay inside the directory
 */
import { exec, execFile, type ExecFileException } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join, resolve, sep } from 'node:path';
import { parseArgs } from 'node:util';

const HOST = '127.0.0.1';
const FILES = join(import.meta.dirname, 'files');
const TIMEOUT_MS = 5000;

interface Reply {
  readonly status: number;
  readonly text: string;
}

type Handler = (parameters: URLSearchParams) => Promise<Reply>;

const handlers: Readonly<Record<string, Handler>> = {
  '/': () => Promise.resolve({ status: 200, text: 'Demo service: /health /ping?host= /file?name=\n' }),
  '/health': () => Promise.resolve({ status: 200, text: 'ok\n' }),
  '/ping': (parameters) => pingThroughShell(parameters.get('host') ?? 'localhost'),
  '/safe/ping': (parameters) => pingDirectly(parameters.get('host') ?? 'localhost'),
  '/file': (parameters) => read(join(FILES, parameters.get('name') ?? 'welcome.txt')),
  '/safe/file': (parameters) => readInside(FILES, parameters.get('name') ?? 'welcome.txt'),
};

/** The "ping" only asks the hosts file: getent is on every glibc system, and `-s files` keeps DNS out of it. */
const LOOK_UP = { program: 'getent', args: ['-s', 'files', 'hosts'] } as const;

function pingThroughShell(host: string): Promise<Reply> {
  return new Promise((done) => {
    exec(
      `${[LOOK_UP.program, ...LOOK_UP.args].join(' ')} ${host}`,
      { timeout: TIMEOUT_MS },
      (error, stdout, stderr) => {
        done(programReply(error, stdout + stderr));
      },
    );
  });
}

function pingDirectly(host: string): Promise<Reply> {
  return new Promise((done) => {
    execFile(LOOK_UP.program, [...LOOK_UP.args, host], { timeout: TIMEOUT_MS }, (error, stdout, stderr) => {
      done(programReply(error, stdout + stderr));
    });
  });
}

function programReply(error: ExecFileException | null, output: string): Reply {
  return error ? { status: 502, text: output || 'host not found\n' } : { status: 200, text: output };
}

async function read(path: string): Promise<Reply> {
  try {
    return { status: 200, text: await readFile(path, 'utf8') };
  } catch {
    return { status: 404, text: 'no such file\n' };
  }
}

async function readInside(directory: string, name: string): Promise<Reply> {
  const path = resolve(directory, name);
  if (!path.startsWith(directory + sep)) return { status: 403, text: 'not inside the directory\n' };
  return read(path);
}

async function answer(target: string): Promise<Reply> {
  const url = URL.parse(target, `http://${HOST}`);
  const handler = url && Object.hasOwn(handlers, url.pathname) ? handlers[url.pathname] : undefined;
  if (!url || !handler) return { status: 404, text: 'not found\n' };
  return handler(url.searchParams);
}

function readOptions(): { port: number } {
  const { values } = parseArgs({
    options: { port: { type: 'string', default: '0' }, host: { type: 'string', default: HOST } },
  });
  if (values.host !== HOST)
    throw new Error(`this service is vulnerable on purpose: it listens on ${HOST} only`);
  const port = Number(values.port);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new Error(`not a port: ${values.port}`);
  return { port };
}

function main(): void {
  const { port } = readOptions();
  const server = createServer((request, response) => {
    void answer(request.url ?? '/')
      .catch((error: unknown): Reply => ({ status: 500, text: `${String(error)}\n` }))
      .then(({ status, text }) => {
        response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(text);
      });
  });
  server.on('error', (error) => {
    console.error(`demo service: ${error.message}`);
    process.exit(1);
  });
  server.listen(port, HOST, () => {
    const address = server.address();
    const url = `http://${HOST}:${typeof address === 'object' && address ? address.port : port}`;
    console.log(`demo service listening on ${url}`);
    process.send?.({ url });
  });
  // Started by run.ts, it must not outlive it, whichever way that one ends.
  process.on('disconnect', () => process.exit(0));
}

try {
  main();
} catch (error) {
  console.error(`demo service: ${error instanceof Error ? error.message : String(error)}`);
  process.exit(2);
}
