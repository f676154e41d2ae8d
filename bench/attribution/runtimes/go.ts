import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { firstMissing, SYSTEM_PATH } from '../system.ts';
import { CACHE, SERVERS, WITH_REDIS, type Runtime } from './runtime.ts';

const run = promisify(execFile);
const GO = '/usr/bin/go';
/** Where Debian puts the sources of Go packages. */
const LIBRARIES = '/usr/share/gocode';

export const GO_RUNTIMES: readonly Runtime[] = [
  {
    name: 'go',
    title: 'Go net/http, goroutines',
    expected: WITH_REDIS,
    missing: () =>
      firstMissing({
        [GO]: 'golang-go',
        [`${LIBRARIES}/src/github.com/lib/pq`]: 'golang-github-lib-pq-dev',
        [`${LIBRARIES}/src/github.com/gomodule/redigo`]: 'golang-github-gomodule-redigo-dev',
      }),
    async prepare() {
      const directory = join(CACHE, 'go');
      await mkdir(directory, { recursive: true });
      const program = join(directory, 'server');
      await run(GO, ['build', '-o', program, join(SERVERS, 'go', 'main.go')], {
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
      return [{ program, args: [] }];
    },
  },
];
