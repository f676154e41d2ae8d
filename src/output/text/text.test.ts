import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { makeDetails } from '../../model/testing.ts';
import { eventView } from '../event-view.ts';
import { findingView } from '../finding-view.ts';
import { lateEffectView, orphanView, requestView } from '../request-view.ts';
import {
  exactly,
  sampleContext,
  sampleFinding,
  SampleProgram,
  sampleProcess,
  sampleRequest,
  sampleStory,
} from '../sample-story.ts';
import { eventText } from './event-text.ts';
import { findingText } from './finding-text.ts';
import { requestTreeText } from './request-text.ts';
import { createTerminal, type Terminal } from './terminal.ts';
import { TraceView, type TraceMessage } from './trace-view.ts';

const plain = createTerminal({
  isTty: false,
  columns: null,
  variables: { LANG: 'C.UTF-8' },
  timeZone: 'UTC',
});
const ascii = createTerminal({ isTty: false, columns: null, variables: {}, timeZone: 'UTC' });
const colored = createTerminal({
  isTty: true,
  columns: 160,
  variables: { LANG: 'C.UTF-8', TERM: 'xterm' },
  timeZone: 'UTC',
});

function traced(terminal: Terminal, ...messages: readonly TraceMessage[]): string {
  const view = new TraceView(terminal, { showsAll: true });
  return messages.map((message) => view.add(message)).join('') + view.end();
}

/** What no output may hold, whatever the input was: everything but printable characters and line feeds. */
// oxlint-disable-next-line no-control-regex
const RAW_CONTROL = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069]/;
const HOSTILE = '/\x1b[2J\x1b]0;owned\x07\r\n/fake line\u009b31m\u202e';

test('the story of a command injection', () => {
  assert.equal(
    findingText(findingView(sampleFinding(), sampleContext), plain),
    `
EXPLOITED  Command injection: the parameter host ran id  critical, 12:04:31.260

  request      GET /ping?host=127.0.0.1;id
               from 203.0.113.9:51944, answered 200 after 43 ms
  service      node[4211]  shop.service  (/usr/bin/node)
  evidence     query parameter host stands in argv[2] of sh[5120]
               ping -c 1 127.0.0.1;id
                         ^^^^^^^^^^^^
               runs \`id\` after a command separator
  what it did  node[4211]
               └─ /bin/sh -c 'ping -c 1 127.0.0.1;id' (/usr/bin/dash)  pid 5120, as www-data, 17 ms, exit 0  + 2 routine effects
                  ├─ ping -c 1 127.0.0.1  pid 5121, 4 ms, exit 0  + 2 routine effects
                  │  └─ connect udp 127.0.0.1:1025
                  └─ id  pid 5122, 8 ms, exit 0  + 3 routine effects
                     ├─ open /etc/passwd
                     ├─ open /etc/group ×2
                     └─ open /etc/shadow  EACCES
  certainty    exact: the thread was serving this request and no other
  reference    command-injection, CWE-78, ATT&CK T1059.004, finding f-7f3a-3

`,
  );
});

test('colors change nothing but colors', () => {
  const view = findingView(sampleFinding(), sampleContext);
  const text = findingText(view, colored);
  assert.ok(text.includes('\x1b[1;31m127.0.0.1;id\x1b[22;39m'), 'the decisive bytes stand out');
  // oxlint-disable-next-line no-control-regex
  const bare = text.replace(/\x1b\[[\d;]*m/g, '').replace(' EXPLOITED ', 'EXPLOITED');
  assert.equal(bare, findingText(view, plain));
});

test('without UTF-8 everything is ASCII', () => {
  const request = sampleRequest({}, '/größe');
  const text = requestTreeText(
    requestView({ ...request, effects: sampleStory(request) }, sampleContext),
    ascii,
    {
      showsAll: false,
    },
  );
  assert.match(text, /^[\n\x20-\x7e]*$/);
  assert.ok(text.includes("`- /bin/sh -c 'ping -c 1 127.0.0.1;id'"));
});

test('PROBED is one line', () => {
  const finding = sampleFinding({ verdict: 'PROBED', effect: null, story: [] });
  assert.equal(
    findingText(findingView(finding, sampleContext), plain),
    '12:04:31.260  PROBED  Command injection: the parameter host ran id  GET /ping?host=127.0.0.1;id  200  from 203.0.113.9:51944 to node[4211]\n',
  );
});

test('the decisive file is shown even where a library lies', () => {
  const request = sampleRequest({}, '/download?name=/lib/x86_64-linux-gnu/libc.so.6');
  const server = new SampleProgram(request.process, exactly(request));
  const decisive = server.open('/lib/x86_64-linux-gnu/libc.so.6');
  const other = server.open('/lib/x86_64-linux-gnu/libm.so.6');
  const finding = sampleFinding({ request, effect: decisive, story: [decisive, other], evidence: [] });
  const text = findingText(findingView(finding, sampleContext), plain);
  assert.match(text, /├─ open \/lib\/x86_64-linux-gnu\/libc\.so\.6\n.*└─ \+ 1 routine effect\n/);
});

test('a finding without a proven request lists the candidates', () => {
  const request = sampleRequest();
  const attribution = {
    ...exactly(request),
    grade: 'ambiguous',
    request: null,
    reason: 'two in flight',
  } as const;
  const effect = new SampleProgram(sampleProcess({ pid: 9 }), attribution).exec(['id'], '/usr/bin/id');
  const finding = {
    ...sampleFinding(),
    verdict: 'SUSPICIOUS',
    request: null,
    effect,
    story: [],
    evidence: [],
  } as const;
  const text = findingText(findingView(finding, sampleContext), plain);
  assert.match(text, /request {6}one of r-7f3a-12\n/);
  assert.match(text, /what it did {2}└─ id {2}pid 9, as www-data \[ambiguous\]\n/);
  assert.match(text, /certainty {4}ambiguous: two in flight\n/);
});

test('the tree of a request: grades, failures, replaced programs, forks, privilege', () => {
  const request = sampleRequest({ status: 500, droppedEffects: 2 });
  const linked = { ...exactly(request), grade: 'linked' } as const;
  const server = new SampleProgram(request.process, exactly(request));
  const root = sampleProcess({ pid: 11, parentPid: 10, comm: 'sudo', uid: 0, userName: 'root' });
  const shell = new SampleProgram(sampleProcess({ pid: 10, parentPid: 4211 }), linked);
  const sudo = new SampleProgram(root, exactly(request));
  const fork = new SampleProgram(
    sampleProcess({ pid: 12, parentPid: 4211, comm: 'worker' }),
    exactly(request),
  );
  const effects = [
    server.open('/srv/app/orders.db', { isWrite: true }),
    server.open('/srv/app/missing', { error: 2 }),
    server.connect('::1', 5432, { family: 'ipv6', isInProgress: true }),
    server.connect('/run/mysqld.sock', 0, { family: 'unix', error: 111 }),
    shell.exec(['bash', '-c', "it's"], '/usr/bin/bash'),
    sudo.exec(['sudo', 'id'], '/usr/bin/sudo'),
    sudo.exit(137),
    shell.exec(['cat'], '/tmp/busybox'),
    shell.open('/etc/hostname'),
    shell.exit(3),
    fork.open('/tmp/out', { isWrite: true }),
    fork.exit(0),
  ];
  assert.equal(
    requestTreeText(requestView({ ...request, effects }, sampleContext), plain, { showsAll: false }),
    String.raw`12:04:31.207  GET /ping?host=127.0.0.1;id  500  43 ms  203.0.113.9:51944 → node[4211] shop.service  r-7f3a-12
├─ write /srv/app/orders.db
├─ open /srv/app/missing  ENOENT
├─ connect [::1]:5432  (in progress)
├─ connect unix:/run/mysqld.sock  ECONNREFUSED
├─ bash -c 'it'\''s'  pid 10, as www-data [linked]
│  ├─ sudo id  pid 11, as root, 1 ms, exit 137 (SIGKILL)
│  └─ cat (/tmp/busybox)  pid 10, 2 ms, exit 3 [linked]
│     └─ open /etc/hostname [linked]
└─ worker  pid 12, exit 0
   └─ write /tmp/out
  ! 2 more effects not kept
`,
  );
});

test('library files are shown on demand', () => {
  const request = sampleRequest();
  const view = requestView({ ...request, effects: sampleStory(request) }, sampleContext);
  const text = requestTreeText(view, plain, { showsAll: true });
  assert.ok(text.includes('open /usr/lib/x86_64-linux-gnu/libc.so.6'));
  assert.ok(!text.includes('routine effect'));
});

test('a flood of effects and a chain of a thousand shells stay bounded', () => {
  const request = sampleRequest();
  const server = new SampleProgram(request.process, exactly(request));
  const files = Array.from({ length: 1000 }, (_, index) => server.open(`/srv/${index}`));
  const chain = Array.from({ length: 1000 }, (_, index) => {
    const process = sampleProcess({ pid: 10_000 + index, parentPid: index === 0 ? 4211 : 9_999 + index });
    return new SampleProgram(process, exactly(request)).exec(['sh'], '/usr/bin/sh');
  });
  const lines = (effects: typeof files | typeof chain, showsAll: boolean) =>
    requestTreeText(requestView({ ...request, effects }, sampleContext), plain, { showsAll }).split('\n');
  const flood = lines(files, false);
  assert.equal(flood.length, 203);
  assert.equal(flood[201], '… 800 more lines; --json has everything');
  assert.ok(Math.max(...lines(chain, true).map((line) => line.length)) < 200);
});

test('what attackers choose never reaches a terminal raw', () => {
  const request = sampleRequest(
    { id: HOSTILE, process: sampleProcess({ comm: HOSTILE, executable: HOSTILE }) },
    HOSTILE,
  );
  const child = sampleProcess({
    pid: 6,
    parentPid: 4211,
    comm: HOSTILE,
    userName: HOSTILE,
    serviceUnit: HOSTILE,
  });
  const program = new SampleProgram(child, { ...exactly(request), reason: HOSTILE });
  const effects = [
    program.exec([HOSTILE, HOSTILE], HOSTILE, { path: HOSTILE }),
    program.open(HOSTILE, { error: 2 }),
    program.open(HOSTILE, { isWrite: true }),
    program.connect(HOSTILE, 0, { family: 'unix' }),
  ];
  const evidence = ['argv[1]', null].map((sink) => ({
    source: HOSTILE,
    value: HOSTILE,
    sink,
    sinkValue: sink && `x${HOSTILE}`,
    offset: sink === null ? -1 : 1,
    note: HOSTILE,
  }));
  const finding = {
    ...sampleFinding({ request, evidence, effect: effects[0] ?? null, story: effects }),
    title: HOSTILE,
  };
  const options = { showsAll: true };
  const header = {
    ...sampleHeader,
    kind: 'exec',
    comm: HOSTILE,
    path: HOSTILE,
    executable: HOSTILE,
  } as const;
  for (const terminal of [plain, ascii]) {
    const texts = [
      findingText(findingView(finding, sampleContext), terminal),
      findingText(findingView({ ...finding, verdict: 'PROBED' }, sampleContext), terminal),
      requestTreeText(requestView({ ...request, effects }, sampleContext), terminal, options),
      traced(terminal, ...effects.map((effect) => orphanView(effect, sampleContext))),
      traced(terminal, ...effects.map((effect) => lateEffectView(request, effect, sampleContext))),
      eventText(
        eventView({ ...header, workingDirectory: HOSTILE, argv: [HOSTILE] }, sampleContext),
        terminal,
      ),
    ];
    for (const text of texts) {
      assert.doesNotMatch(text, RAW_CONTROL);
      assert.ok(!text.split('\n').some((line) => line.startsWith('/fake')), 'no faked line');
    }
  }
});

const sampleHeader = {
  timeNs: 1e6,
  pid: 7,
  tid: 8,
  unit: 8,
  startTicks: 3,
  cgroupId: 4,
  cpu: 1,
  stampConnection: 9,
  stampSequence: 2,
  stampOrigin: 'process' as const,
  readyCount: 0,
  isTruncated: true,
  parentPid: 1,
  uid: 33,
  gid: 33,
  effectiveUid: 33,
  effectiveGid: 33,
  groups: [],
  inode: 1,
  device: 1,
  stdio: ['closed', 'pipe', 'pipe'] as ['closed', 'pipe', 'pipe'],
};

test('one line for an event', () => {
  const names = {
    comm: 'id',
    path: '/bin/id',
    executable: '/usr/bin/id',
    workingDirectory: '/',
    argv: ['id', '-u'],
  };
  assert.equal(
    eventText(eventView({ ...sampleHeader, kind: 'exec', ...names }, sampleContext), plain),
    '12:04:31.001  exec     7/8            /usr/bin/id: id -u  ppid=1 uid=33 cwd=/  <connection 9 message 2, process>  [cut]\n',
  );
});

test('what is remarkable about an executable stands behind it, in a finding and in a trace', () => {
  const request = sampleRequest();
  const child = sampleProcess({ pid: 5120, parentPid: 4211, parent: request.process, comm: 'x' });
  const exec = new SampleProgram(child, exactly(request)).exec(['x', '-a'], '/memfd:x', {
    details: makeDetails({ isMemoryFile: true, linkCount: 0, mode: 0o104777 }),
  });
  const finding = sampleFinding({ request, effect: exec, story: [exec] });
  assert.match(
    findingText(findingView(finding, sampleContext), plain),
    /x -a \(\/memfd:x\) \[memfd, setuid\]  pid 5120/,
  );
  const dropped = new SampleProgram(child, exactly(request)).exec(['x'], '/tmp/x', {
    details: makeDetails({ isUpperLayer: true, linkCount: 0 }),
  });
  const text = requestTreeText(requestView({ ...request, effects: [dropped] }, sampleContext), plain, {
    showsAll: false,
  });
  assert.match(text, /─ x \[deleted, upper layer\]  pid 5120/);
});

test('a finding about the host has neither request nor attribution', () => {
  const evidence = {
    source: 'container \x1b[2Jx',
    value: '4031',
    sink: null,
    sinkValue: null,
    offset: -1,
    note: '4,031 events lost in 120 ms: no room in the security ring',
  };
  const finding = sampleFinding({
    class: 'blind',
    title: 'Blind for 120 ms: 4,031 events lost (no room in the security ring)',
    verdict: 'SUSPICIOUS',
    severity: 'high',
    cwe: [],
    attack: ['T1562.006'],
    request: null,
    effect: null,
    story: [],
    evidence: [evidence],
  });
  assert.equal(
    findingText(findingView(finding, sampleContext), plain),
    String.raw`
SUSPICIOUS  Blind for 120 ms: 4,031 events lost (no room in the security ring)  high, 12:04:31.260

  evidence     container \e[2Jx: 4031
               4,031 events lost in 120 ms: no room in the security ring
  reference    blind, ATT&CK T1562.006, finding f-7f3a-3

`,
  );
});
