import { execFile } from 'node:child_process';
import { chown, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ProcessGroup } from '../../test/support/process-group.ts';
import { freePort } from '../../test/support/ports.ts';
import { NOBODY, SYSTEM_PATH } from './system.ts';

const run = promisify(execFile);
const START_TIMEOUT_MS = 20_000;
const POSTGRESQL_ROOT = '/usr/lib/postgresql';
const REDIS = '/usr/bin/redis-server';
const USER = 'bench';
/** More than the largest pool. */
const MAX_DATABASE_CONNECTIONS = 400;

/** A real PostgreSQL and a real Redis on loopback, with their data in a folder that goes with them. */
export interface Services extends AsyncDisposable {
  /** What the servers under test need to find them. */
  readonly env: Readonly<Record<string, string>>;
}

export async function startServices(): Promise<Services> {
  await using cleanup = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), 'throughline-attribution-'));
  cleanup.defer(() => rm(directory, { recursive: true, force: true }));
  await chown(directory, NOBODY, NOBODY);
  const postgresqlPort = await startPostgresql(join(directory, 'postgresql'), cleanup);
  const redisPort = await startRedis(join(directory, 'redis'), cleanup);
  const resources = cleanup.move();
  return {
    env: {
      PGHOST: '127.0.0.1',
      PGPORT: String(postgresqlPort),
      PGUSER: USER,
      PGDATABASE: 'postgres',
      REDIS_PORT: String(redisPort),
    },
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

/** Runs as nobody: PostgreSQL refuses to be root. */
async function startPostgresql(data: string, cleanup: AsyncDisposableStack): Promise<number> {
  const programs = await postgresqlPrograms();
  const identity = { uid: NOBODY, gid: NOBODY, cwd: '/', env: { PATH: SYSTEM_PATH, LC_ALL: 'C.UTF-8' } };
  await run(
    join(programs, 'initdb'),
    ['-D', data, '-U', USER, '--auth=trust', '--encoding=UTF8', '--no-sync'],
    identity,
  );
  const port = await freePort();
  const settings = [
    `port=${port}`,
    'listen_addresses=127.0.0.1',
    'unix_socket_directories=',
    `max_connections=${MAX_DATABASE_CONNECTIONS}`,
    // The data is thrown away: what is measured is not the disk.
    'fsync=off',
  ];
  const group = cleanup.use(
    new ProcessGroup({
      program: join(programs, 'postgres'),
      args: ['-D', data, ...settings.flatMap((setting) => ['-c', setting])],
      env: identity.env,
      cwd: '/',
      id: NOBODY,
    }),
  );
  const psql = (statement: string): Promise<unknown> =>
    run(
      join(programs, 'psql'),
      ['-h', '127.0.0.1', '-p', String(port), '-U', USER, '-d', 'postgres', '-c', statement],
      identity,
    );
  const isReady = (): Promise<boolean> =>
    psql('SELECT 1').then(
      () => true,
      () => false,
    );
  await group.untilReady('PostgreSQL', isReady, START_TIMEOUT_MS);
  await psql('CREATE UNLOGGED TABLE visits (mark text)');
  return port;
}

/** Debian keeps one folder for each major version; the newest is taken. */
async function postgresqlPrograms(): Promise<string> {
  const versions = await readdir(POSTGRESQL_ROOT).catch(() => []);
  const newest = versions.toSorted((a, b) => Number(a) - Number(b)).at(-1);
  if (newest === undefined) throw new Error('PostgreSQL is not installed (Debian package postgresql)');
  return join(POSTGRESQL_ROOT, newest, 'bin');
}

async function startRedis(directory: string, cleanup: AsyncDisposableStack): Promise<number> {
  await mkdir(directory);
  await chown(directory, NOBODY, NOBODY);
  const port = await freePort();
  const group = cleanup.use(
    new ProcessGroup({
      program: REDIS,
      args: ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'],
      env: { PATH: SYSTEM_PATH },
      cwd: directory,
      id: NOBODY,
    }),
  );
  await group.untilReady('Redis', () => accepts(port), START_TIMEOUT_MS);
  return port;
}

function accepts(port: number): Promise<boolean> {
  return new Promise((done) => {
    const socket = createConnection({ host: '127.0.0.1', port }, () => {
      socket.destroy();
      done(true);
    });
    socket.on('error', () => done(false));
  });
}
