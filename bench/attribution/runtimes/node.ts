import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { CACHE, SERVERS, WITH_REDIS, type Runtime } from './runtime.ts';

const MODULES = join(CACHE, 'npm');

function node(name: string, title: string, file: string): Runtime {
  return {
    name,
    title,
    expected: WITH_REDIS,
    missing: () =>
      existsSync(join(MODULES, 'node_modules')) ? null : "the bench's npm packages are not installed",
    prepare: () => [
      {
        program: process.execPath,
        args: ['--disable-warning=ExperimentalWarning', join(SERVERS, file)],
        env: { MODULES },
      },
    ],
  };
}

export const NODE_RUNTIMES: readonly Runtime[] = [
  node('node-http', 'Node http, one event loop', 'node-http.ts'),
  node('node-express', 'Node with Express, one event loop', 'node-express.ts'),
];
