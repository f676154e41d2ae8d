import { execFile } from 'node:child_process';
import { statSync } from 'node:fs';
import { ProcessGroup } from '../process-group.ts';

/** A container runtime that a test has started, in a directory of its own. */
export interface Runtime extends AsyncDisposable {
  readonly kind: 'docker' | 'podman' | 'containerd';
  /** Value of --container-runtime. */
  readonly option: string;
  /**
   * Starts a container in the host's network.
   * @returns its id, as it stands in the path of its cgroup
   */
  run(name: string, command: readonly string[], labels?: Readonly<Record<string, string>>): Promise<string>;
}

const START_TIMEOUT_MS = 20_000;

/** Starts a daemon and waits until it answers. */
export async function startDaemon(
  program: string,
  args: readonly string[],
  directory: string,
  isReady: () => Promise<boolean>,
  env: Readonly<Record<string, string>> = {},
): Promise<ProcessGroup> {
  const daemon = new ProcessGroup({
    program,
    args,
    cwd: directory,
    env: { PATH: '/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin', ...env },
  });
  try {
    await daemon.untilReady(program, isReady, START_TIMEOUT_MS);
    return daemon;
  } catch (error) {
    await daemon[Symbol.asyncDispose]();
    throw error;
  }
}

/** Runs a program to its end. Resolves to its output, without the last line feed. */
export function command(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(
      program,
      args,
      { env: { ...process.env, ...env }, timeout: START_TIMEOUT_MS },
      (error, stdout, stderr) => {
        if (error === null) resolve(stdout.trim());
        else reject(new Error(`${program} ${args.join(' ')}: ${stderr || error.message}`));
      },
    );
  });
}

export function isSocket(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isSocket() === true;
}
