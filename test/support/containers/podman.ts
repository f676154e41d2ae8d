import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ProcessGroup } from '../process-group.ts';
import { IMAGE } from './image.ts';
import { command, isSocket, startDaemon, type Runtime } from './runtime.ts';

/** Podman with runc, and the service that answers on its socket. */
export class Podman implements Runtime {
  readonly kind = 'podman';
  readonly option: string;
  readonly #options: readonly string[];
  readonly #env: Readonly<Record<string, string>>;
  readonly #daemon: ProcessGroup;
  readonly #ids: string[] = [];

  private constructor(
    socket: string,
    options: readonly string[],
    env: Readonly<Record<string, string>>,
    daemon: ProcessGroup,
  ) {
    this.option = `podman:${socket}`;
    this.#options = options;
    this.#env = env;
    this.#daemon = daemon;
  }

  static async start(parent: string, image: string): Promise<Podman> {
    const directory = join(parent, 'podman');
    mkdirSync(directory);
    const config = join(directory, 'containers.conf');
    // Limits above those of whoever runs the test cannot be set; locks in shared memory would be those of the host.
    writeFileSync(
      config,
      `[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
[engine]
cgroup_manager = "cgroupfs"
events_logger = "none"
lock_type = "file"
runtime = "runc"
static_dir = "${directory}/static"
tmp_dir = "${directory}/tmp"
volume_path = "${directory}/volumes"
`,
    );
    const env = { CONTAINERS_CONF: config, HOME: directory };
    const options = [
      '--root',
      join(directory, 'root'),
      '--runroot',
      join(directory, 'run'),
      '--storage-driver',
      'vfs',
    ];
    await command('podman', [...options, 'load', '--quiet', '--input', image], env);
    const socket = join(directory, 'podman.sock');
    const service = [...options, 'system', 'service', '--time', '0', `unix://${socket}`];
    const daemon = await startDaemon(
      'podman',
      service,
      directory,
      () => Promise.resolve(isSocket(socket)),
      env,
    );
    return new Podman(socket, options, env, daemon);
  }

  async run(
    name: string,
    program: readonly string[],
    labels: Readonly<Record<string, string>> = {},
    pod: string | null = null,
  ): Promise<string> {
    const where = pod === null ? [] : ['--pod', pod];
    const labelled = Object.entries(labels).flatMap(([label, value]) => ['--label', `${label}=${value}`]);
    const options = ['--detach', '--name', name, '--network', 'host', ...where, ...labelled];
    const id = await this.#podman(['run', ...options, IMAGE, ...program]);
    this.#ids.push(id);
    return id;
  }

  /** A pod without a container that holds it. */
  makePod(name: string): Promise<string> {
    return this.#podman(['pod', 'create', '--name', name, '--infra=false']);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#podman(['rm', '--force', '--time', '0', ...this.#ids]).catch(() => {});
    await this.#daemon[Symbol.asyncDispose]();
  }

  #podman(args: readonly string[]): Promise<string> {
    return command('podman', [...this.#options, ...args], this.#env);
  }
}
