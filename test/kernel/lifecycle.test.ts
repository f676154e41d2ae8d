import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { arch, cpus, release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { native } from '../../src/kernel/libbpf.ts';
import { loadSensors } from '../../src/kernel/loader.ts';
import { runToEnd } from '../support/event-log.ts';
import { requireKernel } from '../support/kernel.ts';
import { readRecording } from '../support/recordings.ts';
import { throughline, withoutPrivilege } from '../support/replay.ts';
import { startServer } from '../support/server.ts';
import { startThroughline, type Throughline } from '../support/throughline.ts';

requireKernel();

const PROGRAM = join(import.meta.dirname, '..', '..', 'bin', 'throughline');
const BPFTOOL = '/usr/sbin/bpftool';
/** From start to "attached", and from the signal to the end, on a machine that is busy with something else as well. */
const START_LIMIT_MS = 5000;
const STOP_LIMIT_MS = 5000;

let directory: string;
before(() => {
  directory = mkdtempSync(join(tmpdir(), 'throughline-lifecycle-'));
});
after(() => rmSync(directory, { recursive: true, force: true }));

/** Ids of the BPF programs that a process holds. */
function programsOf(pid: number): Set<number> {
  const ids = new Set<number>();
  for (const name of readdirSync(`/proc/${pid}/fdinfo`)) {
    const text = readIfThere(`/proc/${pid}/fdinfo/${name}`);
    const id = /^prog_id:\s*(\d+)/m.exec(text)?.[1];
    if (id !== undefined) ids.add(Number(id));
  }
  return ids;
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** Those of the programs that are still in the kernel; other agents may have programs of the same names. */
function stillLoaded(ids: ReadonlySet<number>): number[] {
  if (existsSync(BPFTOOL)) {
    const { stdout } = spawnSync(BPFTOOL, ['--json', 'prog', 'show'], {
      encoding: 'utf8',
      maxBuffer: 64 << 20,
    });
    return (JSON.parse(stdout) as { id: number }[]).map(({ id }) => id).filter((id) => ids.has(id));
  }
  const pids = readdirSync('/proc').filter(
    (name) => /^\d+$/.test(name) && existsSync(`/proc/${name}/fdinfo`),
  );
  return pids.flatMap((pid) => [...programsOf(Number(pid))]).filter((id) => ids.has(id));
}

/** The kernel takes programs away a moment after their last user is gone. */
async function assertUnloaded(ids: ReadonlySet<number>): Promise<void> {
  assert.ok(ids.size > 5, `it had ${ids.size} programs`);
  const deadline = Date.now() + 5000;
  while (stillLoaded(ids).length > 0 && Date.now() < deadline) await sleep(50);
  assert.deepEqual(stillLoaded(ids), []);
}

suite('ending', () => {
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    test(`${signal}: exit code 0, a summary, nothing left in the kernel`, async (t) => {
      const agent = await startThroughline(['run', '--json']);
      const programs = programsOf(agent.pid);
      const signalledAt = performance.now();
      process.kill(agent.pid, signal);
      const { code, stderr } = await agent.ended();
      const elapsed = performance.now() - signalledAt;
      t.diagnostic(`ended ${elapsed.toFixed(0)} ms after the signal`);
      assert.ok(elapsed < STOP_LIMIT_MS, `${elapsed} ms`);
      assert.equal(code, 0, stderr);
      assert.match(stderr, /\d+ events?, \d+ requests?, \d+ findings?, (nothing lost|lost: )/);
      await assertUnloaded(programs);
    });
  }

  test('killed, nothing stays attached, and the next start works at once', async () => {
    const agent = await startThroughline(['run', '--json']);
    const programs = programsOf(agent.pid);
    await agent.kill();
    await using next = await startThroughline(['run', '--json']);
    await assertUnloaded(programs);
    await next.stop();
  });

  test('hits of probes are told at the end; a family that is switched off is not attached', async () => {
    // The test itself is a Node.js, so its program is probed; what fires in it: handles that it closes.
    for (const isOff of [false, true]) {
      const agent = await startThroughline(['run', '--json', ...(isOff ? ['--no-runtime-probes'] : [])]);
      for (let count = 0; count < 3; count++) await runToEnd('/bin/true', []);
      const { stderr } = await agent.stop();
      assert.equal(/^[\d,]+ probe hits? in event loop of Node\.js \(\/.+\)$/m.test(stderr), !isOff, stderr);
      assert.equal(stderr.includes('runtime: NOT attached: switched off with --no-runtime-probes'), isOff);
    }
  });

  test('--duration and --limit end it by themselves', async () => {
    const timed = await startThroughline(['events', '--json', '--duration', '0.2']);
    assert.equal((await timed.ended()).code, 0);
    const limited = await startThroughline(['events', '--json', '--type', 'exec', '-n', '2']);
    for (let count = 0; count < 3; count++) await runToEnd('/bin/true', []);
    assert.equal((await limited.ended()).code, 0);
    assert.equal(limited.messages.length, 2);
  });

  test('the reader goes away: `trace --json | head -1` ends quietly', async () => {
    await using server = await startServer('node', 1);
    const child = spawn('/bin/bash', ['-c', 'set -o pipefail; "$0" trace --json | head -1', PROGRAM], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => (stdout += chunk));
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk));
    const ended = new Promise<number | null>((done) => child.once('close', done));
    const deadline = Date.now() + 20_000;
    while (child.exitCode === null && Date.now() < deadline) {
      await fetch(`${server.url}/?n=1`);
      await sleep(50);
    }
    if (child.exitCode === null) child.kill('SIGKILL');
    assert.equal(await ended, 0, stderr);
    assert.equal(stdout.trimEnd().split('\n').length, 1);
    assert.equal((JSON.parse(stdout) as { kind: string }).kind, 'request');
    assert.doesNotMatch(stderr, /EPIPE|TL\d{4}|\n\s+at /);
  });
});

suite('starting', () => {
  test(`it is attached within ${START_LIMIT_MS} ms`, async (t) => {
    const startedAt = performance.now();
    await using agent = await startThroughline(['run', '--json']);
    const elapsed = performance.now() - startedAt;
    t.diagnostic(`attached ${elapsed.toFixed(0)} ms after its start`);
    assert.ok(elapsed < START_LIMIT_MS, `${elapsed} ms`);
    assert.match(agent.stderr, /attached in [\d.]+ m?s/);
    await agent.stop();
  });

  test('two agents at once see the same', async () => {
    await using server = await startServer('node', 1);
    await using first = await startThroughline(['trace', '--json']);
    await using second = await startThroughline(['trace', '--json']);
    const target = '/shell?id=two-agents';
    assert.equal((await fetch(server.url + target)).status, 200);
    const requests = await Promise.all(
      [first, second].map((agent) =>
        agent.waitFor((one) => one.kind === 'request' && one['target'] === target),
      ),
    );
    const [one, other] = requests.map(({ client, server: by, status, effects }) => ({
      client,
      by,
      status,
      programs: (effects as { type: string; path: string }[])
        .filter(({ type }) => type === 'exec')
        .map(({ path }) => path),
    }));
    assert.deepEqual(one, other);
    assert.deepEqual(one?.programs, ['/bin/sh', '/bin/echo']);
    await first.stop();
    await second.stop();
  });

  test('without privilege: TL1001, what to do, exit code 77', () => {
    for (const command of [['run'], ['trace', '--json'], ['events']]) {
      const { code, stdout, stderr } = throughline(command, withoutPrivilege());
      assert.equal(code, 77, stderr);
      assert.equal(stdout, '');
      assert.match(stderr, /throughline: TL1001 not enough privilege/);
      assert.match(stderr, /run as root \(sudo\)/);
      assert.doesNotMatch(stderr, /\n\s+at /, 'no stack');
      if (command.includes('--json')) {
        const line = stderr.split('\n').find((text) => text.startsWith('{')) ?? '';
        const { kind, code: errorCode, hint } = JSON.parse(line) as Record<string, string>;
        assert.deepEqual([kind, errorCode], ['error', 'TL1001']);
        assert.ok(hint);
      }
    }
  });

  test('errors of the loader have their codes', () => {
    const options = {
      objectPath: join(directory, 'no-such.bpf.o'),
      kernelRelease: release(),
      architecture: arch(),
      processors: cpus().length,
      agentPid: process.pid,
    };
    const load = (changes: Partial<typeof options>) => () =>
      loadSensors(native(), { ...options, ...changes });
    assert.throws(load({}), { code: 'TL1005' });
    assert.throws(load({ kernelRelease: '5.10.0-generic' }), { code: 'TL1003' });
    assert.throws(load({ architecture: 'riscv64' }), { code: 'TL1009' });
  });

  test('an object file that is damaged: an error of the catalogue too', () => {
    const options = {
      kernelRelease: release(),
      architecture: arch(),
      processors: cpus().length,
      agentPid: process.pid,
    };
    const damaged = join(directory, 'damaged.bpf.o');
    writeFileSync(damaged, 'this is no ELF file');
    assert.throws(() => loadSensors(native(), { ...options, objectPath: damaged }), { code: 'TL1006' });
  });

  test('a word that it does not know: exit code 64, and what was probably meant', () => {
    const { code, stderr } = throughline(['trase']);
    assert.equal(code, 64);
    assert.match(stderr, /TL3001 /);
    assert.match(stderr, /trace/);
    assert.equal(throughline(['run', '--jsno']).code, 64);
    assert.equal(throughline([]).code, 64);
  });
});

suite('recordings', () => {
  test('what is none, or not there', () => {
    const text = join(directory, 'text');
    writeFileSync(text, 'GET / HTTP/1.1\n'.repeat(100));
    const empty = join(directory, 'empty');
    writeFileSync(empty, '');
    for (const path of [text, empty]) {
      const { code, stderr, stdout } = throughline(['replay', path, '--json']);
      assert.equal(code, 65, stderr);
      assert.equal(stdout, '');
      assert.match(stderr, /TL2002 this file is no Throughline recording/);
      assert.match(stderr, /throughline record -o/);
    }
    const missing = throughline(['replay', join(directory, 'missing')]);
    assert.equal(missing.code, 66);
    assert.match(missing.stderr, /TL2001 /);
  });

  test('a directory cannot be read either', () => {
    const { code, stderr } = throughline(['replay', directory]);
    assert.match(stderr, /TL2001 /);
    assert.equal(code, 66);
  });

  test('a cut one is replayed up to the cut', async () => {
    await using server = await startServer('node', 1);
    const path = join(directory, 'cut.tlrec');
    const recorder = await startThroughline(['record', '-o', path]);
    for (const id of ['first', 'last']) {
      await fetch(`${server.url}/?id=${id}`);
      await sleep(400);
    }
    await recorder.stop();
    assert.equal(statSync(path).mode & 0o777, 0o600, 'only its owner may read what was sent to this host');
    const whole = throughline(['replay', path, '--json', '--trace']);
    assert.equal(whole.code, 0, whole.stderr);
    assert.doesNotMatch(whole.stderr, /TL2005/);

    // Into the middle of the last frame.
    const last = readRecording(path).frames.at(-1);
    truncateSync(path, statSync(path).size - Math.ceil((last?.content.length ?? 0) / 2));
    const cut = throughline(['replay', path, '--json', '--trace']);
    assert.equal(cut.code, 0, cut.stderr);
    assert.match(cut.stderr, /TL2005 the recording ends in the middle of an entry/);
    const targets = cut.messages.filter(({ kind }) => kind === 'request').map((one) => one['target']);
    assert.ok(targets.includes('/?id=first'), targets.join(' '));
  });

  test('the disk is full: a warning, and observing goes on', async () => {
    const mountPoint = join(directory, 'small');
    mkdirSync(mountPoint);
    await runToEnd('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', mountPoint]);
    try {
      await using server = await startServer('node', 1);
      const path = join(mountPoint, 'full.tlrec');
      await using agent = await startThroughline(['run', '--json', '--record', path]);
      const long = Array.from({ length: 30 }, () => 'x'.repeat(1000));
      for (let count = 0; count < 60 && !agent.stderr.includes('TL2004'); count++) {
        await runToEnd('/bin/true', long);
        await sleep(20);
      }
      await untilStderr(agent, /TL2004 /);
      assert.match(agent.stderr, /ENOSPC/);
      assert.match(agent.stderr, /observing goes on/);
      await fetch(`${server.url}/run?cmd=${encodeURIComponent('x; id')}`);
      const finding = await agent.waitFor(({ kind }) => kind === 'finding');
      assert.equal(finding['verdict'], 'EXPLOITED');
      await agent.stop();
      const { code, stderr } = throughline(['replay', path, '--json']);
      assert.equal(code, 0, stderr);
    } finally {
      await runToEnd('umount', ['--lazy', mountPoint]);
    }
  });

  test('a place that cannot be written: an error before anything is attached', () => {
    const { code, stderr } = throughline(['record', '-o', join(directory, 'no-such', 'file')]);
    assert.equal(code, 73, stderr);
    assert.match(stderr, /TL2004 cannot write the recording/);
  });
});

async function untilStderr(agent: Throughline, pattern: RegExp): Promise<void> {
  const deadline = Date.now() + 5000;
  while (!pattern.test(agent.stderr) && Date.now() < deadline) await sleep(20);
  assert.match(agent.stderr, pattern);
}
