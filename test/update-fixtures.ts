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
import { homedir, hostname, release } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { EVENT_KIND } from '../src/abi/abi.gen.ts';
import type { Fact } from '../src/model/event.ts';
import { FIXTURES, goldenOf, goldenPath, recordingPath } from './support/fixtures.ts';
import { requireKernel } from './support/kernel.ts';
import {
  factFrame,
  factOf,
  headOf,
  readRecording,
  writeRecording,
  type Frame,
} from './support/recordings.ts';
import { startThroughline } from './support/throughline.ts';
import { traceGoldenOf, traceGoldenPath } from './support/trace-text.ts';

const ROOT = join(import.meta.dirname, '..');
/** Where the load runs from, so that no path of the checkout occurs. */
const STAGE = '/tmp/throughline-fixture';
const LIMIT_BYTES = 400_000;
const KEPT_USERS: ReadonlySet<string> = new Set(['root', 'nobody', 'www-data']);
const KERNEL = '6.18.0';
const SESSION = 'fixture0-0000-0000-0000-000000000000';
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

/** The processes that descend from one, with it. */
function treeOf(root: number, frames: readonly Frame[]): Set<number> {
  const tree = new Set([root]);
  for (const frame of frames) {
    const head = headOf(frame);
    if (head?.kind === EVENT_KIND.FORK && tree.has(head.pid)) tree.add(head.childPid);
  }
  return tree;
}

/** Of the load's own process, which is the client, only what makes it an ancestor is kept. */
function isKept(frame: Frame, tree: ReadonlySet<number>, root: number): boolean {
  const head = headOf(frame);
  if (head === null) return false;
  if (head.kind === EVENT_KIND.FORK) return tree.has(head.childPid);
  if (head.pid !== root) return tree.has(head.pid);
  return head.kind === EVENT_KIND.EXEC || head.kind === EVENT_KIND.EXIT;
}

function scrub(frames: readonly Frame[], root: number): Frame[] {
  const tree = treeOf(root, frames);
  const events = frames.filter((frame) => isKept(frame, tree, root));
  const cgroups = new Set(events.map((frame) => headOf(frame)?.cgroupId));
  const kept = new Set(events);
  const result: Frame[] = [];
  for (const frame of frames) {
    const fact = factOf(frame);
    if (fact === null) {
      if (kept.has(frame)) result.push(frame);
      continue;
    }
    const clean = scrubFact(fact, process.pid, cgroups);
    if (clean !== null) result.push(factFrame(clean));
  }
  return result;
}

function scrubFact(fact: Fact, starter: number, cgroups: ReadonlySet<number | undefined>): Fact | null {
  switch (fact.kind) {
    case 'clock':
      return fact;
    case 'host':
      return { ...fact, hostname: 'fixture', kernel: KERNEL, sessionId: SESSION };
    case 'process':
      // The one that started the load, and the first of all; the others have no part in it.
      if (fact.pid === 1) return { ...fact, ...madeUp('systemd', ['/sbin/init']) };
      if (fact.pid === starter) return { ...fact, parentPid: 1, ...madeUp('make', ['make', 'fixtures']) };
      return null;
    case 'cgroup':
      return cgroups.has(fact.cgroupId)
        ? { ...fact, paths: ['/user.slice/user-0.slice/session-1.scope'] }
        : null;
    case 'user':
    case 'group':
      return KEPT_USERS.has(fact.name) ? fact : null;
    case 'agent':
    case 'killed':
    case 'container':
    case 'hashing':
    case 'hash':
      return null; // what it is made of runs on the host
    case 'loss':
    case 'blind':
    case 'tampered':
      throw new Error(`events were lost, try again: ${JSON.stringify(fact)}`);
  }
}

function madeUp(comm: string, argv: string[]) {
  return { comm, argv, executable: `/usr/bin/${comm}`, workingDirectory: '/' };
}

/** Whatever would tell where it was made. */
function assertAnonymous(path: string, frames: readonly Frame[]): void {
  const words = [ROOT, homedir(), release(), process.env['SUDO_USER'] ?? '', hostname()].filter(
    (word) => word.length >= 4 && word !== '/root',
  );
  for (const { content } of frames) {
    const text = content.toString('latin1');
    for (const word of words) if (text.includes(word)) throw new Error(`${path} holds ${word}`);
  }
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
  const scrubbed = scrub(frames, root);
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
