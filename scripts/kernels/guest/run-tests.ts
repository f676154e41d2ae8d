/**
 * Runs a test file in a guest, in this process (to start another one takes long there), and tells of each test as soon as
 * it has ended, so that the host knows how far a guest came that does not end.
 *
 *   node scripts/kernels/guest/run-tests.ts FILE LINES     LINES: the file to tell it in
 */

import { appendFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import type { GuestLine } from '../guest-line.ts';

const [file = '', lines = ''] = process.argv.slice(2);
const tell = (line: GuestLine): void => appendFileSync(lines, `${JSON.stringify(line)}\n`);

const stream = run({ files: [resolve(file)], isolation: 'none' });
stream.on('test:diagnostic', ({ message }) => tell({ kind: 'note', text: message }));
stream.on('test:pass', ({ name, details, skip }) => {
  const isSkipped = skip !== undefined && skip !== false;
  if (details.type === 'suite' && !isSkipped) return;
  tell({ kind: 'test', name, result: isSkipped ? 'skip' : 'pass', ms: details.duration_ms, error: '' });
});
stream.on('test:fail', ({ name, details: { duration_ms: ms, error } }) => {
  process.exitCode = 1;
  tell({ kind: 'test', name, result: 'fail', ms, error: String(error.cause ?? error) });
});
for await (const chunk of stream.compose(new spec())) process.stdout.write(String(chunk));
