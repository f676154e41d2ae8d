import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HostGuard, programsOf, unmountBelow } from './cleanup.ts';
import { Containerd } from './containerd.ts';
import { Docker } from './docker.ts';
import { makeImage } from './image.ts';
import { Podman } from './podman.ts';

/** Every runtime, each with the image, in a directory that takes everything with it. */
export interface ContainerHost extends AsyncDisposable {
  readonly directory: string;
  readonly containerd: Containerd;
  readonly docker: Docker;
  readonly podman: Podman;
}

export async function startContainerHost(): Promise<ContainerHost> {
  await using cleanup = new AsyncDisposableStack();
  cleanup.use(new HostGuard());
  const directory = mkdtempSync(join(tmpdir(), 'throughline-containers-'));
  cleanup.defer(() => {
    // Shims whose container could not be removed.
    for (const pid of programsOf(directory)) process.kill(pid, 'SIGKILL');
    unmountBelow(directory);
    rmSync(directory, { recursive: true, force: true });
  });
  const image = makeImage(directory);
  const containerd = cleanup.use(await Containerd.start(directory, image));
  const docker = cleanup.use(await Docker.start(directory, image, containerd.socket));
  const podman = cleanup.use(await Podman.start(directory, image));
  const resources = cleanup.move();
  return { directory, containerd, docker, podman, [Symbol.asyncDispose]: () => resources.disposeAsync() };
}
