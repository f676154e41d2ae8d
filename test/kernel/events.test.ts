import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  closeSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, suite, test } from 'node:test';
import type { EventView } from '../../src/output/views.ts';
import { EventLog } from '../support/event-log.ts';
import { requireKernel } from '../support/kernel.ts';
import { planInForce } from '../support/plans.ts';

requireKernel();

/** The distribution's own: what stands earlier in PATH may be a wrapper that starts more programs. */
const PYTHON = '/usr/bin/python3';
const PROGRAMS = join(import.meta.dirname, 'programs');
const NOBODY = 65_534;

let log: EventLog;
let directory: string;
before(async () => {
  directory = realpathSync(mkdtempSync(join(tmpdir(), 'throughline-events-')));
  chmodSync(directory, 0o755);
  log = await EventLog.start();
});
after(async () => {
  await log[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true, force: true });
});

function folder(name: string): string {
  const path = join(directory, name);
  mkdirSync(path);
  return path;
}

const python = (source: string, ...args: string[]) => log.run(PYTHON, ['-c', source, ...args]);

/** Type and value that every event has. */
function assertHeader(event: EventView): void {
  assert.equal(event.kind, 'event');
  assert.match(event.time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  assert.ok(Math.abs(Date.now() - Date.parse(event.time)) < 60_000, event.time);
  for (const name of ['timeNs', 'pid', 'tid', 'startTicks', 'cgroupId', 'cpu'] as const)
    assert.equal(typeof event[name], 'number', name);
  assert.equal(typeof event.truncated, 'boolean');
}

/** Supplementary groups as the kernel has them: Node adds the effective one. */
function ownGroups(): Set<number> {
  const line = /^Groups:(.*)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '';
  return new Set((line.match(/\d+/g) ?? []).map(Number));
}

suite('programs', () => {
  test('path, executable, arguments, directory, user, parent', async () => {
    const cwd = folder('plain');
    const { pid } = await log.run('/bin/echo', ['one', 'zwei größer', '', '写'], { cwd });
    const exec = log.execOf(pid);
    assertHeader(exec);
    assert.equal(exec.path, '/bin/echo');
    assert.equal(exec.executable, realpathSync('/bin/echo'));
    assert.equal(exec.inode, statSync('/bin/echo').ino);
    assert.equal(exec.comm, 'echo');
    assert.deepEqual(exec.argv, ['/bin/echo', 'one', 'zwei größer', '', '写']);
    assert.equal(exec.cwd, cwd);
    assert.equal(exec.ppid, process.pid);
    assert.equal(exec.tid, pid);
    assert.deepEqual([exec.uid, exec.gid, exec.euid, exec.egid], [0, 0, 0, 0]);
    assert.deepEqual(new Set(exec.groups), ownGroups());
    assert.equal(exec.truncated, false);
    const fork = log.ofType(process.pid, 'fork').find(({ childPid }) => childPid === pid);
    assert.ok(fork, 'its fork is told as one of the parent');
    assert.equal(fork.childStartTicks, exec.startTicks);
    assert.ok(fork.timeNs < exec.timeNs);
    assert.equal((await log.untilExit(pid)).code, 0);
  });

  test('bytes that are no UTF-8, and empty arguments', async () => {
    const { pid } = await python(
      `import os; os.execv(b"/bin/true", [b"x", b"\\xff\\xfe", b"", b"\\xc3(", b""])`,
    );
    assert.deepEqual(log.execOf(pid).argv, ['x', 'ÿþ', '', 'Ã(', '']);
  });

  test('30 KiB of arguments are told whole, more is cut and marked', async () => {
    const whole = Array.from({ length: 30 }, (_, index) => `${index}-`.padEnd(1000, 'x'));
    const { pid } = await log.run('/bin/true', whole);
    assert.deepEqual(log.execOf(pid).argv, ['/bin/true', ...whole]);
    assert.equal(log.execOf(pid).truncated, false);

    const long = Array.from({ length: 50 }, (_, index) => `${index}-`.padEnd(1000, 'y'));
    const { pid: longPid } = await log.run('/bin/true', long);
    const exec = log.execOf(longPid);
    assert.equal(exec.truncated, true);
    const told = exec.argv.join('\0');
    assert.ok(told.length > 32_000 && told.length <= 32_768, `${told.length} bytes`);
    assert.ok(['/bin/true', ...long].join('\0').startsWith(told));
  });

  test('one argument of 128 KiB', async () => {
    const { pid } = await log.run('/bin/true', ['z'.repeat(131_000)]);
    const exec = log.execOf(pid);
    assert.equal(exec.truncated, true);
    assert.match(exec.argv[1] ?? '', /^z{32000,}$/);
  });

  test('another user, and its groups', async () => {
    const ids = ['--reuid', String(NOBODY), '--regid', String(NOBODY), '--groups', '12,65533'];
    const { pid } = await log.run('/usr/bin/setpriv', [...ids, '/bin/true']);
    const exec = log.execOf(pid);
    assert.equal(exec.path, '/bin/true');
    assert.deepEqual([exec.uid, exec.gid, exec.euid, exec.egid], [NOBODY, NOBODY, NOBODY, NOBODY]);
    assert.deepEqual(exec.groups, [12, 65_533]);
  });

  test('what the standard descriptors are', async () => {
    const file = openSync(join(folder('stdio'), 'file'), 'w');
    const { pid } = await log.run('/bin/true', [], { stdio: ['ignore', file, 'pipe'] });
    closeSync(file);
    // Pipes of Node are sockets.
    assert.deepEqual(log.execOf(pid).stdio, ['device', 'file', 'socket']);
    const { pid: closed } = await python(
      `import os; r, w = os.pipe(); os.dup2(r, 0); os.close(1); os.dup2(os.open("/", 0), 2); os.execv("/bin/true", ["true"])`,
    );
    // What is closed on exec is closed for the new program.
    assert.deepEqual(log.execOf(closed).stdio, ['pipe', 'closed', 'directory']);
    const { pid: bare } = await python(`import os; os.closerange(0, 3); os.execv("/bin/true", ["true"])`);
    assert.deepEqual(log.execOf(bare).stdio, ['closed', 'closed', 'closed']);
    const { stdout } = await python(
      `import os, pty
pid, fd = pty.fork()
if pid == 0: os.execv("/bin/true", ["true", "in a terminal"])
os.waitpid(pid, 0); print(pid)`,
    );
    assert.deepEqual(log.execOf(Number(stdout)).stdio, ['terminal', 'terminal', 'terminal']);
  });

  test('relative paths, scripts, and a path that is a symbolic link', async () => {
    const cwd = folder('relative');
    copyFileSync('/bin/true', join(cwd, 'own program'));
    chmodSync(join(cwd, 'own program'), 0o755);
    const { pid } = await log.run('./own program', ['x'], { cwd });
    const exec = log.execOf(pid);
    assert.equal(exec.path, './own program');
    assert.equal(exec.executable, join(cwd, 'own program'));
    assert.equal(exec.comm, 'own program');

    writeFileSync(join(cwd, 'script'), '#!/bin/sh -e\nexit 0\n', { mode: 0o755 });
    const { pid: script } = await log.run('./script', ['argument'], { cwd });
    assert.equal(log.execOf(script).path, './script');
    assert.equal(log.execOf(script).executable, realpathSync('/bin/sh'));
    assert.deepEqual(log.execOf(script).argv, ['/bin/sh', '-e', './script', 'argument']);
  });

  test('a deep working directory is told up to a bound, and marked beyond', async () => {
    const source = `import os, sys
os.chdir(sys.argv[1])
for depth in range(int(sys.argv[2])):
    name = "d%02d" % depth
    os.mkdir(name); os.chdir(name)
os.execv("/bin/true", ["true"])`;
    const names = (count: number) =>
      Array.from({ length: count }, (_, depth) => `d${String(depth).padStart(2, '0')}`).join('/');
    // Mounts on the way up count, too: of the folder, of the root, and of what the root is mounted on.
    const shallow = folder('shallow');
    const { pid } = await python(source, shallow, '36');
    assert.equal(log.execOf(pid).cwd, `${shallow}/${names(36)}`);
    assert.equal(log.execOf(pid).truncated, false);

    const deep = folder('deep');
    const { pid: deepPid } = await python(source, deep, '60');
    const exec = log.execOf(deepPid);
    assert.equal(exec.truncated, true);
    assert.ok(`${deep}/${names(60)}`.endsWith(exec.cwd), exec.cwd);
    assert.ok(exec.cwd.split('/').length > 40, exec.cwd);
    assert.deepEqual(exec.argv, ['true'], 'what stands behind the cut path is read from the right place');
  });

  test('exit codes and signals of forked children', async () => {
    const { pid, stdout } = await python(`import os, signal, json
def child(action):
    pid = os.fork()
    if pid == 0:
        action(); os._exit(99)
    os.waitpid(pid, 0)
    return pid
print(json.dumps([child(lambda: os._exit(0)), child(lambda: os._exit(7)), child(lambda: os._exit(255)),
  child(lambda: os.kill(os.getpid(), signal.SIGKILL)), child(lambda: os.kill(os.getpid(), signal.SIGTERM))]))`);
    const children = JSON.parse(stdout) as number[];
    const codes: number[] = [];
    for (const child of children) codes.push((await log.untilExit(child)).code);
    assert.deepEqual(codes, [0, 7, 255, 137, 143]);
    assert.deepEqual(
      log.ofType(pid, 'fork').map(({ childPid }) => childPid),
      children,
    );
    for (const child of children) assert.equal(log.ofType(child, 'exec').length, 0);
  });

  test('threads are no processes, and a process ends with its last one', async () => {
    const { pid } = await python(`import threading
for _ in range(5):
    thread = threading.Thread(target=lambda: None); thread.start(); thread.join()`);
    assert.deepEqual(log.ofType(pid, 'fork'), []);
    assert.equal(log.ofType(pid, 'exit').length, 1);
  });

  test('a program that a thread starts takes the place of its process', async () => {
    const { pid } = await python(`import os, threading, time
threading.Thread(target=lambda: os.execv("/bin/true", ["true", "by a thread"])).start()
time.sleep(10)`);
    const exec = log.execOf(pid);
    assert.deepEqual(exec.argv, ['true', 'by a thread']);
    assert.equal(exec.tid, pid);
    assert.equal(log.ofType(pid, 'exit').length, 1);
  });
});

suite('connections', () => {
  test('accepted, made and closed, of every family', async () => {
    const cwd = folder('network');
    const { pid, stdout } = await log.run(PYTHON, [join(PROGRAMS, 'network.py'), cwd]);
    const facts = JSON.parse(stdout) as {
      ipv4: { server: number; client: number };
      ipv6: { server: number; client: number };
      refused: number;
      pending: { errno: number; port: number };
      missing: string;
    };
    // The program is client and server in one: what it made is told as well once it serves.
    const accepts = log.ofType(pid, 'accept').filter(({ role }) => role === 'server');
    const connects = log.ofType(pid, 'connect');
    const closes = log
      .ofType(pid, 'close')
      .filter(({ connection }) => accepts.some((accept) => accept.connection === connection));
    const made = log.ofType(pid, 'accept').filter(({ role }) => role === 'client');
    const abstract = `@throughline-test-${pid}`;
    for (const event of [...accepts, ...connects, ...closes]) assertHeader(event);
    assert.deepEqual(
      accepts.map(({ family, client, server, adopted }) => ({ family, client, server, adopted })),
      [
        {
          family: 'ipv4',
          client: { ip: '127.0.0.1', port: facts.ipv4.client },
          server: { ip: '127.0.0.1', port: facts.ipv4.server },
          adopted: false,
        },
        {
          family: 'ipv6',
          client: { ip: '::1', port: facts.ipv6.client },
          server: { ip: '::1', port: facts.ipv6.server },
          adopted: false,
        },
        {
          family: 'unix',
          client: { ip: '', port: 0 },
          server: { ip: join(cwd, 'listener'), port: 0 },
          adopted: false,
        },
        { family: 'unix', client: { ip: '', port: 0 }, server: { ip: abstract, port: 0 }, adopted: false },
      ],
    );
    assert.deepEqual(
      connects.map(({ family, transport, address, port, error }) => [
        family,
        transport,
        address,
        port,
        error,
      ]),
      [
        ['ipv4', 'stream', '127.0.0.1', facts.ipv4.server, null],
        ['ipv6', 'stream', '::1', facts.ipv6.server, null],
        ['unix', 'stream', join(cwd, 'listener'), 0, null],
        ['unix', 'stream', abstract, 0, null],
        ['ipv4', 'stream', '127.0.0.1', facts.refused, 'ECONNREFUSED'],
        ['ipv4', 'stream', '127.0.0.1', facts.pending.port, 'EINPROGRESS'],
        ['ipv4', 'datagram', '127.0.0.1', 9, null],
        ['unix', 'stream', facts.missing, 0, 'ENOENT'],
      ],
    );
    assert.equal(facts.pending.errno, 115);
    assert.deepEqual(
      closes.map(({ connection, bytesIn, bytesOut }) => [connection, bytesIn, bytesOut]),
      accepts.map(({ connection }) => [connection, 18, 40]),
    );
    assert.equal(new Set(accepts.map(({ connection }) => connection)).size, 4, 'each has an id of its own');
    const unixPayload = log
      .ofType(pid, 'payload')
      .filter(({ connection }) => connection === accepts[2]?.connection)
      .map(({ direction, length }) => [direction, length]);
    assert.deepEqual(unixPayload, [
      ['in', 18],
      ['out', 40],
    ]);
    const ipv6 = made.find(({ family }) => family === 'ipv6');
    assert.deepEqual(ipv6?.server, { ip: '::1', port: facts.ipv6.server }, 'the other end is the server');
    assert.deepEqual(ipv6.client, { ip: '::1', port: facts.ipv6.client });
  });

  test('the first bytes of each message, whatever system call carries them', async () => {
    const { pid } = await log.run(PYTHON, [join(PROGRAMS, 'payload.py'), folder('payload')]);
    const [accepted] = log.ofType(pid, 'accept').filter(({ role }) => role === 'server');
    const events = log.ofType(pid, 'payload').filter(({ connection }) => connection === accepted?.connection);
    for (const event of events) assertHeader(event);
    const of = (sequence: number, direction: 'in' | 'out') =>
      events.filter((event) => event.sequence === sequence && event.direction === direction);
    const sizes = (sequence: number, direction: 'in' | 'out') =>
      of(sequence, direction).map(({ length, captured }) => [length, captured]);
    const preview = (sequence: number, direction: 'in' | 'out') =>
      of(sequence, direction)
        .map((event) => event.preview)
        .join('|');

    assert.deepEqual(sizes(1, 'in'), [[19_995, 8192]]);
    assert.match(preview(1, 'in'), /^POST \/long HTTP\/1\.1\\r\\nContent-Length: 19949\\r\\n\\r\\nL+…$/);
    assert.deepEqual(sizes(1, 'out'), [[5000, 1024]]);

    assert.deepEqual(sizes(2, 'in'), [
      [11, 11],
      [15, 15],
      [11, 11],
    ]);
    assert.equal(preview(2, 'in'), 'GET /pieces|?a=1 HTTP/1.1\\r\\n|Host: h\\r\\n\\r\\n');
    assert.match(preview(2, 'out'), /^HTTP\/1\.1 200 OK\\r\\nContent-Length: 100\\r\\n\\r\\nv+…?$/);
    assert.deepEqual(sizes(2, 'out'), [[140, 140]], 'all of its vectors');

    assert.equal(preview(3, 'in'), 'GET /vectors HTTP/1.1\\r\\n\\r\\n');
    assert.equal(preview(3, 'out'), 'HTTP/1.1 204 No Content\\r\\n\\r\\n');

    assert.equal(preview(4, 'in'), 'GET /message HTTP/1.1\\r\\n\\r\\n', 'and nothing of the peek');
    assert.deepEqual(
      of(4, 'out').map(({ length, captured }) => [length, captured]),
      [
        [41, 41],
        [3000, 0],
      ],
    );

    const many = of(5, 'out');
    assert.ok(many.length >= 16 && many.length < 60, `${many.length} of 101 writes were told`);
    assert.equal(
      many.reduce((sum, { captured }) => sum + captured, 0),
      1024,
    );

    const file = of(6, 'out');
    assert.ok(file.length >= 16 && file.length < 60, `${file.length} of 101 writes were told`);

    for (const direction of ['in', 'out'] as const) {
      let end = 0;
      for (const event of events.filter((one) => one.direction === direction)) {
        assert.ok(event.streamOffset >= end, 'the stream goes forward');
        if (event.sequence < 5) assert.equal(event.streamOffset, end, 'and has no gaps');
        end = event.streamOffset + event.length;
      }
    }
    const [first, second] = events;
    assert.equal(first?.stamp, null, 'nothing was served before the first message');
    assert.deepEqual(second?.stamp, { connection: first?.connection, sequence: 1, origin: 'read' });
    const close = log.ofType(pid, 'close').find(({ connection }) => connection === first?.connection);
    assert.equal(close?.bytesIn, 19_995 + 37 + 25 + 25 + 22 + 22);
  });

  test('a connection that was open before the agent came is taken up at its next message', async () => {
    const child = spawn(PYTHON, [join(PROGRAMS, 'keep-alive.py')], { stdio: ['pipe', 'pipe', 'inherit'] });
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const ask = async (path: string): Promise<void> => {
      child.stdin.write(`${path}\n`);
      assert.equal((await lines.next()).value, 'done');
    };
    try {
      const port = Number((await lines.next()).value);
      await ask('/before');
      await using late = await EventLog.start();
      // The port is known to be listened on, and stays so when somebody else connects to it.
      const other = connect(port, '127.0.0.1');
      await once(other, 'connect');
      other.destroy();
      await ask('/after-1');
      await ask('/after-2');
      child.stdin.end();
      const pid = child.pid ?? 0;
      await late.untilExit(pid);
      const [accept, ...more] = late.ofType(pid, 'accept').filter(({ role }) => role === 'server');
      assert.ok(accept);
      assert.deepEqual(more, []);
      assert.equal(accept.adopted, true);
      assert.equal(accept.server.port, port);
      assert.equal(accept.client.ip, '127.0.0.1');
      assert.deepEqual(
        late
          .ofType(pid, 'payload')
          .filter(({ connection }) => connection === accept.connection)
          .map(({ direction, sequence, connection }) => [direction, sequence, connection]),
        [
          ['in', 1, accept.connection],
          ['out', 1, accept.connection],
          ['in', 2, accept.connection],
          ['out', 2, accept.connection],
        ],
      );
      assert.deepEqual(
        late.ofType(pid, 'open').map(({ path, stamp }) => [path, stamp?.connection, stamp?.sequence]),
        [
          ['/dev/null', accept.connection, 1],
          ['/dev/null', accept.connection, 2],
        ],
      );
    } finally {
      child.kill('SIGKILL');
    }
  });
});

suite('files', () => {
  test('of a process that serves a request: every open, with the path that the kernel found', async () => {
    const cwd = folder('files');
    const { pid } = await log.run(PYTHON, [join(PROGRAMS, 'files.py'), cwd]);
    const events = log.ofType(pid, 'open');
    for (const event of events) assertHeader(event);
    const request = events.findIndex(({ stamp }) => stamp !== null);
    const beforeRequest = events.slice(0, request);
    assert.deepEqual(
      beforeRequest.filter(({ resolvedPath }) => resolvedPath.startsWith(cwd)).map(({ path }) => path),
      ['target', 'secret'],
      'before it serves anything, only what it opens for writing',
    );
    const own = events
      .slice(request)
      .filter(({ path, resolvedPath }) => resolvedPath.startsWith(cwd) || path.includes('no-such'));
    const flagsOf = ({ flags }: (typeof own)[number]) => flags.filter((flag) => flag !== 'O_CLOEXEC');
    const isX64 = process.arch === 'x64';
    assert.deepEqual(
      own.map((event) => [event.path, event.resolvedPath, flagsOf(event).join(' '), event.error]),
      [
        ['target', `${cwd}/target`, 'O_RDONLY', null],
        ['link', `${cwd}/target`, 'O_RDONLY', null],
        ['sub/.././target', `${cwd}/target`, 'O_RDONLY', null],
        ['sub/../no-such-file', `${cwd}/no-such-file`, 'O_RDONLY', 'ENOENT'],
        ['/no-such-directory/../no-such-file', '/no-such-file', 'O_RDONLY', 'ENOENT'],
        ['sub', `${cwd}/sub`, 'O_RDONLY O_DIRECTORY', null],
        ['created', `${cwd}/sub/created`, 'O_RDWR O_CREAT O_EXCL', null],
        ['nothing-here', `${cwd}/sub/nothing-here`, 'O_RDONLY', 'ENOENT'],
        ['not-utf8-ÿþ', `${cwd}/not-utf8-ÿþ`, 'O_WRONLY O_CREAT O_APPEND', null],
        ['by-openat2', `${cwd}/sub/by-openat2`, 'O_WRONLY O_CREAT', null],
        ['by-creat', `${cwd}/by-creat`, 'O_WRONLY O_CREAT O_TRUNC', null],
        ...(isX64 ? [['by-open', `${cwd}/by-open`, 'O_WRONLY O_CREAT', null]] : []),
        ['secret', `${cwd}/secret`, 'O_RDONLY', 'EACCES'],
      ],
    );
    assert.equal(own[0]?.inode, statSync(`${cwd}/target`).ino);
    assert.equal(own[1]?.inode, statSync(`${cwd}/target`).ino);
    assert.ok(own.every(({ stamp }) => stamp?.origin === 'read' && stamp.sequence === 1));
  });

  test('of any other process: what it opens for writing, and nothing else', async () => {
    const cwd = folder('writing');
    const { pid } = await python(
      `import os, sys
os.chdir(sys.argv[1])
open("new", "w").close()
open("new", "r").close()
open("new", "a").close()
try: open("no-such/file", "w")
except OSError: pass`,
      cwd,
    );
    assert.deepEqual(
      log
        .ofType(pid, 'open')
        .filter(({ resolvedPath }) => resolvedPath.startsWith(cwd))
        .map(({ path, resolvedPath, error }) => [path, resolvedPath.slice(cwd.length), error]),
      [
        ['new', '/new', null],
        ['new', '/new', null],
        ['no-such/file', '/no-such/file', 'ENOENT'],
      ],
    );
    assert.ok(log.ofType(pid, 'open').every(({ flags }) => !flags.includes('O_RDONLY') || flags.length > 1));
  });
});

test('numbers of descriptors, and both ends of a connection that is made', async () => {
  const cwd = folder('descriptors');
  const { pid, stdout } = await python(
    `import ctypes, json, os, socket, sys
os.chdir(sys.argv[1])
first = os.open("a", os.O_CREAT | os.O_WRONLY)
os.dup2(first, 77)
os.close(first)
files = [first, os.open("b", os.O_CREAT | os.O_RDWR), ctypes.CDLL(None).creat(b"c", 0o600)]
try: os.open("none/d", os.O_WRONLY)
except OSError: pass
files.append(None)

ends = []
def connects(one, family, to):
    one.setblocking(False)
    error = one.connect_ex(to)
    local = None if error not in (0, 115) or family == "unix" else list(one.getsockname()[:2])
    ends.append([family, one.fileno(), local])
listener = socket.create_server(("127.0.0.1", 0))
dual = socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True)
path = socket.socket(socket.AF_UNIX)
path.bind("listener")
path.listen()
accepted = []
made = [socket.socket() for _ in range(2)]
connects(made[0], "ipv4", listener.getsockname())
accepted.append(listener.accept()[0])
made[1].bind(("127.0.0.9", 0))
connects(made[1], "ipv4", listener.getsockname())
accepted.append(listener.accept()[0])
mapped = socket.socket(socket.AF_INET6)
connects(mapped, "ipv4", ("::ffff:127.0.0.1", dual.getsockname()[1]))
accepted.append(dual.accept()[0])
ends[-1][2][0] = ends[-1][2][0].removeprefix("::ffff:")
plain = socket.socket(socket.AF_INET6)
connects(plain, "ipv6", ("::1", dual.getsockname()[1]))
accepted.append(dual.accept()[0])
local = socket.socket(socket.AF_UNIX)
connects(local, "unix", "listener")
accepted.append(path.accept()[0])
datagram = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
connects(datagram, "ipv4", ("127.0.0.1", 9))
nobody = socket.socket()
nobody.bind(("127.0.0.1", 0))
refused = socket.socket()
try: refused.connect(nobody.getsockname())
except OSError: ends.append(["ipv4", refused.fileno(), None])
print(json.dumps({"files": files, "ends": ends, "accepted": [one.fileno() for one in accepted]}))`,
    cwd,
  );
  const facts = JSON.parse(stdout) as {
    files: (number | null)[];
    ends: [family: string, descriptor: number, local: [ip: string, port: number] | null][];
    accepted: number[];
  };
  assert.deepEqual(
    log
      .ofType(pid, 'open')
      .filter(({ resolvedPath }) => resolvedPath.startsWith(cwd))
      .map(({ descriptor }) => descriptor),
    // The kernel's function is done before the file gets its number.
    planInForce() === 'trampolines' ? facts.files.map(() => null) : facts.files,
  );
  assert.deepEqual(
    log
      .ofType(pid, 'connect')
      .map(({ family, descriptor, local }) => [
        family,
        descriptor,
        local === null ? null : [local.ip, local.port],
      ]),
    facts.ends,
  );
  assert.deepEqual(
    log
      .ofType(pid, 'accept')
      .filter(({ role }) => role === 'server')
      .map(({ descriptor }) => descriptor),
    facts.accepted,
  );
});

test('the agent does not tell about itself, and stdout holds nothing but JSON', () => {
  assert.deepEqual(log.ofType(log.agent.pid, 'open'), []);
  assert.deepEqual(log.agent.otherLines, []);
  assert.ok(readFileSync(`/proc/${log.agent.pid}/cmdline`, 'utf8').includes('events'));
});
