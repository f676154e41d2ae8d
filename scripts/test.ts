/**
 * Runs the tests, the fast ones first, and closes with one count of all: `make test`.
 *
 *   node scripts/test.ts [word...]    only files with one of the words in their path
 */

import { globSync } from 'node:fs';
import { join } from 'node:path';
import { Transform } from 'node:stream';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';

const GROUPS = [
  { patterns: ['src/**/*.test.ts', 'scripts/**/*.test.ts'], concurrency: true },
  // These attach programs to the one kernel there is and start servers: one after the other.
  { patterns: ['{test,bench,demo}/**/*.test.ts'], concurrency: false },
];

const root = join(import.meta.dirname, '..');
const words = process.argv.slice(2);
const startedAt = performance.now();
// The closing lines of node:test, in its order.
const total = { tests: 0, suites: 0, pass: 0, fail: 0, cancelled: 0, skipped: 0, todo: 0 };
let hasFailed = false;

for (const { patterns, concurrency } of GROUPS) {
  const files = globSync(patterns, { cwd: root })
    .filter((path) => words.length === 0 || words.some((word) => path.includes(word)))
    .sort()
    .map((path) => join(root, path));
  if (files.length > 0) await runGroup(files, concurrency);
}

if (total.tests === 0) console.error('no test ran');
for (const [name, count] of Object.entries(total)) console.log(`ℹ ${name} ${count}`);
console.log(`ℹ duration_ms ${(performance.now() - startedAt).toFixed(3)}`);
process.exitCode = hasFailed || total.tests === 0 ? 1 : 0;

async function runGroup(files: string[], concurrency: boolean): Promise<void> {
  const stream = run({ files, concurrency, execArgv: ['--disable-warning=ExperimentalWarning'] });
  stream.on('test:summary', ({ file, counts, success }) => {
    if (file !== undefined) return; // each file has a summary of its own; the last is of the whole group
    const { tests, suites, passed, cancelled, skipped, todo } = counts;
    total.tests += tests;
    total.suites += suites;
    total.pass += passed;
    total.fail += tests - passed - cancelled - skipped - todo;
    total.cancelled += cancelled;
    total.skipped += skipped;
    total.todo += todo;
    hasFailed ||= !success;
  });
  // Each group would close with its own count; the reader, often a machine, wants the one of all.
  const withoutCounts = new Transform({
    objectMode: true,
    transform(event: { type: string; data: { nesting?: number; message?: string } }, _encoding, done) {
      const isCount =
        event.type === 'test:diagnostic' &&
        event.data.nesting === 0 &&
        /^(tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) [\d.]+$/.test(event.data.message ?? '');
      done(null, isCount ? undefined : event);
    },
  });
  for await (const chunk of stream.pipe(withoutCounts).compose(new spec()))
    process.stdout.write(String(chunk));
}
