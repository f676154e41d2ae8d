import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ProcessGroup } from '../process-group.ts';
import { IMAGE } from './image.ts';
import { command, isSocket, startDaemon, type Runtime } from './runtime.ts';

/** containerd with runc, asked with `ctr`; its CRI plugin is on. */
export class Containerd implements Runtime {
  readonly kind = 'containerd';
  readonly socket: string;
  readonly option: string;
  readonly #daemon: ProcessGroup;
  readonly #ids: string[] = [];

  private constructor(socket: string, daemon: ProcessGroup) {
    this.socket = socket;
    this.option = `containerd:${socket}`;
    this.#daemon = daemon;
  }

  static async start(parent: string, image: string): Promise<Containerd> {
    const directory = join(parent, 'containerd');
    mkdirSync(directory);
    const socket = join(directory, 'containerd.sock');
    const config = join(directory, 'config.toml');
    writeFileSync(config, configuration(directory, socket));
    const daemon = await startDaemon('containerd', ['--config', config], directory, async () => {
      // It listens before it can do anything.
      return (
        isSocket(socket) &&
        (await command('ctr', ['--address', socket, 'version']).then(Boolean, () => false))
      );
    });
    const containerd = new Containerd(socket, daemon);
    for (const namespace of ['default', 'k8s.io'])
      await containerd.#ctr(['--namespace', namespace, 'images', 'import', '--snapshotter', 'native', image]);
    return containerd;
  }

  async run(
    name: string,
    program: readonly string[],
    labels: Readonly<Record<string, string>> = {},
  ): Promise<string> {
    const options = Object.entries(labels).flatMap(([label, value]) => ['--label', `${label}=${value}`]);
    this.#ids.push(name);
    await this.#ctr([
      'run',
      '--detach',
      '--net-host',
      '--snapshotter',
      'native',
      ...options,
      IMAGE,
      name,
      ...program,
    ]);
    return name;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const id of this.#ids) {
      await this.#ctr(['tasks', 'delete', '--force', id]).catch(() => {});
      await this.#ctr(['containers', 'delete', id]).catch(() => {});
    }
    await this.#daemon[Symbol.asyncDispose]();
  }

  #ctr(args: readonly string[]): Promise<string> {
    return command('ctr', ['--address', this.socket, ...args]);
  }
}

function configuration(directory: string, socket: string): string {
  return `version = 2
root = "${directory}/root"
state = "${directory}/state"
[grpc]
  address = "${socket}"
[plugins."io.containerd.internal.v1.opt"]
  path = "${directory}/opt"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${IMAGE}"
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "native"
`;
}
