/** Hashes of executables: of files that are deleted, replaced, made of memory, large, or in another mount namespace. */
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ExecEventView, FindingView } from '../../src/output/views.ts';
import { requireKernel } from '../support/kernel.ts';
import { throughline } from '../support/replay.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { startThroughline, type JsonMessage, type Throughline } from '../support/throughline.ts';

requireKernel();

const PYTHON = realpathSync('/usr/bin/python3');
const SLEEP = realpathSync('/bin/sleep');
const SHELL = realpathSync('/bin/sh');

const sha256 = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex');
const hashOf = (path: string) => ({ sha256: sha256(path), problem: null });

let directory: string;
const children: ChildProcess[] = [];
before(() => {
  directory = realpathSync(mkdtempSync(join(tmpdir(), 'throughline-hashes-')));
  chmodSync(directory, 0o755);
});
after(() => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(directory, { recursive: true, force: true });
});

function copyOf(program: string, name: string): string {
  const path = join(directory, name);
  copyFileSync(program, path);
  chmodSync(path, 0o755);
  return path;
}

/** Starts it and leaves it running. */
function start(program: string, ...args: string[]): ChildProcess {
  const child = spawn(program, args, { stdio: 'ignore' });
  children.push(child);
  return child;
}

suite('of programs that are started', () => {
  let agent: Throughline;
  before(async () => {
    agent = await startThroughline(['events', '--json', '--hash', '--type', 'exec,exit']);
  });
  after(() => agent.kill());

  const execWhere = async (is: (exec: ExecEventView) => boolean): Promise<ExecEventView> =>
    (await agent.waitFor(
      (message) => message['type'] === 'exec' && is(message as unknown as ExecEventView),
    )) as unknown as ExecEventView;
  const execOf = (path: string) => execWhere(({ executable }) => executable === path);

  test('one that has ended; of a script, its interpreter', async () => {
    const path = copyOf('/bin/true', 'plain');
    start(path);
    assert.deepEqual((await execOf(path)).hash, hashOf('/bin/true'));
    const script = join(directory, 'script');
    writeFileSync(script, '#!/bin/sh\ntrue\n', { mode: 0o755 });
    start(script);
    assert.deepEqual((await execWhere((exec) => exec.argv.includes(script))).hash, hashOf(SHELL));
  });

  test('deleted right after its start', async () => {
    const path = copyOf(SLEEP, 'deleted');
    const child = start(path, '1000');
    await new Promise((done) => child.once('spawn', done));
    unlinkSync(path);
    assert.deepEqual((await execOf(path)).hash, hashOf(SLEEP));
  });

  test('replaced while it runs: what runs, not what has its name', async () => {
    const path = copyOf(SLEEP, 'replaced');
    const child = start(path, '1000');
    await new Promise((done) => child.once('spawn', done));
    renameSync(copyOf('/bin/true', 'another'), path);
    assert.deepEqual((await execOf(path)).hash, hashOf(SLEEP));
  });

  test('made of memory', async () => {
    const source = `import os
fd = os.memfd_create("hashed")
os.write(fd, open("${SLEEP}", "rb").read())
os.execve(fd, ["sleep", "1000"], {})`;
    start(PYTHON, '-c', source);
    assert.deepEqual((await execOf('/memfd:hashed')).hash, hashOf(SLEEP));
  });

  test('120 MB, mostly a hole', async () => {
    const path = copyOf(SLEEP, 'large');
    truncateSync(path, 120e6);
    // The first event may not wait as long as that takes here; that of the next start has it.
    start(path, '1000');
    await execOf(path);
    await sleep(2000);
    const next = start(path, '1001');
    assert.deepEqual((await execWhere(({ pid }) => pid === next.pid)).hash, hashOf(path));
  });

  test('more than the limit', async () => {
    const path = copyOf(SLEEP, 'too-large');
    truncateSync(path, 300e6);
    start(path, '1000');
    assert.deepEqual((await execOf(path)).hash, { sha256: null, problem: 'too-large' });
  });

  test('one that has ended in another mount namespace, which its parent still has', async () => {
    const inside = join(directory, 'inside');
    const program = join(inside, 'hidden');
    const script = `mkdir -p ${inside} && mount -t tmpfs tmpfs ${inside} && cp /bin/true ${program} && ${program}; sleep 1000`;
    start('/usr/bin/unshare', '--mount', '/bin/sh', '-c', script);
    assert.deepEqual((await execOf(program)).hash, hashOf('/bin/true'));
  });

  test('on an overlay, in its lower and in its upper layer', async () => {
    const root = join(directory, 'overlay');
    const script = `mkdir ${root} && mount -t tmpfs tmpfs ${root} && cd ${root} && mkdir lower upper work merged
cp /bin/true lower/below
mount -t overlay overlay -o lowerdir=lower,upperdir=upper,workdir=work merged
cp /bin/false merged/above
merged/below && ! merged/above && sleep 1000`;
    start('/usr/bin/unshare', '--mount', '/bin/sh', '-ec', script);
    assert.deepEqual((await execOf(join(root, 'merged/below'))).hash, hashOf('/bin/true'));
    assert.deepEqual((await execOf(join(root, 'merged/above'))).hash, hashOf('/bin/false'));
  });

  test('one that has ended, and whose file is gone: said to be', async () => {
    const path = copyOf('/bin/true', 'gone');
    const child = start('/bin/sh', '-c', `${path}; rm ${path}`);
    await new Promise((done) => child.once('exit', done));
    const { hash } = await execOf(path);
    // It may have been there when it was looked for.
    if (hash?.problem === null) assert.deepEqual(hash, hashOf('/bin/true'));
    else assert.deepEqual(hash, { sha256: null, problem: 'gone' });
  });

  test('events are told in their order, and the summary counts', async () => {
    const { stderr } = await agent.stop();
    const times = agent.messages.map((message) => Number(message['timeNs']));
    assert.deepEqual(
      times,
      times.toSorted((left, right) => left - right),
    );
    assert.match(stderr, /executables to hash: /);
    const summary = JSON.parse(stderr.split('\n').find((line) => line.startsWith('{')) ?? '') as JsonMessage;
    const { asked, tooLarge } = summary['hashes'] as { asked: number; tooLarge: number };
    assert.ok(asked >= 8 && tooLarge === 1, JSON.stringify(summary['hashes']));
  });
});

suite('of findings and rules', () => {
  let server: TestServer;
  let agent: Throughline;
  let recording: string;
  const isFinding = (message: JsonMessage): boolean =>
    message.kind === 'finding' && message['verdict'] === 'EXPLOITED';
  before(async () => {
    recording = join(directory, 'hashes.tlrec');
    const rules = join(directory, 'rules.yaml');
    const dropped = copyOf('/bin/true', 'dropped');
    writeFileSync(
      rules,
      `- rule: Known bad program
  desc: It is on the list
  condition: evt.type = execve and proc.exepath = ${dropped} and proc.hash.sha256 in (${sha256('/bin/true')})
  output: ran %proc.exepath %proc.hash.sha256
  priority: CRITICAL
`,
    );
    agent = await startThroughline(['run', '--json', '--rules', rules, '--record', recording]);
    server = await startServer('python-threading', 1);
  });
  after(async () => {
    await agent.kill();
    await server.stop();
  });

  test('a finding has those of its program, and of what that did', async () => {
    const attacked = await fetch(`${server.url}/run?cmd=${encodeURIComponent('x; id')}`);
    assert.match(await attacked.text(), /uid=/, 'the attack works');
    const finding = (await agent.waitFor(isFinding)) as unknown as FindingView;
    assert.deepEqual(finding.process?.hash, hashOf(SHELL));
    const { effect, story } = finding;
    assert.deepEqual(effect?.type === 'exec' && effect.hash, hashOf(SHELL));
    const ran = story.find((one) => one.type === 'exec' && one.comm === 'id');
    assert.deepEqual(ran?.type === 'exec' && ran.hash, hashOf('/usr/bin/id'));
  });

  test('a rule that asks for one waits for it', async () => {
    const path = join(directory, 'dropped');
    start(path);
    const alert = await agent.waitFor(({ kind }) => kind === 'alert');
    assert.equal(alert['rule'], 'Known bad program');
    assert.deepEqual((alert['output_fields'] as Record<string, unknown>)['proc.hash.sha256'], sha256(path));
    assert.match(agent.stderr, /programs are hashed.*for: Known bad program/);
  });

  test('a recording has them', async () => {
    await agent.stop();
    const { messages } = throughline(['replay', recording, '--json']);
    const finding = messages.find(isFinding) as unknown as FindingView;
    assert.deepEqual(finding.process?.hash, hashOf(SHELL));
  });
});
