import { chmod, chown, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeCertificate } from './certificate.ts';
import { freePort, openSinks } from './ports.ts';
import { answers, ProcessGroup } from './process-group.ts';
import { KINDS, type ServerKind } from './server-kinds.ts';
import { SLOWNESS } from './slowness.ts';

export { SERVER_KINDS, type CommonKind, type ServerKind } from './server-kinds.ts';

/** uid and gid of nobody on Debian. */
const NOBODY = 65_534;
const START_TIMEOUT_MS = 15_000 * SLOWNESS;
const START_ATTEMPTS = 3;

export interface TestServer extends AsyncDisposable {
  readonly kind: ServerKind;
  /** http://127.0.0.1:PORT, or https, no slash at the end. */
  readonly url: string;
  readonly port: number;
  /** The process that was started: the only one, or the parent of those that serve. */
  readonly pid: number;
  /** WORK_DIR of the server: files that requests write and read. Its parent is the server's own, too. */
  readonly workDir: string;
  /** Loopback ports that accept connections, for `port=`; the first is SINK_PORT. */
  readonly sinkPorts: readonly number[];
  stop(): Promise<void>;
}

const told = new Set<ServerKind>();

/** Why this machine cannot run that kind of server, said once on stderr; null when it can. For `{ skip: ... }`. */
export function whyUnavailable(kind: ServerKind): string | null {
  const reason = KINDS[kind].missing();
  if (reason && !told.has(kind)) {
    told.add(kind);
    console.error(`SKIPPED: tests with the ${kind} server: ${reason}`);
  }
  return reason;
}

export function isAvailable(kind: ServerKind): boolean {
  return whyUnavailable(kind) === null;
}

/**
 * Starts a server of test/servers and waits until it answers.
 *
 * @param sinkCount how many loopback ports to open for the server to connect to
 * @param isSecured whether it serves on TLS; not every kind can
 * @param env what its environment has besides
 */
export async function startServer(
  kind: ServerKind,
  sinkCount = 64,
  isSecured = false,
  env: Readonly<Record<string, string>> = {},
): Promise<TestServer> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await startOnce(kind, sinkCount, isSecured, env);
    } catch (error) {
      // The chosen port may have gone to somebody else meanwhile.
      if (attempt === START_ATTEMPTS) throw error;
    }
  }
}

async function startOnce(
  kind: ServerKind,
  sinkCount: number,
  isSecured: boolean,
  env: Readonly<Record<string, string>>,
): Promise<TestServer> {
  const descriptor = KINDS[kind];
  await using cleanup = new AsyncDisposableStack();
  const sinks = cleanup.use(await openSinks(sinkCount));
  const directory = await mkdtemp(join(tmpdir(), `throughline-${kind}-`));
  cleanup.defer(() => rm(directory, { recursive: true, force: true }));
  await chmod(directory, 0o755);
  const workDir = join(directory, 'work');
  await mkdir(workDir);
  const port = await freePort();
  const certificate = isSecured ? makeCertificate(directory) : null;
  const command = descriptor.prepare(directory, port, certificate);
  const isNobody = descriptor.refusesRoot === true && process.getuid?.() === 0;
  if (isNobody) await giveToNobody(directory);

  const group = cleanup.use(
    new ProcessGroup({
      program: command.program,
      args: command.args,
      env: {
        PATH: process.env['PATH'] ?? '/usr/bin:/bin',
        WORK_DIR: workDir,
        SINK_PORT: String(sinks.ports[0] ?? 0),
        ...(certificate === null
          ? {}
          : { TLS_CERTIFICATE: certificate.certificateFile, TLS_KEY: certificate.keyFile }),
        ...command.env,
        ...env,
      },
      cwd: directory,
      ...(isNobody ? { id: NOBODY } : {}),
    }),
  );
  const url = `${isSecured ? 'https' : 'http'}://127.0.0.1:${port}`;
  await group.untilReady(`the ${kind} server`, () => answers(`${url}/`), START_TIMEOUT_MS);

  const resources = cleanup.move();
  return {
    kind,
    url,
    port,
    pid: group.pid,
    workDir,
    sinkPorts: sinks.ports,
    stop: () => resources.disposeAsync(),
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

async function giveToNobody(directory: string): Promise<void> {
  await chown(directory, NOBODY, NOBODY);
  for (const name of await readdir(directory)) await chown(join(directory, name), NOBODY, NOBODY);
}
