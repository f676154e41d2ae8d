import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import type { RuleTestReport } from '../../rules/test-report.ts';
import { RuleSource } from '../../rules/text.ts';
import { runRuleTests } from './run-tests.ts';

function rule(name: string, condition: string): string {
  return `- rule: ${name}\n  desc: d\n  condition: ${condition}\n  output: o\n  priority: NOTICE\n`;
}

function run(rules: string, tests: string): RuleTestReport {
  return runRuleTests([new RuleSource('r.yaml', rules)], [new RuleSource('t.yaml', tests)]);
}

const outcomes = ({ rules }: RuleTestReport) => rules.map(({ outcome }) => outcome);

/** Whether a condition is true of an event that is described so. */
function fires(condition: string, event: string): boolean {
  const report = run(
    rule('r', JSON.stringify(condition)),
    `- rule: r\n  fires:\n    - {${event}}\n  quiet: []\n`,
  );
  assert.deepEqual(report.errors, []);
  return report.rules[0]?.failures.length === 0;
}

test('a rule that does what its tests say passes; one without both kinds is untested', () => {
  const rules = rule('shell', 'evt.type = execve and proc.name = sh') + rule('alone', 'evt.type = execve');
  const report = run(
    rules,
    `- rule: shell
  fires:
    - run: sh -c id
  quiet:
    - run: ls
    - read: /etc/passwd
      by: sh
`,
  );
  assert.deepEqual(outcomes(report), ['passed', 'untested']);
  assert.deepEqual(report.errors, []);
});

test('a failure names the event, and what each part of the condition came to', () => {
  const report = run(
    rule('r', 'evt.type = execve and (proc.name = sh or proc.pname = "node\\x1b") and not user.name = root'),
    '- rule: r\n  fires:\n    - run: ls -l\n      user: root\n  quiet:\n    - run: sh\n      user: al\n',
  );
  assert.deepEqual(outcomes(report), ['failed']);
  const [first, second] = report.rules[0]?.failures ?? [];
  assert.deepEqual(
    [first?.expected, first?.file, first?.line, first?.event],
    ['fires', 't.yaml', 3, 'run ls -l'],
  );
  assert.deepEqual(first?.trace, [
    'false  all of',
    'false    any of',
    'false      proc.name = sh   (ls)',
    String.raw`false      proc.pname = "node\x1b"   (no value)`,
    'false    not',
    'true       user.name = root   (root)',
  ]);
  assert.equal(second?.expected, 'quiet');
  assert.deepEqual(second?.trace, [
    'true   all of',
    'true     evt.type = execve   (execve)',
    'true     any of',
    'true       proc.name = sh   (sh)',
    'true     not',
    'false      user.name = root   (al)',
  ]);
});

test('a rule whose events are not told waits, and is not called passed', () => {
  const report = run(
    rule('r', 'evt.type = acct'),
    '- rule: r\n  fires:\n    - query: HELO\n      protocol: smtp\n  quiet:\n    - run: ls\n',
  );
  assert.deepEqual(outcomes(report), ['waits']);
  assert.deepEqual([report.rules[0]?.untold, report.rules[0]?.waitsFor], [1, ['acct']]);
});

test('ordinary work makes no rule fire', () => {
  const report = run(
    rule('a', 'evt.type = execve and proc.aname = cron') +
      rule('b', 'evt.type = execve and proc.aname = apt'),
    '- ordinary: cron\n  under: cron\n  steps:\n    - run: ls\n    - read: /etc/passwd\n      by: ls\n',
  );
  assert.equal(report.ordinary[0]?.outcome, 'failed');
  assert.deepEqual(
    report.ordinary[0]?.failures.map((one) => [one.rule, one.line]),
    [['a', 4]],
  );
});

test('events are what the words say', () => {
  assert.ok(fires('proc.pname = node and proc.aname[2] = systemd', 'run: id, under: systemd > node'));
  assert.ok(
    fires('proc.name = exactlyfifteen_ and proc.exepath endswith teen_long', 'run: /x/exactlyfifteen_long'),
  );
  assert.ok(fires('proc.args = "-c a b" and proc.cmdnargs = 2', `run: sh -c "a b"`));
  assert.ok(fires('proc.exepath = /bin/busybox and proc.name = sh', 'run: sh, executable: /bin/busybox'));
  assert.ok(fires('proc.hash.sha256 = abcd', 'run: sh, sha256: abcd'));
  assert.ok(fires('proc.env[LD_PRELOAD] = /tmp/x.so', 'run: sh, env: { LD_PRELOAD: /tmp/x.so }'));
  assert.ok(
    fires('proc.aenv[LEVEL] = 2 and proc.env[X] = ""', 'run: sh, under: bash, env: { LEVEL: 2, X: "" }'),
  );
  assert.ok(!fires('proc.env[UNSET] exists or proc.hash.sha256 exists', 'run: sh, env: { LEVEL: 2 }'));
  assert.ok(fires('evt.is_open_write = true and evt.arg.flags contains O_TRUNC', 'write: /x, by: sh'));
  assert.ok(fires('evt.is_open_write = true and not evt.arg.flags contains O_TRUNC', 'append: /x, by: sh'));
  assert.ok(fires('evt.res = EACCES and fd.num = -1', 'read: /x, by: sh, error: EACCES'));
  assert.ok(
    fires(
      'fd.rip = 192.0.2.1 and fd.rport = 53 and fd.l4proto = udp',
      'connect: "192.0.2.1:53", transport: udp',
    ),
  );
  assert.ok(fires('fd.rip = "::1" and fd.typechar = 6', 'connect: "[::1]:53"'));
  assert.ok(fires('fd.name = /run/x and fd.typechar = u', 'connect: /run/x'));
  assert.ok(fires('evt.type = accept4 and fd.lport = 22', 'accept: "192.0.2.1:5 -> 10.0.0.5:22", by: sshd'));
  const accepted = 'end: "192.0.2.1:5 -> 10.0.0.5:22", bytes_in: "10", bytes_out: "2000", by: sshd';
  assert.ok(fires('evt.type = connection_end and fd.cip = 192.0.2.1 and fd.lport = 22', accepted));
  assert.ok(fires('flow.bytes_in = 10 and flow.bytes_out > 1999 and flow.direction = in', accepted));
  const asked = 'end: "192.0.2.1:53", transport: udp, by: node';
  assert.ok(fires('fd.rip = 192.0.2.1 and fd.l4proto = udp and flow.direction = out', asked));
  assert.ok(fires('proc.name = node and flow.bytes_in = 0 and not fd.lip exists', asked));
  assert.ok(
    fires('http.query[q] = "a b" and req.grade = exact', 'run: id, under: node, request: GET /x?q=a%20b'),
  );
  assert.ok(fires('http.header[x-a] = b and http.body = c', 'request: POST /, headers: {X-A: b}, body: c'));
  assert.ok(fires('evt.type = http_response and http.status = 404', 'request: GET /, status: "404"'));
  assert.ok(fires('db.operation = SELECT and db.error = 42601', 'query: select 1, error: "42601"'));
  assert.ok(fires('dns.name = a.example and dns.type = MX', 'lookup: a.example, type: MX'));
  assert.ok(fires('container.image = nginx:1 and container.id != host', 'run: id, container: "nginx:1"'));
  assert.ok(fires('proc.stdin.type = socket and user.uid = 33', 'run: sh, stdin: socket, user: www-data'));
  assert.ok(fires('evt.type = procexit and evt.arg.status = 3', 'exit: "3", by: sh'));
  assert.ok(!fires('req.id exists', 'run: id'));
});

test('what means nothing is an error with its place, and never throws', () => {
  const errors = (tests: string) =>
    run(rule('r', 'evt.type = execve'), tests).errors.map(({ line, message }) => `${line} ${message}`);
  const of = (event: string) => errors(`- rule: r\n  fires:\n    - {${event}}\n`);
  assert.deepEqual(of('rnu: ls'), ["3 unknown key 'rnu' in an event"]);
  assert.deepEqual(of('run: ls, read: /x'), ["3 'run' and 'read' in one event"]);
  assert.match(of('user: root')[0] ?? '', /^3 nothing happens: one of run, /);
  assert.deepEqual(of('connect: nowhere'), ["3 'nowhere' is no address with its port"]);
  assert.deepEqual(of('read: /x, error: EWRONG'), ["3 there is no error 'EWRONG'"]);
  assert.deepEqual(of('call: frobnicate'), ["3 no event tells the call 'frobnicate'"]);
  assert.deepEqual(of('call: ptrace, args: {wrong: 1}'), ["3 the call 'ptrace' has no argument 'wrong'"]);
  assert.deepEqual(of('exit: x'), ["3 'x' is no number"]);
  assert.deepEqual(errors('- rule: other\n  fires: []\n'), ["1 there is no rule 'other' to test"]);
  assert.deepEqual(errors('x: y\n'), ['1 a file of tests must be a list']);
  assert.equal(errors('- [').length > 0, true);
  assert.deepEqual(errors('- rule: r\n  fires:\n    - ls\n'), ['3 an event must have keys']);
  assert.deepEqual(errors('- x\n'), ['1 an item must have keys']);
});

const COUNT = `${rule('r', 'evt.type = connect')}  count: { more_than: 4, within: 10s, by: proc.id, distinct: fd.sport }\n`;

function failuresOf(rules: string, tests: string): readonly (readonly [expected: string, line: number])[] {
  const report = run(rules, tests);
  assert.deepEqual(report.errors, []);
  return report.rules.flatMap(({ failures }) =>
    failures.map(({ expected, line }) => [expected, line] as const),
  );
}

test('events of a case may repeat, one behind the other in time, and begin with nothing before', () => {
  const scan = (more: string) => `{ by: scanner, connect: '10.0.0.5:{n}', ${more} }`;
  assert.deepEqual(
    failuresOf(
      COUNT,
      `- rule: r
  fires:
    - ${scan('times: 5')}
    - ${scan('times: 5, after: 2s')}
    - ${scan('times: 5, after: 3s')}
    - ${scan('times: 4')}
  quiet:
    - ${scan('times: 4')}
    - ${scan('times: 4')}
    - ${scan('times: 50, after: 3s')}
    - steps:
        - ${scan('times: 3')}
        - ${scan('times: 3, pid: 77')}
    - ${scan('times: 5')}
`,
    ),
    [
      ['fires', 5],
      ['fires', 6],
      ['quiet', 14],
    ],
  );
});

test('requests of a case have ids and clients', () => {
  const joined = (field: string) =>
    rule('r', '').replace('  condition: \n', '') +
    `  sequence: [evt.type = http_request, evt.type = http_response]\n  within: 1s\n  by: ${field}\n`;
  const steps = (key: string, second: string) =>
    `{ request: GET /, steps: [{ ${key} }, { status: 200, ${second} }] }`;
  for (const [field, key, other] of [
    ['req.id', 'request_id: a', 'request_id: b'],
    ['http.client_ip', 'client: 192.0.2.1', 'client: 192.0.2.2'],
  ] as const) {
    const tests = `- rule: r\n  fires: [${steps(key, key)}]\n  quiet: [${steps(key, other)}]\n`;
    assert.deepEqual(failuresOf(joined(field), tests), []);
  }
});

test('what is wrong with times is told', () => {
  for (const [key, message] of [
    ['after: soon', /'soon' is no time/],
    ['times: 0', /'times' must be a number/],
    ['pid: x', /'x' is no number/],
  ] as const) {
    const { errors } = run(COUNT, `- rule: r\n  fires: [{ run: ls, ${key} }]\n  quiet: []\n`);
    assert.match(errors.map((error) => error.message).join(), message);
  }
});
