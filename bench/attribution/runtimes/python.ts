import { join } from 'node:path';
import { firstMissing } from '../system.ts';
import { SERVERS, WIDE_POOL_SIZE, WITH_REDIS, type Command, type Runtime } from './runtime.ts';

const PYTHON = '/usr/bin/python3';
const PACKAGES = '/usr/lib/python3/dist-packages';
const ENV = { PYTHONPATH: SERVERS, PYTHONDONTWRITEBYTECODE: '1', PYTHONUNBUFFERED: '1' };
const DRIVERS = {
  [PYTHON]: 'python3',
  [`${PACKAGES}/psycopg2`]: 'python3-psycopg2',
  [`${PACKAGES}/redis`]: 'python3-redis',
};

function python(
  name: string,
  title: string,
  files: Readonly<Record<string, string>>,
  args: (port: number) => readonly string[],
  env: Readonly<Record<string, string>> = {},
): Runtime {
  return {
    name,
    title,
    expected: WITH_REDIS,
    missing: () => firstMissing(files),
    prepare: ({ port }): readonly Command[] => [
      { program: PYTHON, args: args(port), env: { ...ENV, ...env } },
    ],
  };
}

function gunicorn(name: string, title: string, options: readonly string[]): Runtime {
  const files = { ...DRIVERS, [`${PACKAGES}/gunicorn`]: 'python3-gunicorn' };
  return python(name, title, files, (port) => [
    ...['-m', 'gunicorn', '--bind', `127.0.0.1:${port}`, '--backlog', '512', '--timeout', '60'],
    ...['--log-level', 'warning', ...options, 'python_wsgi:application'],
  ]);
}

const ASYNC_DRIVERS = {
  [PYTHON]: 'python3',
  [`${PACKAGES}/asyncpg`]: 'python3-asyncpg',
  [`${PACKAGES}/redis`]: 'python3-redis',
};

function uvicorn(name: string, title: string, poolSize: number): Runtime {
  const args = (port: number): readonly string[] => [
    ...['-m', 'uvicorn', '--host', '127.0.0.1', '--port', String(port), '--backlog', '512'],
    ...['--log-level', 'warning', '--no-access-log', 'python_asgi:application'],
  ];
  const files = { ...ASYNC_DRIVERS, [`${PACKAGES}/uvicorn`]: 'python3-uvicorn' };
  return python(name, title, files, args, { POOL_SIZE: String(poolSize) });
}

function aiohttp(name: string, title: string, poolSize: number): Runtime {
  const files = { ...ASYNC_DRIVERS, [`${PACKAGES}/aiohttp`]: 'python3-aiohttp' };
  return python(name, title, files, () => [join(SERVERS, 'python_aiohttp.py')], {
    POOL_SIZE: String(poolSize),
  });
}

export const PYTHON_RUNTIMES: readonly Runtime[] = [
  python('python-threading', 'Python ThreadingHTTPServer, a thread for each connection', DRIVERS, () => [
    join(SERVERS, 'python_threading.py'),
  ]),
  gunicorn('gunicorn-sync', 'gunicorn sync, 4 processes', ['--workers', '4']),
  gunicorn('gunicorn-gthread', 'gunicorn gthread, 2 processes of 8 threads', [
    ...['--worker-class', 'gthread', '--workers', '2', '--threads', '8', '--keep-alive', '5'],
  ]),
  uvicorn('uvicorn', 'uvicorn with asyncpg, one event loop', 8),
  uvicorn('uvicorn-wide', 'uvicorn with asyncpg, pools larger than the load', WIDE_POOL_SIZE),
  aiohttp('aiohttp', 'aiohttp with asyncpg, a task for each connection', 8),
];
