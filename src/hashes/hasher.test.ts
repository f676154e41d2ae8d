import assert from 'node:assert/strict';
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ExecutableHash, ExecutedFile, HashQuestion } from '../model/executable.ts';
import { ExecutableHasher } from './hasher.ts';

const SLEEP = '/bin/sleep';
/** Longer than a change time may lag behind: what is older is remembered. */
const SETTLED_MS = 30;

let directory: string;
let count = 0;
const children: ChildProcess[] = [];
before(() => {
  directory = mkdtempSync(join(tmpdir(), 'throughline-hashes-'));
});
after(() => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(directory, { recursive: true, force: true });
});

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const hashOf = (path: string): ExecutableHash => ({ sha256: sha256(readFileSync(path)), problem: null });
const none = (problem: ExecutableHash['problem']) => ({ sha256: null, problem });

function copyOfSleep(): string {
  const path = join(directory, `program-${++count}`);
  copyFileSync(SLEEP, path);
  return path;
}

/** Runs it for the time of the tests. */
async function started(path: string): Promise<number> {
  const child = spawn(path, ['1000'], { stdio: 'ignore' });
  children.push(child);
  await new Promise((done, failed) => child.once('spawn', done).once('error', failed));
  return child.pid ?? assert.fail();
}

const startOf = (pid: number): number =>
  Number(readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.split(' ')[19]);

function executed(path: string): ExecutedFile {
  const { dev, ino, ctimeNs, mtimeNs } = statSync(path, { bigint: true });
  const major = Number((dev >> 8n) & 0xfffn);
  const minor = Number((dev & 0xffn) | ((dev >> 12n) & 0xfff00n));
  return {
    device: major * 2 ** 20 + minor,
    inode: Number(ino),
    changeTimeMs: Number(ctimeNs / 1000n) / 1000,
    modificationTimeMs: Number(mtimeNs / 1000n) / 1000,
    fileSystem: 0xef53,
  };
}

/** About a program whose process has ended, unless another is given. */
function questionOf(path: string, fields: Partial<HashQuestion> = {}): HashQuestion {
  return {
    key: `key-${++count}`,
    executed: executed(path),
    path,
    mountNamespace: Number(/\d+/.exec(readlinkSync('/proc/self/ns/mnt'))?.[0]),
    pid: 2 ** 22 + 1,
    startTicks: 1,
    relatives: [process.pid],
    ...fields,
  };
}

class Bench {
  readonly #waiting = new Map<string, (hash: ExecutableHash) => void>();
  readonly hasher: ExecutableHasher;

  constructor(limitBytes?: number) {
    this.hasher = new ExecutableHasher((key, hash) => this.#waiting.get(key)?.(hash), limitBytes);
  }

  ask(question: HashQuestion): Promise<ExecutableHash> {
    return new Promise((done) => {
      this.#waiting.set(question.key, done);
      this.hasher.ask(question);
    });
  }
}

test('a program that has ended, by its path; once more, without reading it again', async () => {
  const path = copyOfSleep();
  await sleep(SETTLED_MS);
  const bench = new Bench();
  assert.deepEqual(await bench.ask(questionOf(path)), hashOf(SLEEP));
  assert.deepEqual(await bench.ask(questionOf(path)), hashOf(SLEEP));
  const { asked, hashed, known } = bench.hasher.counters;
  assert.deepEqual({ asked, hashed, known }, { asked: 2, hashed: 1, known: 1 });
});

test('a running program whose file was deleted, or replaced by another one', async () => {
  for (const change of [
    unlinkSync,
    (path: string) => {
      writeFileSync(`${path}-new`, 'another');
      renameSync(`${path}-new`, path);
    },
  ]) {
    const path = copyOfSleep();
    const pid = await started(path);
    const question = questionOf(path, { pid, startTicks: startOf(pid) });
    await sleep(SETTLED_MS);
    // Its change time is another one from now on: who takes a name from a file changes the file's inode.
    change(path);
    assert.deepEqual(await new Bench().ask(question), hashOf(SLEEP));
  }
});

test('a program that has ended, and whose file is another one, or none, or no file', async () => {
  const path = copyOfSleep();
  const question = questionOf(path);
  const bench = new Bench();
  unlinkSync(path);
  assert.deepEqual(await bench.ask(question), none('gone'));
  copyFileSync('/bin/true', path);
  assert.deepEqual(await bench.ask(question), none('changed'));
  unlinkSync(path);
  // Nobody writes to it: opening it to read would wait for ever.
  assert.equal(spawnSync('/usr/bin/mkfifo', [path]).status, 0);
  assert.deepEqual(await bench.ask(question), none('changed'));
  assert.deepEqual([bench.hasher.counters.gone, bench.hasher.counters.changed], [1, 2]);
});

test('of a process that was there before, the program that it runs; not one of a later process with its id', async () => {
  const path = copyOfSleep();
  const pid = await started(path);
  const before = { executed: null, mountNamespace: 0, pid, relatives: [] };
  const bench = new Bench();
  assert.deepEqual(await bench.ask(questionOf(path, { ...before, startTicks: startOf(pid) })), hashOf(SLEEP));
  assert.deepEqual(
    await bench.ask(questionOf(path, { ...before, startTicks: startOf(pid) - 1 })),
    none('gone'),
  );
  const other = { ...before, startTicks: startOf(pid), path: '/bin/true' };
  assert.deepEqual(await bench.ask(questionOf(path, other)), none('gone'), 'it runs another one by now');
});

test('of a mount namespace that nobody is in any more: where the file has the same place here', async () => {
  const question = questionOf(copyOfSleep(), { mountNamespace: 1 });
  assert.deepEqual(await new Bench().ask(question), hashOf(SLEEP));
  copyFileSync('/bin/true', question.path);
  assert.deepEqual(await new Bench().ask(question), none('gone'), 'the file here is another one');
});

test('large: 300 MB that are mostly a hole, up to the limit and beyond it', async () => {
  const path = copyOfSleep();
  truncateSync(path, 300e6);
  const limited = new Bench();
  assert.deepEqual(await limited.ask(questionOf(path)), none('too-large'));
  assert.equal(limited.hasher.counters.tooLarge, 1);
  const hole = copyOfSleep();
  truncateSync(hole, 120e6);
  const started = performance.now();
  assert.deepEqual(await new Bench().ask(questionOf(hole)), hashOf(hole));
  assert.ok(performance.now() - started < 10_000);
});

test('a file that somebody else serves is left alone', async () => {
  const question = questionOf(copyOfSleep());
  const fuse = { ...executed(question.path), fileSystem: 0x65735546 };
  assert.deepEqual(await new Bench().ask({ ...question, executed: fuse }), none('remote'));
});

test('one that is written to while it is read has no hash', async () => {
  const path = copyOfSleep();
  truncateSync(path, 60e6);
  const answer = new Bench().ask(questionOf(path));
  await sleep(20);
  truncateSync(path, 59e6);
  assert.deepEqual(await answer, none('changed'));
});

test('too many questions at once: the rest is answered with that', async () => {
  const path = copyOfSleep();
  await sleep(SETTLED_MS);
  const bench = new Bench();
  const answers = await Promise.all(Array.from({ length: 700 }, () => bench.ask(questionOf(path))));
  const busy = answers.filter(({ problem }) => problem === 'busy').length;
  assert.equal(busy, bench.hasher.counters.skipped);
  assert.ok(busy > 100 && busy < 200, `${busy} were`);
  assert.equal(bench.hasher.counters.hashed, 1);
});
