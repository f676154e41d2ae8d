/**
 * Makes the recordings of test/fixtures anew, or only what the brain is to say of them.
 *
 *   node test/update-fixtures.ts          record, as root, and write the golden outputs
 *   node test/update-fixtures.ts golden   only the golden outputs: look at what changes in them
 *
 * Recordings are real, and public: only the processes of the recorded load stay in them, and nothing tells on which
 * machine they were made.
 */
import { spawn } from 'node:child_process';
import { chmodSync, copyFileSync, cpSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { FIXTURES, goldenOf, goldenPath, recordingPath } from './support/fixtures.ts';
import { requireKernel } from './support/kernel.ts';
import { readRecording, writeRecording } from './support/recordings.ts';
import { assertAnonymous, KERNEL, madeUp, scrub, type ProcessFact } from './support/scrub.ts';
import { startThroughline } from './support/throughline.ts';
import { traceGoldenOf, traceGoldenPath } from './support/trace-text.ts';

const ROOT = join(import.meta.dirname, '..');
/** Where the load runs from, so that no path of the checkout occurs. */
const STAGE = '/tmp/throughline-fixture';
const LIMIT_BYTES = 400_000;
/** What /etc/passwd and /etc/hostname are for the load: their contents stand in replies. */
const PASSWD = `root:x:0:0:root:/root:/bin/bash
www-data:x:33:33:www-data:/var/www:/usr/sbin/nologin
nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
`;

function prepareStage(): void {
  rmSync(STAGE, { recursive: true, force: true });
  mkdirSync(join(STAGE, 'tmp'), { recursive: true });
  for (const name of ['test', 'demo', 'scripts'])
    cpSync(join(ROOT, name), join(STAGE, name), {
      recursive: true,
      filter: (path) => !path.includes('fixtures'),
    });
  writeFileSync(join(STAGE, 'package.json'), '{"type":"module"}\n');
  writeFileSync(join(STAGE, 'passwd'), PASSWD);
  writeFileSync(join(STAGE, 'hostname'), 'fixture\n');
  copyFileSync(process.execPath, join(STAGE, 'node'));
  chmodSync(join(STAGE, 'node'), 0o755);
}

/** Runs the load in a mount and host name space of its own, to its end. */
function runLoad(args: readonly string[]): Promise<number> {
  const script = `set -e
hostname fixture
mount --bind ${STAGE}/passwd /etc/passwd
[ ! -e /etc/hostname ] || mount --bind ${STAGE}/hostname /etc/hostname
exec ${STAGE}/node --disable-warning=ExperimentalWarning "$@"`;
  const child = spawn('/usr/bin/unshare', ['--mount', '--uts', '/bin/sh', '-c', script, 'sh', ...args], {
    cwd: STAGE,
    env: {
      PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
      TMPDIR: join(STAGE, 'tmp'),
      HOME: join(STAGE, 'tmp'),
      LC_ALL: 'C.UTF-8',
    },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  return new Promise((done, failed) => {
    child.once('error', failed);
    child.once('exit', (code) => {
      if (code === 0) done(child.pid ?? 0);
      else failed(new Error(`the load ended with ${code}`));
    });
  });
}

/** The one that started the load is its ancestor; the others have no part in it. */
function madeUpStarter(fact: ProcessFact): ProcessFact | null {
  return fact.pid === process.pid ? { ...fact, parentPid: 1, ...madeUp('make', ['make', 'fixtures']) } : null;
}

async function record(name: string, args: readonly string[]): Promise<void> {
  const path = recordingPath(name);
  const agent = await startThroughline(['record', '-o', path]);
  let root: number;
  try {
    root = await runLoad(args);
    await sleep(300);
  } finally {
    await agent.stop();
  }
  const { header, frames } = readRecording(path);
  const scrubbed = scrub(frames, { root, ancestor: madeUpStarter });
  assertAnonymous(path, scrubbed);
  writeRecording(path, { header: { ...header, kernel: KERNEL }, frames: scrubbed });
  chmodSync(path, 0o644);
  const { size } = statSync(path);
  console.log(`${name}: ${frames.length} entries, ${scrubbed.length} kept, ${Math.round(size / 1000)} kB`);
  if (size > LIMIT_BYTES) throw new Error(`${path} is too large for a fixture`);
}

const isGoldenOnly = process.argv[2] === 'golden';
if (!isGoldenOnly) {
  requireKernel();
  prepareStage();
  try {
    for (const { name, load } of FIXTURES) await record(name, load);
  } finally {
    rmSync(STAGE, { recursive: true, force: true });
  }
}
for (const { name } of FIXTURES) {
  writeFileSync(goldenPath(name), goldenOf(recordingPath(name)));
  writeFileSync(traceGoldenPath(name), traceGoldenOf(name));
}
