import { chmod, chown, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../test/support/ports.ts';
import { answers, ProcessGroup } from '../../test/support/process-group.ts';
import { OwnCgroup } from './own-cgroup.ts';
import type { Runtime } from './runtimes/runtime.ts';
import type { Services } from './services.ts';
import { NOBODY, SYSTEM_PATH } from './system.ts';

const START_TIMEOUT_MS = 30_000;
const START_ATTEMPTS = 3;

export interface Server extends AsyncDisposable {
  /** http://127.0.0.1:PORT, no slash at the end. */
  readonly url: string;
  /** Where it does its work. */
  readonly path: string;
  /** The processes that were started, not those that they started. */
  readonly pids: readonly number[];
}

/** Starts a runtime's server in a folder of its own and waits until it answers. */
export async function serve(runtime: Runtime, services: Services): Promise<Server> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await serveOnce(runtime, services);
    } catch (error) {
      // The chosen port may have gone to somebody else meanwhile.
      if (attempt === START_ATTEMPTS) throw error;
    }
  }
}

async function serveOnce(runtime: Runtime, services: Services): Promise<Server> {
  await using cleanup = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), `throughline-${runtime.name}-`));
  cleanup.defer(() => rm(directory, { recursive: true, force: true }));
  await chmod(directory, 0o755);
  const workDirectory = join(directory, 'work');
  await mkdir(workDirectory);
  const port = await freePort();
  const commands = await runtime.prepare({ directory, port });
  if (commands.some(({ isNobody }) => isNobody === true)) await giveToNobody(directory);
  const url = `http://127.0.0.1:${port}`;
  const cgroup = cleanup.use(new OwnCgroup(runtime.name));
  const pids: number[] = [];
  for (const [index, { program, args, env, isNobody }] of commands.entries()) {
    const group = cleanup.use(
      new ProcessGroup({
        program,
        args,
        env: {
          PATH: SYSTEM_PATH,
          LC_ALL: 'C.UTF-8',
          PORT: String(port),
          WORK_DIR: workDirectory,
          ...services.env,
          ...env,
        },
        cwd: directory,
        ...(isNobody === true ? { id: NOBODY } : {}),
      }),
    );
    cgroup.add(group.pid);
    pids.push(group.pid);
    if (index === commands.length - 1)
      await group.untilReady(runtime.name, () => answers(`${url}/`), START_TIMEOUT_MS);
  }
  const resources = cleanup.move();
  return { url, path: runtime.path ?? '/work', pids, [Symbol.asyncDispose]: () => resources.disposeAsync() };
}

async function giveToNobody(directory: string): Promise<void> {
  await chown(directory, NOBODY, NOBODY);
  for (const name of await readdir(directory)) await chown(join(directory, name), NOBODY, NOBODY);
}
