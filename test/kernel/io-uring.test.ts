/** What a program does through io_uring, by raw system calls: the same events as for the calls themselves. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { compileProgram } from '../support/compile.ts';
import { EventLog } from '../support/event-log.ts';
import { requireKernel } from '../support/kernel.ts';
import { planInForce } from '../support/plans.ts';

requireKernel();

const ACTIONS = ['mkdir', 'rename', 'symlink', 'link', 'unlink', 'socket'];
const UDP_PORT = 40_009;
const server = createServer((socket) => socket.destroy());
let log: EventLog;
let directory: string;
let program: string;
let port: string;

before(async () => {
  directory = realpathSync(mkdtempSync(join(tmpdir(), 'throughline-ring-')));
  program = compileProgram('ring', directory);
  server.listen(0, '127.0.0.1');
  log = await EventLog.start(['exit', 'open', 'connect', 'datagram', ...ACTIONS]);
  port = String((server.address() as AddressInfo).port);
});
after(async () => {
  server.close();
  await log[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true, force: true });
});

function folder(name: string): string {
  const path = join(directory, name);
  mkdirSync(join(path, 'sub'), { recursive: true });
  writeFileSync(join(path, 'target'), 'x');
  symlinkSync('target', join(path, 'link'));
  return path;
}

async function run(mode: 'plain' | 'sqpoll' | 'skip' | 'overflow') {
  const cwd = folder(mode);
  const { stdout } = await log.run(program, [
    ...(mode === 'plain' ? [] : [mode]),
    cwd,
    port,
    String(UDP_PORT),
  ]);
  const [pid = 0, ...results] = stdout.trim().split('\n').map(Number);
  return { cwd, pid, results };
}

const unlessByFunctions = <Row>(rows: readonly Row[]): readonly Row[] => (isByFunctions() ? [] : rows);

/** What was asked for, and with what results, of one mode. */
function told(pid: number, cwd: string) {
  const opens = log
    .ofType(pid, 'open')
    .filter(({ ring }) => ring)
    .map(({ path, resolvedPath, error, readFrom }) => [
      path,
      resolvedPath.replace(cwd, '.'),
      error,
      readFrom,
    ]);
  const actions = log
    .ofType(pid, 'action')
    .filter(({ ring }) => ring)
    .map(({ syscall, arguments: passed, error }) => [
      syscall,
      ...Object.values(passed).map((value) => (typeof value === 'string' ? value.replace(cwd, '.') : value)),
      error,
    ]);
  const connects = log
    .ofType(pid, 'connect')
    .filter(({ ring }) => ring)
    .map(({ address, port: to, error }) => [address, to, error]);
  return { opens, actions, connects };
}

const PENDING = 'EINPROGRESS';
/** Programs on functions tell opens and connects once they are done, and no ring can keep a result from them. */
const isByFunctions = (): boolean => planInForce() === 'trampolines';

suite('io_uring', () => {
  for (const mode of ['plain', 'sqpoll'] as const)
    test(`${mode}: what is asked for, then its result`, async () => {
      const { cwd, pid, results } = await run(mode);
      const { opens, actions, connects } = told(pid, cwd);
      assert.deepEqual(
        opens.filter(([, , error]) => error === PENDING),
        unlessByFunctions([
          ['link', './link', PENDING, 'kernel'],
          ['sub/../absent', './absent', PENDING, 'kernel'],
          ['created', './created', PENDING, 'kernel'],
          [program, program, PENDING, 'kernel'],
        ]),
      );
      assert.deepEqual(
        opens.filter(([, , error]) => error !== PENDING),
        [
          ['link', './target', null, 'kernel'],
          ['sub/../absent', './absent', 'ENOENT', 'kernel'],
          ['created', './created', null, 'kernel'],
          [program, program, 'ETXTBSY', 'kernel'],
        ],
      );
      const target = log.ofType(pid, 'open').find(({ ring, inode }) => ring && inode > 0);
      assert.equal(target?.inode, statSync(join(cwd, 'target')).ino);
      const asked: readonly (readonly (string | number | readonly string[])[])[] = [
        ['mkdirat', './made', '0750'],
        ['renameat2', './created', './made/renamed', []],
        ['symlinkat', '/etc/passwd', './symbolic'],
        ['linkat', './target', './linked', []],
        ['unlinkat', './linked', []],
        ['socket', 'AF_INET', 1, 0],
      ].map((call) => call.map((value) => (Array.isArray(value) ? 0 : value)));
      const flat = actions.map((call) => call.map((value) => (Array.isArray(value) ? 0 : value)));
      assert.deepEqual(
        flat.filter((call) => call.at(-1) === PENDING),
        asked.map((call) => [...call, PENDING]),
      );
      assert.deepEqual(
        flat.filter((call) => call.at(-1) !== PENDING),
        asked.map((call) => [...call, null]),
      );
      if (!isByFunctions()) {
        const opened = log.ofType(pid, 'open').filter(({ ring, error }) => ring && error === null);
        assert.deepEqual(
          opened.map(({ descriptor }) => descriptor),
          [results[0], results[2]],
        );
        const [begun, connected] = log.ofType(pid, 'connect').filter(({ ring }) => ring);
        assert.ok((begun?.descriptor ?? 0) > 2);
        assert.deepEqual([begun?.local, connected?.descriptor], [null, begun?.descriptor]);
        assert.ok(connected?.local?.ip === '127.0.0.1' && connected.local.port > 0);
      }
      const toServer = ['127.0.0.1', Number(port)];
      const refused = ['127.0.0.1', 1];
      assert.deepEqual(
        // By functions: some kernels ask a socket that takes its time once more, others look at what became of it.
        isByFunctions() ? connects.filter(([, , error]) => error === PENDING) : connects,
        [
          [...toServer, PENDING],
          ...unlessByFunctions([[...toServer, null]]),
          [...refused, PENDING],
          ...unlessByFunctions([[...refused, 'ECONNREFUSED']]),
        ],
      );
      for (const [, to, error] of connects)
        if (error !== PENDING) assert.equal(error, to === 1 ? 'ECONNREFUSED' : null);
      // Sent to the same remote twice: told once.
      assert.deepEqual(
        log
          .ofType(pid, 'datagram')
          .map(({ direction, address, port: to, ring }) => [direction, address, to, ring]),
        [['out', '127.0.0.1', UDP_PORT, true]],
      );
      assert.deepEqual(results.slice(-4), [results.at(-4) ?? 0, -111, 8, 8]);
    });

  test('results that the program wants to be kept from it are not told, but what it asks for is', async () => {
    const { cwd, pid } = await run('skip');
    const { opens, actions } = told(pid, cwd);
    const results = opens.map(([path, , error]) => [path, error]);
    assert.equal(actions.length, 6, JSON.stringify(actions));
    assert.ok(actions.every((call) => call.at(-1) === PENDING));
    if (isByFunctions()) {
      assert.deepEqual(results, [
        ['link', null],
        ['sub/../absent', 'ENOENT'],
        ['created', null],
        [program, 'ETXTBSY'],
      ]);
      return;
    }
    assert.deepEqual(
      results.filter(([, error]) => error === PENDING).map(([path]) => path),
      ['link', 'sub/../absent', 'created', program],
    );
    // What failed is told to the program, whenever it looks.
    assert.deepEqual(
      results.filter(([, error]) => error !== PENDING).map(([, error]) => error),
      ['ENOENT', 'ETXTBSY'],
    );
  });

  test('a ring that overflows hides results, and not what was asked for', async () => {
    const { cwd, pid } = await run('overflow');
    const error = isByFunctions() ? null : PENDING;
    assert.deepEqual(told(pid, cwd).opens[0], ['created', './created', error, 'kernel']);
    assert.ok(statSync(join(cwd, 'created')).isFile());
  });
});
