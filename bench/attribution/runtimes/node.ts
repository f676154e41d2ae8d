import { copyFileSync, existsSync, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { CACHE, SERVERS, WIDE_POOL_SIZE, WITH_REDIS, type Runtime } from './runtime.ts';

const MODULES = join(CACHE, 'npm');

interface Mode {
  readonly poolSize?: number;
  readonly path?: string;
}

function node(
  name: string,
  title: string,
  file: string,
  { poolSize = 8, path = '/work' }: Mode = {},
): Runtime {
  return {
    name,
    title,
    path,
    expected: WITH_REDIS,
    missing: () =>
      existsSync(join(MODULES, 'node_modules')) ? null : "the bench's npm packages are not installed",
    prepare: () => [
      {
        program: ownProgram(),
        args: ['--disable-warning=ExperimentalWarning', join(SERVERS, file)],
        env: { MODULES, POOL_SIZE: String(poolSize) },
      },
    ],
  };
}

/** A copy of Node.js: what probes in it cost must not be mixed with what they cost the bench itself, and the agent. */
function ownProgram(): string {
  const program = join(CACHE, 'node');
  const { size, mtimeMs } = statSync(process.execPath);
  const copy = statSync(program, { throwIfNoEntry: false });
  if (copy?.size !== size || copy.mtimeMs < mtimeMs) {
    mkdirSync(CACHE, { recursive: true });
    copyFileSync(process.execPath, program);
  }
  return program;
}

export const NODE_RUNTIMES: readonly Runtime[] = [
  node('node-http', 'Node http, one event loop', 'node-http.ts'),
  node('node-http-wide', 'Node http, pools larger than the load', 'node-http.ts', {
    poolSize: WIDE_POOL_SIZE,
  }),
  node(
    'node-http-parallel',
    'Node http, three branches at once in each request (Promise.all)',
    'node-http.ts',
    {
      path: '/parallel',
    },
  ),
  node('node-express', 'Node with Express, one event loop', 'node-express.ts'),
];
