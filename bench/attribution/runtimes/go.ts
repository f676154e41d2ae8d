import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { NEWER_GO, NewerGo, whyNoNewerGo } from '../../../test/support/newer-go.ts';
import { firstMissing, SYSTEM_PATH } from '../system.ts';
import { CACHE, SERVERS, WIDE_POOL_SIZE, WITH_REDIS, type Runtime } from './runtime.ts';

const run = promisify(execFile);
const GO = '/usr/bin/go';
/** Where Debian puts the sources of Go packages. */
const LIBRARIES = '/usr/share/gocode';
const SOURCE = join(SERVERS, 'go', 'main.go');

interface Mode {
  readonly poolSize?: number;
  readonly path?: string;
  /** With the one of Debian 13: goroutines of Go 1.21 and later know who made them. */
  readonly isNewer?: boolean;
}

function go(
  name: string,
  title: string,
  { poolSize = 8, path = '/work', isNewer = false }: Mode = {},
): Runtime {
  return {
    name,
    title,
    path,
    expected: WITH_REDIS,
    missing: () =>
      firstMissing({
        [GO]: 'golang-go',
        [`${LIBRARIES}/src/github.com/lib/pq`]: 'golang-github-lib-pq-dev',
        [`${LIBRARIES}/src/github.com/gomodule/redigo`]: 'golang-github-gomodule-redigo-dev',
      }) ?? (isNewer ? whyNoNewerGo() : null),
    prepare: async ({ directory }) => [
      {
        program: isNewer
          ? new NewerGo(directory, LIBRARIES).build('server', SOURCE, '-trimpath')
          : await build(),
        args: [],
        env: { POOL_SIZE: String(poolSize) },
      },
    ],
  };
}

async function build(): Promise<string> {
  const directory = join(CACHE, 'go');
  await mkdir(directory, { recursive: true });
  const program = join(directory, 'server');
  await run(GO, ['build', '-o', program, SOURCE], {
    env: {
      PATH: SYSTEM_PATH,
      HOME: directory,
      GO111MODULE: 'off',
      GOPATH: LIBRARIES,
      GOCACHE: join(directory, 'cache'),
      GOFLAGS: '-trimpath',
      // Nothing is fetched.
      GOPROXY: 'off',
    },
  });
  return program;
}

export const GO_RUNTIMES: readonly Runtime[] = [
  go('go', 'Go net/http, goroutines'),
  go('go-wide', 'Go net/http, pools larger than the load', { poolSize: WIDE_POOL_SIZE }),
  go('go-parallel', 'Go net/http, three goroutines of its own for each request', { path: '/parallel' }),
  go('go-parallel-newer', `Go ${NEWER_GO} net/http, three goroutines of its own for each request`, {
    path: '/parallel',
    isNewer: true,
  }),
];
