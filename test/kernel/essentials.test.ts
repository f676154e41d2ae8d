/**
 * What has to work on every kernel that Throughline supports, each thing once: these tests run here and, by
 * `make test-kernels`, in a guest for each kernel. One agent observes it all, since loading takes a slow guest long;
 * what it recorded is looked at afterwards.
 */

import assert from 'node:assert/strict';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmdirSync,
  rmSync,
  statfsSync,
  statSync,
} from 'node:fs';
import { release, tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { unifiedMounts } from '../../src/capture/facts/cgroup-mounts.ts';
import type { DoctorReport } from '../../src/cli/contract.ts';
import { fileSystemName } from '../../src/output/linux-names.ts';
import type { EventView, FindingView, RequestView } from '../../src/output/views.ts';
import { runToEnd, type Ended } from '../support/event-log.ts';
import { requireKernel } from '../support/kernel.ts';
import { throughline } from '../support/replay.ts';
import { exchange } from '../support/secured.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { SLOWNESS } from '../support/slowness.ts';
import { startThroughline, type JsonMessage, type Throughline } from '../support/throughline.ts';

requireKernel();

/** The distribution's own: what stands earlier in PATH may be a wrapper that starts more programs. */
const PYTHON = '/usr/bin/python3';
const NETWORK = join(import.meta.dirname, 'programs', 'network.py');
const INJECTION = 'x; id';
const TLS_ATTEMPTS = 10;
const CONTAINER = '4f1c'.repeat(16);
const [major = 0, minor = 0] = release().split(/[.-]/).map(Number);
/** Atomic operations that say what was there before came with Linux 5.12. */
const isTooOld = major < 5 || (major === 5 && minor < 12);

const report = (): DoctorReport => {
  const [message] = throughline(['doctor', '--json']).messages;
  return message as unknown as DoctorReport;
};

test('doctor', (t) => {
  const { ok, features, plan, problems } = report();
  for (const { name, answer } of features) t.diagnostic(`feature ${name}: ${answer}`);
  if (isTooOld) {
    assert.deepEqual([ok, problems.map(({ code }) => code)], [false, ['TL1003']], 'refused, with the reason');
    return;
  }
  assert.deepEqual(problems, []);
  assert.equal(ok, true);
  for (const { sensor, chosen, reason } of plan) assert.ok(chosen !== null, `${sensor}: ${reason}`);
});

/** A program does not run where another task was interrupted in the middle of it on the same processor (5.12). */
function runsLeftOut(pid: number): number {
  const folder = `/proc/${pid}/fdinfo`;
  return readdirSync(folder)
    .map((name) => Number(/^recursion_misses:\s*(\d+)/m.exec(infoOf(`${folder}/${name}`))?.[1] ?? 0))
    .reduce((sum, count) => sum + count, 0);
}

function infoOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    // Of the files that the agent reads, one may have been closed since the list was made.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}

suite('observed', { skip: isTooOld ? 'doctor refuses this kernel' : false }, () => {
  let directory: string;
  let recording: string;
  let server: TestServer;
  let secured: TestServer;
  let agent: Throughline;
  let replayed: readonly JsonMessage[];
  before(async () => {
    directory = realpathSync(mkdtempSync(join(tmpdir(), 'throughline-essentials-')));
    recording = join(process.env['TEST_ARTIFACTS'] ?? directory, 'essentials.tlrec');
    secured = await startServer('python-threading', 1, true);
  });
  after(async () => {
    await agent?.kill();
    await secured?.stop();
    await server?.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  const findingAt = ({ port }: TestServer, timeoutMs: number) =>
    agent.waitFor(
      (one) => one.kind === 'finding' && (one as unknown as FindingView).request?.server.port === port,
      timeoutMs * SLOWNESS,
    ) as unknown as Promise<FindingView>;
  const eventsOf = <Type extends EventView['type']>({ pid }: Ended, type: Type) =>
    (replayed as unknown as EventView[]).filter(
      (one): one is Extract<EventView, { type: Type }> =>
        one.kind === 'event' && one.pid === pid && one.type === type,
    );

  test('programs load and attach', async () => {
    agent = await startThroughline(['run', '--json', '--record', recording]);
  });

  test('a finding', async () => {
    // Of a server that was there before, nobody knows what else it has in work: nothing is exact then.
    server = await startServer('python-threading', 1);
    const attacked = await fetch(`${server.url}/run?cmd=${encodeURIComponent(INJECTION)}`);
    assert.match(await attacked.text(), /uid=/, 'the attack works');
    const finding = await findingAt(server, 6000);
    assert.deepEqual([finding.verdict, finding.class], ['EXPLOITED', 'command-injection']);
    assert.deepEqual(
      finding.evidence.map(({ value }) => value),
      [INJECTION],
    );
  });

  test('a finding over TLS', async () => {
    // The library's file may be looked at a moment after the agent has begun, so what came before is not read.
    const attack = () => exchange(`${secured.url}/run?cmd=${encodeURIComponent(INJECTION)}`, '');
    for (let attempt = 1; ; attempt++) {
      assert.match(await attack(), /uid=/, 'the attack works');
      const finding = await findingAt(secured, 1500).catch(() => null);
      if (finding === null && attempt < TLS_ATTEMPTS) continue;
      assert.deepEqual([finding?.verdict, finding?.class], ['EXPLOITED', 'command-injection']);
      return;
    }
  });

  let echo: Ended;
  let network: Ended;
  let writer: Ended;
  let contained: Ended;
  let memory: Ended;
  test('what it records can be replayed', async (t) => {
    echo = await runToEnd('/bin/echo', ['one', 'zwei größer', ''], { cwd: directory });
    network = await runToEnd(PYTHON, [NETWORK, directory]);
    const source = `open(${JSON.stringify(join(directory, 'written'))}, 'w').close()`;
    writer = await runToEnd(PYTHON, ['-c', source]);
    contained = await runInCgroup(`throughline-${process.pid}/${CONTAINER}`, '/bin/echo');
    const inMemory = `import os
fd = os.memfd_create("throughline")
os.write(fd, open("/bin/true", "rb").read())
os.execve(fd, ["true"], {})`;
    memory = await runToEnd(PYTHON, ['-c', inMemory]);
    assert.equal((await fetch(`${server.url}/shell?id=story`)).status, 200);
    const leftOut = runsLeftOut(agent.pid);
    t.diagnostic(`runs of programs that the kernel left out: ${leftOut}`);
    const report = await agent.stop();
    const summary = JSON.parse(report.stderr.split('\n').find((line) => line.startsWith('{')) ?? '') as {
      losses: Record<string, number>;
    };
    const told = summary.losses['program-runs-left-out'] ?? 0;
    assert.ok(told >= leftOut, `${leftOut} runs were left out, and ${told} are told`);
    const { code, messages, stderr } = throughline([
      'replay',
      recording,
      '--events',
      '--trace',
      '--all',
      '--json',
    ]);
    assert.equal(code, 0, stderr);
    replayed = messages;
  });

  test('exec: path, arguments, directory, parent, exit', () => {
    const [exec] = eventsOf(echo, 'exec');
    assert.ok(exec);
    assert.deepEqual(
      [exec.path, exec.executable, exec.argv, exec.cwd],
      ['/bin/echo', realpathSync('/bin/echo'), ['/bin/echo', 'one', 'zwei größer', ''], directory],
    );
    assert.deepEqual([exec.ppid, exec.uid, exec.comm, exec.truncated], [process.pid, 0, 'echo', false]);
    assert.deepEqual(
      eventsOf(echo, 'exit').map(({ code }) => code),
      [0],
    );
  });

  test('cgroup: the id of a container that is gone at once', () => {
    const exec = eventsOf(contained, 'exec').at(-1);
    assert.deepEqual([exec?.path, exec?.container?.id], ['/bin/echo', CONTAINER]);
  });

  test('exec: the file, and who runs it', () => {
    const details = eventsOf(echo, 'exec')[0]?.details;
    assert.ok(details);
    const { file, namespaces, capabilities } = details;
    const stat = statSync('/bin/echo');
    assert.deepEqual(
      [file.mode, file.uid, file.gid, file.links],
      [(stat.mode & 0o7777).toString(8).padStart(4, '0'), stat.uid, stat.gid, stat.nlink],
    );
    assert.ok(Math.abs(Date.parse(file.modifiedAt) - stat.mtimeMs) <= 1, file.modifiedAt);
    assert.ok(Math.abs(Date.parse(file.changedAt) - stat.ctimeMs) <= 1, file.changedAt);
    assert.equal(file.fileSystem, fileSystemName(statfsSync('/bin/echo').type));
    const names = {
      cgroup: 'cgroup',
      ipc: 'ipc',
      mount: 'mnt',
      network: 'net',
      pid: 'pid',
      user: 'user',
      uts: 'uts',
    };
    for (const [name, link] of Object.entries(names))
      assert.equal(
        `${link}:[${namespaces[name as keyof typeof names]}]`,
        readlinkSync(`/proc/self/ns/${link}`),
      );
    const status = readFileSync('/proc/self/status', 'utf8');
    assert.equal(capabilities.effective, /^CapEff:\s*(\w+)$/m.exec(status)?.[1]);
    assert.equal(
      details.session,
      Number(readFileSync('/proc/self/stat', 'utf8').split(') ')[1]?.split(' ')[3]),
    );
    assert.deepEqual(
      [details.interpreter, details.noNewPrivileges, details.seccomp],
      [null, false, 'disabled'],
    );
  });

  test('exec: a program made of memory', () => {
    const exec = eventsOf(memory, 'exec').at(-1);
    assert.equal(exec?.executable, '/memfd:throughline');
    assert.deepEqual(exec?.details?.traits, ['memfd']);
  });

  test('open: path and flags', () => {
    const path = join(directory, 'written');
    const open = eventsOf(writer, 'open').find((one) => one.path === path);
    assert.ok(open, 'the file that was written');
    assert.equal(open.resolvedPath, path);
    assert.equal(open.error, null);
    assert.ok(open.flags.includes('O_CREAT') && open.flags.includes('O_TRUNC'), open.flags.join());
  });

  test('connect, accept, close: addresses and bytes', () => {
    const facts = JSON.parse(network.stdout) as Record<'ipv4' | 'ipv6', { server: number; client: number }>;
    for (const [family, ip] of [
      ['ipv4', '127.0.0.1'],
      ['ipv6', '::1'],
    ] as const) {
      const { server: port, client } = facts[family];
      const connect = eventsOf(network, 'connect').find((one) => one.port === port);
      assert.deepEqual([connect?.family, connect?.address, connect?.error], [family, ip, null]);
      const accept = eventsOf(network, 'accept').find(
        (one) => one.server.port === port && one.role === 'server',
      );
      assert.ok(accept, family);
      assert.deepEqual([accept.client, accept.server.ip], [{ ip, port: client }, ip]);
      const close = eventsOf(network, 'close').find((one) => one.connection === accept.connection);
      assert.deepEqual([close?.bytesIn, close?.bytesOut], [18, 40]);
    }
    const unix = eventsOf(network, 'accept').filter((one) => one.family === 'unix' && one.role === 'server');
    assert.equal(unix[0]?.server.ip, join(directory, 'listener'));
  });

  test('effects on their request', () => {
    const request = (replayed as unknown as RequestView[]).find(
      (one) => one.kind === 'request' && one.target === '/shell?id=story',
    );
    assert.ok(request, 'the request is traced');
    assert.equal(request.status, 200);
    const told = request.effects.map((effect) => {
      if (effect.type === 'exec') return `exec ${effect.path} ${effect.grade}`;
      if (effect.type === 'open') return `open ${basename(effect.path)} ${effect.grade}`;
      return `${effect.type} ${effect.grade}`;
    });
    for (const expected of [
      'exec /bin/sh exact',
      'exec /bin/echo exact',
      'open story.txt exact',
      'connect exact',
    ])
      assert.ok(told.includes(expected), `${expected} in ${told.join(', ')}`);
  });
});

/** Runs a program in a cgroup that is made for it, and removed as soon as it has ended. */
async function runInCgroup(path: string, program: string): Promise<Ended> {
  const [mount] = unifiedMounts('/proc');
  assert.ok(mount !== undefined, 'cgroup2 is mounted');
  const folder = join(mount, path);
  mkdirSync(folder, { recursive: true });
  try {
    return await runToEnd('/bin/sh', ['-c', `echo $$ >${folder}/cgroup.procs && exec ${program}`]);
  } finally {
    rmdirSync(folder);
    rmdirSync(dirname(folder));
  }
}
