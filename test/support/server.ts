import { spawn, type ChildProcess } from 'node:child_process';
import { chmod, chown, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort, openSinks } from './ports.ts';
import { KINDS, type ServerKind } from './server-kinds.ts';

export { SERVER_KINDS, type ServerKind } from './server-kinds.ts';

/** uid and gid of nobody on Debian. */
const NOBODY = 65_534;
const START_TIMEOUT_MS = 15_000;
const STOP_TIMEOUT_MS = 5000;
const START_ATTEMPTS = 3;

export interface TestServer extends AsyncDisposable {
  readonly kind: ServerKind;
  /** http://127.0.0.1:PORT, no slash at the end. */
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
 */
export async function startServer(kind: ServerKind, sinkCount = 64): Promise<TestServer> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await startOnce(kind, sinkCount);
    } catch (error) {
      // The chosen port may have gone to somebody else meanwhile.
      if (attempt === START_ATTEMPTS) throw error;
    }
  }
}

async function startOnce(kind: ServerKind, sinkCount: number): Promise<TestServer> {
  const descriptor = KINDS[kind];
  await using cleanup = new AsyncDisposableStack();
  const sinks = cleanup.use(await openSinks(sinkCount));
  const directory = await mkdtemp(join(tmpdir(), `throughline-${kind}-`));
  cleanup.defer(() => rm(directory, { recursive: true, force: true }));
  await chmod(directory, 0o755);
  const workDir = join(directory, 'work');
  await mkdir(workDir);
  const port = await freePort();
  const command = descriptor.prepare(directory, port);
  const isNobody = descriptor.refusesRoot === true && process.getuid?.() === 0;
  if (isNobody) await giveToNobody(directory);

  // A process group of its own, so that stopping it reaches the workers of servers that leave theirs behind.
  const child = spawn(command.program, command.args, {
    env: {
      PATH: process.env['PATH'] ?? '/usr/bin:/bin',
      WORK_DIR: workDir,
      SINK_PORT: String(sinks.ports[0] ?? 0),
      ...command.env,
    },
    cwd: directory,
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe'],
    ...(isNobody ? { uid: NOBODY, gid: NOBODY } : {}),
  });
  const errors = collect(child);
  cleanup.defer(() => stopGroup(child));
  const url = `http://127.0.0.1:${port}`;
  await untilReady(kind, child, url, errors);

  const resources = cleanup.move();
  return {
    kind,
    url,
    port,
    pid: child.pid ?? 0,
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

/** The last few thousand characters of what the server wrote to stderr. */
function collect(child: ChildProcess): () => string {
  let text = '';
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    text = (text + chunk).slice(-4000);
  });
  child.on('error', (error) => {
    text += error.message;
  });
  return () => text;
}

async function untilReady(
  kind: ServerKind,
  child: ChildProcess,
  url: string,
  errors: () => string,
): Promise<void> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  for (;;) {
    if (await answers(url)) return;
    if (hasEnded(child) || child.pid === undefined) throw new Error(`the ${kind} server ended: ${errors()}`);
    if (Date.now() > deadline) throw new Error(`the ${kind} server does not answer: ${errors()}`);
    await sleep(20);
  }
}

function answers(url: string): Promise<boolean> {
  return new Promise((done) => {
    const request = get(`${url}/`, { agent: false, timeout: 1000 }, (response) => {
      response.resume().on('end', () => done(response.statusCode === 200));
    });
    request.on('timeout', () => request.destroy());
    request.on('error', () => done(false));
  });
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

async function stopGroup(child: ChildProcess): Promise<void> {
  if (child.pid === undefined) return;
  const ended = hasEnded(child)
    ? Promise.resolve()
    : new Promise<void>((done) => child.once('exit', () => done()));
  signalGroup(child.pid, 'SIGTERM');
  const isStopped = await Promise.race([
    ended.then(() => true),
    sleep(STOP_TIMEOUT_MS, false, { ref: false }),
  ]);
  signalGroup(child.pid, 'SIGKILL');
  if (!isStopped) await ended;
  // Workers that outlived their parent end by themselves now. Bounded: where nobody reaps them, they stay zombies.
  for (let waits = 0; waits < 50 && signalGroup(child.pid, 0); waits += 1) await sleep(20);
}

/** Returns whether the group has a process. Signal 0 only asks. */
function signalGroup(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(-pid, signal);
    return true;
  } catch {
    return false;
  }
}
