import { createReadStream, mkdirSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ProcessGroup } from '../process-group.ts';
import { IMAGE } from './image.ts';
import { isSocket, startDaemon, type Runtime } from './runtime.ts';

/** Docker's engine on a containerd that runs already. No bridge and no rules: the host's network stays as it is. */
export class Docker implements Runtime {
  readonly kind = 'docker';
  readonly option: string;
  readonly #socket: string;
  readonly #daemon: ProcessGroup;
  readonly #ids: string[] = [];

  private constructor(socket: string, daemon: ProcessGroup) {
    this.#socket = socket;
    this.option = `docker:${socket}`;
    this.#daemon = daemon;
  }

  static async start(parent: string, image: string, containerd: string): Promise<Docker> {
    const directory = join(parent, 'docker');
    mkdirSync(directory);
    const socket = join(directory, 'docker.sock');
    const config = join(directory, 'daemon.json');
    writeFileSync(
      config,
      JSON.stringify({
        'data-root': join(directory, 'data'),
        'exec-root': join(directory, 'exec'),
        'deprecated-key-path': join(directory, 'key.json'),
        pidfile: join(directory, 'pid'),
        hosts: [`unix://${socket}`],
        containerd,
        bridge: 'none',
        iptables: false,
        ip6tables: false,
      }),
    );
    const daemon = await startDaemon('dockerd', ['--config-file', config], directory, async () => {
      return isSocket(socket) && (await call(socket, 'GET', '/_ping').then(Boolean, () => false));
    });
    const docker = new Docker(socket, daemon);
    await call(socket, 'POST', '/images/load', createReadStream(image));
    return docker;
  }

  async run(
    name: string,
    program: readonly string[],
    labels: Readonly<Record<string, string>> = {},
  ): Promise<string> {
    const options = { Image: IMAGE, Cmd: program, Labels: labels, HostConfig: { NetworkMode: 'host' } };
    const body = Readable.from([JSON.stringify(options)]);
    const created = await call(this.#socket, 'POST', `/containers/create?name=${name}`, body);
    const { Id: id } = JSON.parse(created) as { Id: string };
    this.#ids.push(id);
    await call(this.#socket, 'POST', `/containers/${id}/start`);
    return id;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const id of this.#ids) await call(this.#socket, 'DELETE', `/containers/${id}?force=true`);
    await this.#daemon[Symbol.asyncDispose]();
  }
}

/** Rejects unless the answer is a success. */
async function call(socketPath: string, method: string, path: string, body?: Readable): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const headers = {
    host: 'docker',
    'content-type': path.startsWith('/images') ? 'application/x-tar' : 'application/json',
  };
  const asked = request({ socketPath, method, path, headers, agent: false }, (response) => {
    let text = '';
    response.setEncoding('utf8');
    response.on('data', (chunk: string) => (text += chunk));
    response.on('end', () => {
      const status = response.statusCode ?? 0;
      if (status < 300) resolve(text);
      else reject(new Error(`${method} ${path}: ${status} ${text}`));
    });
  });
  asked.on('error', reject);
  if (body === undefined) asked.end();
  else await pipeline(body, asked);
  return promise;
}
