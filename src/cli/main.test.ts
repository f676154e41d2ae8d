import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { ThroughlineError } from '../base/errors.ts';
import { findingView } from '../output/finding-view.ts';
import { lateEffectView, requestView } from '../output/request-view.ts';
import {
  exactly,
  sampleContext,
  sampleFinding,
  SampleProgram,
  sampleProcess,
  sampleRequest,
  sampleStory,
} from '../output/sample-story.ts';
import type { EngineMessage } from './contract.ts';
import { MadeUpEngine, runCli } from './made-up-engine.ts';
import { COMMANDS } from './registry.ts';

const started: EngineMessage = {
  kind: 'started',
  source: 'live',
  version: '0.1.0',
  kernel: 'Linux 6.1.0-18',
  attached: ['process: sched_process_exec'],
  startupMs: 840,
};
const exploited = findingView(sampleFinding(), sampleContext);
const probed = findingView(sampleFinding({ verdict: 'PROBED', effect: null, story: [] }), sampleContext);
const request = sampleRequest();
const traced = requestView({ ...request, effects: sampleStory(request) }, sampleContext);
const loss: EngineMessage = {
  kind: 'loss',
  time: '2025-01-02T12:04:31.005Z',
  reasons: { 'ring full': 3, none: 0 },
};

function jsonLines(text: string): Record<string, unknown>[] {
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

test('every command has help, in the overview and on its own', async () => {
  const engine = new MadeUpEngine();
  const overview = await runCli(['--help'], engine);
  assert.equal(overview.exitCode, 0);
  for (const { name, summary } of COMMANDS) {
    assert.match(overview.stdout, new RegExp(`^  ${name} +${summary}$`, 'm'));
    const own = await runCli([...name.split(' '), '--help'], engine);
    assert.match(own.stdout, new RegExp(`^Usage: throughline ${name} `));
    assert.deepEqual(await runCli(['help', ...name.split(' ')], engine), own);
    assert.ok(own.stdout.split('\n').every((line) => line.length <= 110));
  }
  assert.equal(engine.runs.length, 0);
});

test('version, and usage where nothing is asked', async () => {
  const engine = new MadeUpEngine();
  assert.equal((await runCli(['--version'], engine)).stdout, 'throughline 0.1.0\n');
  const bare = await runCli([], engine);
  assert.deepEqual([bare.exitCode, bare.stdout], [64, '']);
  assert.match(bare.stderr, /^Usage: throughline COMMAND/);
});

test('mistakes are named, with the nearest word', async () => {
  const cases: readonly (readonly [argv: readonly string[], message: RegExp])[] = [
    [['trase'], /TL3001 unknown command or option: trase; did you mean trace\?\n {2}→ see: /],
    [['--verison'], /TL3001 .*did you mean --version\?/],
    [['run', '--jsn'], /TL3001 .*--jsn; did you mean --json\?/],
    [['run', '-x'], /TL3001 unknown command or option: -x\n/],
    [['run', 'now'], /TL3001 unknown command or option: now\n/],
    [['help', 'xyzzy'], /TL3001 unknown command or option: xyzzy\n/],
    [['run', '--duration', '0'], /TL3002 .*--duration must be seconds/],
    [['run', '--verdict', 'BAD'], /TL3002 .*--verdict must be one of PROBED, SUSPICIOUS, BLOCKED, EXPLOITED/],
    [['trace', '--limit'], /TL3002 .*argument missing/],
    [['trace', '--pid', '-1'], /TL3002/],
    [['events', '--type', 'exec,dance'], /TL3002 .*not "dance"/],
    [['trace', '--path', 'api'], /TL3002 .*--path must begin with \/ or \*, such as \/api\//],
    [['trace', '--path', '/a?b'], /TL3002 .*leave out the query of "\/a\?b"/],
    [['trace', '--status', '6xx'], /TL3002 .*such as 404, a class such as 5xx, or none, not "6xx"/],
    [['trace', '--status', '200,,'], /TL3002 .*--status must not be empty/],
    [['trace', '--method', 'G T'], /TL3002 .*must be methods such as GET/],
    [['trace', '--has', 'exec', '--has', 'rm'], /TL3002 .*must be one of exec, open, write, connect, query/],
    [['trace', '--min-duration', 'long'], /TL3002 .*must be milliseconds, or like 250ms or 1\.5s/],
    [['run', '--container-runtime', '/run/docker.sock'], /TL3002 .*must be like docker:\/run\/docker.sock/],
    [['run', '--container-runtime', 'lxc:/run/x'], /TL3002 .*one of docker, podman, containerd, cri/],
    [['trace', '--container', 'a/b'], /TL3002 .*container's name or the beginning of its id/],
    [['replay', 'x', '--grade', 'sure'], /TL3002 .*must be one of exact, linked, matched, ambiguous/],
    [['record'], /TL3002 .*--output is required/],
    [['replay'], /TL3002 .*FILE is missing/],
    [['run\x1b[2J'], /TL3001 unknown command or option: run\\e\[2J\n/],
  ];
  for (const [argv, message] of cases) {
    const engine = new MadeUpEngine();
    const { exitCode, stdout, stderr } = await runCli(argv, engine);
    assert.match(stderr, message);
    assert.deepEqual([exitCode, stdout, engine.runs.length], [64, '', 0], argv.join(' '));
  }
});

test('run prints findings to stdout and notices to stderr', async () => {
  const engine = new MadeUpEngine([started, loss, exploited, probed]);
  const { exitCode, stdout, stderr } = await runCli(['run'], engine);
  assert.equal(exitCode, 0);
  assert.match(stdout, /^\nEXPLOITED {2}Command injection/);
  assert.match(stdout, /\n12:04:31\.260 {2}PROBED {2}/);
  assert.equal(
    stderr,
    `Throughline 0.1.0 observes this host, Linux 6.1.0-18
attached in 840 ms
  process: sched_process_exec
Findings appear here; Ctrl-C ends.
  every request and what it did:  throughline trace  (as root, in another terminal)
  see an attack:                  make demo
12:04:31.005  lost events: ring full 3
2.5 s: 1,204 events, 1 request, 1 finding, nothing lost
1,207 effects: 1,200 exact, 3 linked, 4 ambiguous, 1 disagreement
kernel side: truncated 2
attribution: unknown stamps 7
3,210 probe hits in OpenSSL (/usr/lib/libssl.so.3)
3 containers: 2 named, 1 failed
5 executables to hash: 2 hashed, 1 known before, 1 gone, 1 too large
`,
  );
  assert.deepEqual(engine.runs[0]?.wants, { findings: true, requests: false, events: false });
});

test('run --json prints JSON lines alone, losses among them', async () => {
  const engine = new MadeUpEngine([started, loss, exploited, probed]);
  const { stdout } = await runCli(
    ['run', '--json', '--verdict', 'suspicious', '--record', 'x.tlrec'],
    engine,
  );
  assert.deepEqual(jsonLines(stdout), [loss, JSON.parse(JSON.stringify(exploited))]);
  assert.equal(engine.runs[0]?.recordTo, 'x.tlrec');
});

test('which container runtimes are asked can be said, in every command that attaches', async () => {
  const docker = { kind: 'docker', path: '/tmp/d.sock' };
  const cri = { kind: 'cri', path: '/tmp/c:1.sock' };
  for (const command of [['run'], ['trace'], ['events'], ['record', '-o', 'x.tlrec']]) {
    const asked = async (...options: string[]) => {
      const engine = new MadeUpEngine([started]);
      assert.equal((await runCli([...command, ...options], engine)).exitCode, 0);
      return engine.runs[0]?.containerRuntimes;
    };
    assert.equal(await asked(), undefined);
    assert.deepEqual(await asked('--container-runtime', 'none'), []);
    const both = ['--container-runtime', 'docker:/tmp/d.sock', '--container-runtime', 'cri:/tmp/c:1.sock'];
    assert.deepEqual(await asked(...both), [docker, cri]);
  }
});

test('each family of probes can be switched off, in every command that attaches', async () => {
  for (const command of [['run'], ['trace'], ['record', '-o', 'x.tlrec']]) {
    const engine = new MadeUpEngine([started]);
    await runCli(command, engine);
    await runCli([...command, '--no-tls'], engine);
    await runCli([...command, '--no-runtime-probes', '--no-tls'], engine);
    assert.deepEqual(
      engine.runs.map(({ disabled }) => Object.keys(disabled ?? {})),
      [[], ['tls'], ['tls', 'runtime']],
    );
  }
});

test('--duration and --limit end a live run', async () => {
  const signal = new AbortController().signal;
  const timed = await runCli(['record', '-o', 'x.tlrec', '--duration', '0.01'], new MadeUpEngine([started]), {
    signal,
  });
  assert.equal(timed.exitCode, 0);
  assert.match(timed.stderr, /2 KiB recorded; see it again: throughline replay x\.tlrec\n$/);
  const engine = new MadeUpEngine([started, traced, traced, traced]);
  const limited = await runCli(['trace', '--json', '-n', '2'], engine, { signal });
  assert.equal(jsonLines(limited.stdout).length, 2);
});

test('trace asks the engine for the requests that are wanted, and prints what comes', async () => {
  const late = lateEffectView(request, sampleStory()[8]!, sampleContext);
  const engine = new MadeUpEngine([started, traced, late]);
  const options = ['--path', '/pi', '--method', 'get,POST', '--status', '404,5xx', '--status', 'none'];
  const more = ['--has', 'exec', '--has', 'write', '--min-duration', '1.5s', '--grade', 'matched'];
  const { stdout } = await runCli(['trace', '--json', ...options, ...more, '--pid', '7'], engine);
  assert.deepEqual(
    jsonLines(stdout).map(({ kind }) => kind),
    ['request', 'effect'],
  );
  assert.deepEqual(engine.runs[0]?.filter, {
    path: '/pi',
    methods: ['GET', 'POST'],
    statuses: [{ from: 404, to: 404 }, { from: 500, to: 599 }, 'none'],
    pid: 7,
    container: null,
    has: ['exec', 'write'],
    minDurationMs: 1500,
    grades: ['matched'],
  });
  const all = new MadeUpEngine();
  await runCli(['trace'], all);
  assert.equal(all.runs[0]?.filter, undefined);
});

test('trace: trees, then what came late, then the totals', async () => {
  const program = new SampleProgram(sampleProcess({ pid: 7, parentPid: 4211 }), exactly(request));
  const late = lateEffectView(request, program.exec(['mail'], '/usr/bin/mail'), sampleContext);
  const { stdout, stderr } = await runCli(['trace'], new MadeUpEngine([started, traced, late]));
  assert.match(
    stdout,
    /^12:04:31\.207 {2}GET \/ping[^]*\n12:04:31\.\d{3} {2}later GET \/ping\?host=127\.0\.0\.1;id \(r-7f3a-12\)\n└─ mail {2}pid 7, as www-data\n$/,
  );
  assert.match(
    stderr,
    /\nshown: 1 request, 19 effects \(19 exact\)\nslowest: +43 ms {2}GET \/ping\?host=127\.0\.0\.1;id \(r-7f3a-12\)\n2\.5 s: /,
  );
});

test('trace --summary: one table at the end, or its rows as JSON', async () => {
  const engine = () => new MadeUpEngine([started, traced, { ...traced, id: 'r-2' }]);
  const table = await runCli(['trace', '--summary'], engine());
  assert.equal(
    table.stdout,
    `route      requests  failed    p50    p99  execs  files  connects  queries  exact
GET /ping         2       -  42 ms  42 ms      6     10         2        -  100 %
`,
  );
  assert.match(table.stderr, /\nRequests are counted; Ctrl-C ends and prints the table\.\n/);
  const rows = jsonLines((await runCli(['trace', '--summary', '--json'], engine())).stdout);
  assert.deepEqual(
    rows.map(({ kind, route, requests }) => [kind, route, requests]),
    [['route', '/ping', 2]],
  );
  assert.equal(
    (await runCli(['trace', '--summary'], new MadeUpEngine([started]))).stdout,
    'no request was seen\n',
  );
});

test('replay needs no end from outside and shows what is asked', async () => {
  const replayed: EngineMessage = { ...started, source: 'recording', attached: [] };
  const engine = new MadeUpEngine([replayed, traced, exploited]);
  const { exitCode, stdout, stderr } = await runCli(['replay', 'x.tlrec', '--trace'], engine, {
    signal: new AbortController().signal,
  });
  assert.equal(exitCode, 0);
  assert.match(stdout, /^12:04:31\.207 {2}GET \/ping/);
  assert.match(stdout, /EXPLOITED/);
  assert.match(
    stderr,
    /^Throughline 0\.1\.0 replays a recording of Linux 6\.1\.0-18\nshown: 1 request.*\nslowest: .*\n2\.5 s: /,
  );
  assert.deepEqual(engine.runs[0]?.source, { kind: 'recording', file: 'x.tlrec' });
  assert.deepEqual(engine.runs[0]?.wants, { findings: true, requests: true, events: false });
});

test('errors of the engine: two lines, JSON where asked, exit code of the catalogue', async () => {
  const engine = new MadeUpEngine();
  engine.failure = new ThroughlineError('TL1007', 'sensor file\nR1 invalid mem access\x1b[2J');
  const { exitCode, stderr } = await runCli(['run', '--json'], engine);
  assert.equal(exitCode, 70);
  const [log, message, hint, json = ''] = stderr.split('\n');
  assert.equal(log, String.raw`R1 invalid mem access\e[2J`);
  assert.equal(message, 'throughline: TL1007 the kernel refused a BPF program: sensor file');
  assert.match(hint ?? '', /^ {2}→ run "throughline doctor"/);
  assert.deepEqual(Object.keys(JSON.parse(json) as object), ['kind', 'code', 'message', 'hint']);
});

test('anything else that is thrown is a bug, with its stack', async () => {
  const engine = new MadeUpEngine();
  engine.failure = new TypeError('x is not a function');
  const { exitCode, stderr } = await runCli(['run'], engine);
  assert.equal(exitCode, 70);
  assert.match(stderr, /^TypeError: x is not a function\n +at /);
  assert.match(stderr, /throughline: TL9001 internal error: x is not a function\n/);
});

test('a reader that goes away ends it quietly', async () => {
  let writes = 0;
  const stdout = () => {
    writes++;
    throw Object.assign(new Error('write EPIPE'), { code: 'EPIPE' });
  };
  const engine = new MadeUpEngine([started, traced, traced]);
  const { exitCode, stderr } = await runCli(['trace'], engine, {
    stdout,
    signal: new AbortController().signal,
  });
  assert.deepEqual([exitCode, writes], [0, 1]);
  assert.ok(!stderr.includes('EPIPE') && !stderr.includes('2.5 s'));
});

test('the progress line makes way for everything else', async () => {
  const progress: EngineMessage = { kind: 'progress', events: 5, recordedBytes: 0, position: 0.5 };
  const engine = new MadeUpEngine([progress, exploited]);
  const isTty = { stdout: true, stderr: true };
  let screen = '';
  const write = (text: string) => void (screen += text);
  await runCli(['replay', 'x', '--json'], engine, { isTty, stdout: write, stderr: write });
  assert.ok(screen.startsWith('50 %, 5 events\r\x1b[K{"kind":"finding"'));
});

test('doctor: sections for people, the report for programs, exit code for scripts', async () => {
  const problems = [{ code: 'TL1002', message: 'no BTF', hint: 'another kernel' }];
  const bad = await runCli(['doctor'], new MadeUpEngine([], { ok: false, problems }));
  assert.equal(bad.exitCode, 1);
  assert.equal(
    bad.stdout,
    `Versions
  throughline  0.1.0
  kernel       6.1.0-18 x86_64
  node         24.0.0
  libbpf       1.1.0

Kernel features
  ring buffer  ✓ supported
  fentry       ✗ unsupported   needs Linux 5.5
  LSM          ? inconclusive  not root

Attach plan
  process  tracepoints  stable
             weaker: scripts are not told apart
             sched_process_exec
             sched_process_exit
  file     not attached  no alternative fits

Containers by cgroup
  hierarchy  unified (v2)  none of version 1 is mounted

Container runtimes
  docker  ✓ Docker 20.10.24  /run/docker.sock
  cri     ✗ cannot be asked (ECONNREFUSED)  /run/crio/crio.sock

Losses
  trial attach  none

Problems
  TL1002 no BTF
    → another kernel

Throughline cannot run here.
`,
  );
  const good = await runCli(['doctor', '--json'], new MadeUpEngine());
  assert.equal(good.exitCode, 0);
  assert.equal(jsonLines(good.stdout)[0]?.['kind'], 'doctor');
});
