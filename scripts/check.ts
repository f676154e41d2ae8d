/**
 * Runs every check and reports all that fail, not only the first: `make check`. They run side by side, each prints
 * one line with its time when it ends, and what a failed one said follows at the end.
 */

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const root = join(import.meta.dirname, '..');
const script = (name: string, ...args: string[]) => [
  process.execPath,
  '--disable-warning=ExperimentalWarning',
  join('scripts', name),
  ...args,
];
const tool = (name: string, ...args: string[]) => [join(root, 'node_modules', '.bin', name), ...args];

const STEPS: Readonly<Record<string, readonly string[]>> = {
  types: tool('tsc', '--noEmit'),
  lint: tool('oxlint'),
  format: tool('oxfmt', '--check'),
  layers: script('check-layers.ts'),
  generated: script('gen.ts', '--check'),
  stack: script('check-stack.ts'),
  'dead-code': tool('knip', '--no-progress'),
};

const { positionals } = parseArgs({ allowPositionals: true });
const unknown = positionals.filter((name) => !(name in STEPS));
if (unknown.length > 0) {
  console.error(`check: no step named ${unknown.join(', ')}; there are ${Object.keys(STEPS).join(', ')}`);
  process.exit(2);
}

const failures: string[] = [];
const chosen = Object.entries(STEPS).filter(
  ([name]) => positionals.length === 0 || positionals.includes(name),
);
await Promise.all(
  chosen.map(async ([name, command]) => {
    const startedAt = performance.now();
    const { exitCode, output } = await run(command);
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1).padStart(5);
    console.log(`${exitCode === 0 ? 'ok  ' : 'FAIL'} ${name.padEnd(10)} ${seconds} s`);
    if (exitCode !== 0) failures.push(`--- ${name}: ${command.slice(-3).join(' ')}\n${output.trim()}`);
  }),
);
for (const failure of failures) console.error(`\n${failure}`);
process.exitCode = failures.length > 0 ? 1 : 0;

function run([file = '', ...args]: readonly string[]): Promise<{ exitCode: number; output: string }> {
  return new Promise((resolve) => {
    execFile(file, args, { cwd: root, maxBuffer: 64 << 20 }, (error, stdout, stderr) => {
      const exitCode = error === null ? 0 : typeof error.code === 'number' ? error.code : 1;
      const reason = exitCode !== 0 && stdout + stderr === '' ? (error?.message ?? '') : '';
      resolve({ exitCode, output: stdout + stderr + reason });
    });
  });
}
