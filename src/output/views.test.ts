import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { byteStringFromText, bytesOf } from '../base/bytes.ts';
import type { EventHeader, ExecEvent } from '../model/event.ts';
import type { ExecDetails } from '../model/exec-details.ts';
import { makeDetails, makeHeader } from '../model/testing.ts';
import { effectView } from './effect-view.ts';
import { eventView } from './event-view.ts';
import { findingView } from './finding-view.ts';
import { jsonLine } from './json.ts';
import { processView } from './process-view.ts';
import { lateEffectView, lossView, orphanView, requestView } from './request-view.ts';
import {
  exactly,
  sampleContext,
  sampleFinding,
  SampleProgram,
  sampleProcess,
  sampleRequest,
  sampleStory,
} from './sample-story.ts';

test('a request and its effects', () => {
  const request = sampleRequest();
  const view = requestView({ ...request, effects: sampleStory(request) }, sampleContext);
  const { effects, ...summary } = view;
  assert.deepEqual(summary, {
    kind: 'request',
    id: 'r-7f3a-12',
    method: 'GET',
    target: '/ping?host=127.0.0.1;id',
    client: { ip: '203.0.113.9', port: 51944 },
    forwardedFor: null,
    server: {
      pid: 4211,
      exe: '/usr/bin/node',
      comm: 'node',
      container: null,
      unit: 'shop.service',
      address: '10.0.0.5',
      port: 8080,
    },
    status: 200,
    startedAt: '2025-01-02T12:04:31.207Z',
    durationMs: 42.5,
    droppedEffects: 0,
    anomalies: [],
    truncated: false,
  });
  const [exec] = effects;
  assert.equal(exec?.type, 'exec');
  assert.equal(exec?.ppid, 4211);
  assert.equal(exec?.comm, 'sh');
  assert.equal(exec?.type === 'exec' && exec.user, 'www-data');
  assert.deepEqual(structuredClone(view), view);
  assert.ok(!JSON.stringify(view).includes('top-secret'), 'no header is part of a view');
});

test('numbers become names', () => {
  const program = new SampleProgram(sampleProcess(), exactly(sampleRequest()));
  const failed = effectView(program.open('/x', { flags: 0o101101, isWrite: true, error: 2 }), sampleContext);
  assert.ok(failed.type === 'open');
  assert.equal(failed.error, 'ENOENT');
  assert.deepEqual(failed.flags, ['O_WRONLY', 'O_CREAT', 'O_TRUNC']);
  const connect = effectView(program.connect('10.0.0.1', 80, { isInProgress: true }), sampleContext);
  assert.ok(connect.type === 'connect');
  assert.deepEqual([connect.error, connect.inProgress], [null, true]);
});

test('flags follow the architecture of the captured host', () => {
  const program = new SampleProgram(sampleProcess(), exactly(sampleRequest()));
  const directory = program.open('/x', { flags: 0o40000 });
  const flags = (architecture: string) => {
    const view = effectView(directory, { ...sampleContext, architecture });
    return view.type === 'open' ? view.flags : [];
  };
  assert.deepEqual(flags('x64'), ['O_RDONLY', 'O_DIRECT']);
  assert.deepEqual(flags('aarch64'), ['O_RDONLY', 'O_DIRECTORY']);
});

test('ancestors and their arguments are bounded', () => {
  let process = sampleProcess({ pid: 1, argv: Array.from({ length: 500 }, String) });
  for (let pid = 2; pid < 100; pid++) process = sampleProcess({ ...process, pid, parent: process });
  const view = processView(process, sampleContext);
  assert.equal(view.ancestors.length, 16);
  assert.equal(view.ancestors[0]?.pid, 98);
  assert.equal(view.argv.length, 64);
});

test('a finding names the process as it was at the decisive exec', () => {
  const finding = sampleFinding();
  const view = findingView(finding, sampleContext);
  assert.equal(view.process?.exe, '/usr/bin/dash');
  assert.deepEqual(view.process?.argv, ['/bin/sh', '-c', 'ping -c 1 127.0.0.1;id']);
  assert.deepEqual(
    view.process?.ancestors.map(({ comm }) => comm),
    ['node', 'systemd'],
  );
  assert.deepEqual(view.attribution.candidates, ['r-7f3a-12']);
  assert.ok(view.request !== null && !('effects' in view.request));
  assert.equal(view.story.length, finding.story.length);
});

test('evidence offsets count characters of the text, not bytes', () => {
  const sinkValue = byteStringFromText('echo größe;id # ü');
  const value = byteStringFromText('größe;id');
  const [evidence] = sampleFinding().evidence;
  assert.ok(evidence);
  const view = findingView(
    sampleFinding({ evidence: [{ ...evidence, value, sinkValue, offset: sinkValue.indexOf(value) }] }),
    sampleContext,
  );
  const [one] = view.evidence;
  assert.ok(one?.sinkValue);
  assert.equal(one.sinkValue.slice(one.offset, one.offset + one.length), 'größe;id');
});

test('a PROBED finding without effect', () => {
  const view = findingView(sampleFinding({ verdict: 'PROBED', effect: null, story: [] }), sampleContext);
  assert.equal(view.effect, null);
  assert.equal(view.process?.pid, 4211);
  assert.equal(view.attribution.grade, 'exact');
  const bare = findingView({ ...sampleFinding(), effect: null, request: null }, sampleContext);
  assert.deepEqual([bare.request, bare.process, bare.attribution.grade], [null, null, 'none']);
});

test('secrets are masked by name, unless they carried the attack', () => {
  const target = '/login?user=bob&password=hunter2&api_key=k&x=1';
  assert.equal(
    requestView(sampleRequest({}, target), sampleContext).target,
    '/login?user=bob&password=***&api_key=***&x=1',
  );
  const evidence = { source: 'query parameter password', value: 'hunter2', offset: 0, note: '' };
  const sink = { sink: 'argv[2]', sinkValue: 'hunter2' };
  const finding = (one: typeof sink | { sink: null; sinkValue: null }) =>
    findingView(
      sampleFinding({ request: sampleRequest({}, target), evidence: [{ ...evidence, ...one }] }),
      sampleContext,
    );
  const decisive = finding(sink);
  assert.equal(decisive.request?.target, '/login?user=bob&password=hunter2&api_key=***&x=1');
  assert.equal(decisive.evidence[0]?.value, 'hunter2');
  const probed = finding({ sink: null, sinkValue: null });
  assert.ok(!JSON.stringify(probed).includes('hunter2'));
});

test('orphans, late effects and losses', () => {
  const request = sampleRequest();
  const process = sampleProcess({ containerId: 'c0ffee' });
  const ambiguous = { ...exactly(request), grade: 'ambiguous', request: null } as const;
  const open = new SampleProgram(process, ambiguous).open('/etc/passwd');
  const orphan = orphanView(open, sampleContext);
  assert.deepEqual(
    [orphan.kind, orphan.candidates, orphan.process.container?.id],
    ['orphan', ['r-7f3a-12'], 'c0ffee'],
  );
  assert.equal(lateEffectView(request, open, sampleContext).request, 'r-7f3a-12');
  assert.deepEqual(lossView({ timeNs: 5e6, reasons: { full: 3 } }, sampleContext), {
    kind: 'loss',
    time: '2025-01-02T12:04:31.005Z',
    reasons: { full: 3 },
  });
});

const header: EventHeader = {
  timeNs: 1e6,
  pid: 7,
  tid: 8,
  unit: 8,
  startTicks: 3,
  cgroupId: 4,
  cpu: 1,
  stampConnection: 0,
  stampSequence: 0,
  stampOrigin: 'none',
  readyCount: 0,
  isTruncated: false,
};

test('the preview of traffic holds no credentials and no control characters', () => {
  const head =
    'GET /x?token=abc&y=1 HTTP/1.1\r\nHost: h\r\nAuthorization: Basic Zm9v\r\nCookie: a=b\r\nX-Api-Key: k9\r\n\r\n\x1b[2J';
  const bytes = bytesOf(head);
  const view = eventView(
    {
      ...header,
      kind: 'payload',
      connection: 1,
      sequence: 1,
      direction: 'in',
      streamOffset: 0,
      length: 900,
      bytes,
    },
    sampleContext,
  );
  assert.ok(view.type === 'payload');
  assert.deepEqual([view.captured, view.length, view.stamp], [head.length, 900, null]);
  assert.equal(
    view.preview,
    String.raw`GET /x?token=***&y=1 HTTP/1.1\r\nHost: h\r\nAuthorization: ***\r\nCookie: ***\r\nX-Api-Key: ***\r\n\r\n\e[2J`,
  );
});

test('addresses of events are text', () => {
  const localAddress = '\x20\x01\x0d\xb8' + '\0'.repeat(11) + '\x01';
  const accept = eventView(
    {
      ...header,
      stampOrigin: 'read',
      readyCount: 0,
      stampConnection: 9,
      stampSequence: 2,
      kind: 'accept',
      connection: 9,
      family: 'ipv6',
      localAddress,
      localPort: 80,
      remoteAddress: '\0'.repeat(15) + '\x01',
      remotePort: 5,
      isAdopted: false,
    },
    sampleContext,
  );
  assert.ok(accept.type === 'accept');
  assert.deepEqual([accept.client.ip, accept.server.ip], ['::1', '2001:db8::1']);
  assert.deepEqual(accept.stamp, { connection: 9, sequence: 2, origin: 'read' });
});

test('a line of JSON is harmless on a terminal and the same to a parser', () => {
  const value = { path: '\x1b[2J\u009b\u202e\u2028 ü' };
  const line = jsonLine(value);
  assert.equal(line, String.raw`{"path":"\u001b[2J\u009b\u202e\u2028 ü"}` + '\n');
  assert.deepEqual(JSON.parse(line), value);
});

test('what is remarkable about the executable stands with the effect and with the process of the finding', () => {
  const request = sampleRequest();
  const process = sampleProcess({ pid: 9, details: makeDetails({ isUpperLayer: true }) });
  const effect = new SampleProgram(process, exactly(request)).exec(['x'], '/memfd:x', {
    details: makeDetails({ isMemoryFile: true, linkCount: 0 }),
  });
  const view = findingView(sampleFinding({ effect, story: [effect] }), sampleContext);
  assert.deepEqual(view.effect?.type === 'exec' && view.effect.traits, ['memfd']);
  assert.deepEqual(view.process?.traits, ['memfd'], 'of that exec, not of what the process became');
  const opened = new SampleProgram(process, exactly(request)).open('/etc/passwd');
  assert.deepEqual(findingView(sampleFinding({ effect: opened }), sampleContext).process?.traits, [
    'upper-layer',
  ]);
});

test('the details of an exec, as people know them', () => {
  const event: ExecEvent = {
    ...makeHeader(9),
    kind: 'exec',
    parentPid: 1,
    uid: 0,
    gid: 0,
    effectiveUid: 0,
    effectiveGid: 0,
    groups: [],
    inode: 1,
    device: 1,
    stdio: ['device', 'device', 'device'],
    comm: 'x',
    path: '/x',
    executable: '/x',
    workingDirectory: '/',
    argv: ['x'],
  };
  const detailsOf = (details: ExecDetails | null) => {
    const view = eventView({ ...event, details }, sampleContext);
    return view.type === 'exec' ? view.details : undefined;
  };
  assert.equal(detailsOf(null), null);
  assert.deepEqual(
    detailsOf(
      makeDetails({
        mode: 0o104755,
        interpreter: '/bin/b\xc3\xa4sh',
        terminal: 'pts3',
        loginUid: 1000,
        seccompMode: 2,
        fileSystem: 0x1234,
        capabilities: { effective: 0x1ff_ffff_ffff, permitted: 1, inheritable: 0 },
      }),
    ),
    {
      file: {
        mode: '4755',
        uid: 0,
        gid: 0,
        links: 1,
        changedAt: '2023-11-14T22:13:20.250Z',
        modifiedAt: '2020-09-13T12:26:40.125Z',
        fileSystem: '0x1234',
      },
      traits: ['setuid'],
      interpreter: '/bin/bäsh',
      suid: 0,
      sgid: 0,
      loginUid: 1000,
      session: 1,
      processGroup: 1,
      terminal: 'pts3',
      capabilities: {
        effective: '000001ffffffffff',
        permitted: '0000000000000001',
        inheritable: '0000000000000000',
      },
      noNewPrivileges: false,
      seccomp: 'filter',
      namespaces: { cgroup: 1, ipc: 2, mount: 3, network: 4, pid: 5, user: 6, uts: 7 },
    },
  );
});
