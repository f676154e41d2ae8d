/** Made-up container runtimes for tests, on unix sockets in a temporary folder. */

import { mkdtempSync, rmSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttp2Server, type ServerHttp2Stream } from 'node:http2';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeField } from './protobuf.ts';

export const ID = '4f1c'.repeat(16);
export const OTHER_ID = '90ab'.repeat(16);

/** A server that listens on a socket of its own; ends with all its connections. */
export class MadeUpRuntime implements AsyncDisposable {
  readonly path: string;
  /** What it was asked, in order: paths of HTTP, methods of gRPC. */
  readonly asked: string[] = [];
  readonly #folder = mkdtempSync(join(tmpdir(), 'throughline-runtime-'));
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  constructor(makeServer: (asked: string[]) => Server) {
    this.path = join(this.#folder, 'runtime.sock');
    this.#server = makeServer(this.asked);
    this.#server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => this.#sockets.delete(socket));
    });
  }

  async listen(): Promise<this> {
    await new Promise<void>((done) => this.#server.listen(this.path, done));
    return this;
  }

  get connectionCount(): number {
    return this.#sockets.size;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((done) => this.#server.close(() => done()));
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** Answers GETs with JSON; a path that is not in the table with 404. */
export function httpRuntime(answers: Readonly<Record<string, unknown>>): Promise<MadeUpRuntime> {
  return new MadeUpRuntime((asked) =>
    createHttpServer((request, response) => {
      const target = decodeURIComponent(request.url ?? '');
      asked.push(target);
      const answer = answers[target];
      response.writeHead(answer === undefined ? 404 : 200, { 'content-type': 'application/json' });
      response.end(JSON.stringify(answer ?? { message: 'no such container' }));
    }),
  ).listen();
}

/** A message of gRPC; a number is the code of an error. */
export type GrpcAnswer = Uint8Array | number;

/** Answers calls; a method that it does not know with UNIMPLEMENTED. */
export function grpcRuntime(
  methods: Readonly<Record<string, (message: Buffer, namespace: string) => GrpcAnswer>>,
): Promise<MadeUpRuntime> {
  return new MadeUpRuntime((asked) => {
    const server = createHttp2Server();
    server.on('stream', (stream: ServerHttp2Stream, headers) => {
      const method = headers[':path'] ?? '';
      const namespace = String(headers['containerd-namespace'] ?? '');
      asked.push(namespace === '' ? method : `${method} in ${namespace}`);
      const chunks: Buffer[] = [];
      stream.on('error', () => {});
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () =>
        answer(stream, methods[method]?.(Buffer.concat(chunks).subarray(5), namespace) ?? 12),
      );
    });
    return server;
  }).listen();
}

function answer(stream: ServerHttp2Stream, result: GrpcAnswer): void {
  const head = { ':status': 200, 'content-type': 'application/grpc' };
  if (typeof result === 'number') {
    stream.respond({ ...head, 'grpc-status': String(result) }, { endStream: true });
    return;
  }
  stream.respond(head, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(result.length, 1);
  stream.end(Buffer.concat([prefix, result]));
}

/** Treats each connection as the test says. */
export function rawRuntime(connected: (socket: Socket) => void): Promise<MadeUpRuntime> {
  return new MadeUpRuntime(() => createServer(connected)).listen();
}

/** Writes the chunk again and again, as fast as it is read, up to so many bytes. */
export function pour(socket: Socket, chunk: Buffer, sizeBytes: number): { written: number } {
  const poured = { written: 0 };
  const more = (): void => {
    while (poured.written < sizeBytes && !socket.destroyed) {
      poured.written += chunk.length;
      if (!socket.write(chunk)) return;
    }
    socket.end();
  };
  socket.on('drain', more);
  more();
  return poured;
}

/** A message of Protocol Buffers: numbers of fields with texts, messages, or several of them. */
export function message(
  fields: Readonly<Record<number, string | Uint8Array | readonly Uint8Array[]>>,
): Uint8Array {
  return Buffer.concat(
    Object.entries(fields).flatMap(([number, content]) =>
      (Array.isArray(content) ? (content as readonly Uint8Array[]) : [content as string | Uint8Array]).map(
        (one) => encodeField(Number(number), one),
      ),
    ),
  );
}

export function labels(entries: Readonly<Record<string, string>>): Uint8Array[] {
  return Object.entries(entries).map(([name, value]) => message({ 1: name, 2: value }));
}
