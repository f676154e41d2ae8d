import { strict as assert } from 'node:assert';
import { describe, test } from 'node:test';
import type { Process } from '../model/process.ts';
import type { RuleEvent } from './event.ts';
import { UNTOLD_NUMBER } from './event.ts';
import {
  isTrue,
  load,
  makeConnection,
  makeEvent,
  makeProcess,
  makeRequest,
  problemsOf,
  ruleText,
} from './testing.ts';

/** What each operator means, to the letter: where other implementations of the language went wrong. */

type Cases = readonly (readonly [condition: string, isTrue: boolean])[];

function check(event: RuleEvent, cases: Cases): void {
  for (const [condition, expected] of cases) assert.equal(isTrue(condition, event), expected, condition);
}

const errorsOf = (condition: string) => problemsOf(load(ruleText(condition))).join();
const withProcess = (changes: Partial<Process>) => makeEvent({ process: makeProcess(changes) });
const withExe = (executable: string) => withProcess({ executable });

describe('a field without a value', () => {
  const event = makeEvent({ process: makeProcess({ comm: '', userName: null }) });

  test('makes every operator false, != too', () => {
    const operators = [
      '= x',
      '!= x',
      'contains x',
      'startswith x',
      'endswith x',
      'glob *',
      'iglob *',
      'icontains x',
    ];
    const more = [
      'regex .*',
      'in (x)',
      'intersects (x)',
      'pmatch (/)',
      'exists',
      '!= anyof (x)',
      'startswith ""',
    ];
    for (const operator of [...operators, ...more, '= val(user.name)', '!= val(proc.exe)', '< 5', '>= 0'])
      assert.equal(isTrue(`user.name ${operator}`, event), false, operator);
    check(makeEvent({ result: null }), [
      ['evt.rawres = 0', false],
      ['evt.rawres != 0', false],
      ['evt.rawres < 5', false],
      ['evt.rawres in (0, 1)', false],
      ['evt.failed = false', false],
      ['evt.failed != true', false],
    ]);
  });

  test('so that "not a = b" is not "a != b"', () => {
    check(event, [
      ['not user.name = x', true],
      ['user.name != x', false],
      ['not user.name exists', true],
      ['not user.name in (x)', true],
    ]);
  });

  test('an empty value is a value', () => {
    check(withProcess({ argv: ['cat'] }), [
      ['proc.args exists', true],
      ['proc.args = ""', true],
      ['proc.args != x', true],
    ]);
  });

  test('without a process there is no field of it', () => {
    check(makeEvent({ process: null }), [
      ['proc.name exists', false],
      ['proc.name != x', false],
      ['proc.aname != x', false],
      ['container.id != host', false],
      ['user.uid >= 0', false],
      ['not proc.pname exists', true],
    ]);
  });
});

describe('texts', () => {
  test('= and == are the same, in and intersects of one value too', () => {
    check(makeEvent(), [
      ['proc.name = cat', true],
      ['proc.name == cat', true],
      ['proc.name = Cat', false],
      ['proc.name != dog', true],
      ['proc.name in (dog, cat)', true],
      ['proc.name intersects (dog, cat)', true],
      ['proc.name in ()', false],
      ['not proc.name in ()', true],
    ]);
  });

  test('contains, startswith, endswith; icontains in any case', () => {
    check(withProcess({ argv: ['cat', '--File=/Etc/Passwd'] }), [
      ['proc.args contains /Etc/', true],
      ['proc.args contains /etc/', false],
      ['proc.args icontains /etc/pass', true],
      ['proc.args startswith --File', true],
      ['proc.args endswith Passwd', true],
      ['proc.args endswith passwd', false],
      ['proc.cmdline = "cat --File=/Etc/Passwd"', true],
    ]);
  });

  test('glob: a star crosses slashes and leading dots', () => {
    check(withExe('/home/al/.ssh/id_rsa'), [
      ['proc.exepath glob /home/*/id_rsa', true],
      ['proc.exepath glob /home/*', true],
      ['proc.exepath glob *ssh*', true],
      ['proc.exepath glob /home/??/.ssh/id_[a-z]sa', true],
      ['proc.exepath glob /home/??/.ssh/id_[!r]sa', false],
      ['proc.exepath glob /home/??/.ssh/id_[^r]sa', false],
      ['proc.exepath glob /home', false],
      ['proc.exepath glob /HOME/*', false],
      ['proc.exepath iglob /HOME/*/ID_RSA', true],
      ['proc.exepath iglob */ID_[R]SA', true],
    ]);
    check(withExe('/a*b[c'), [
      [String.raw`proc.exepath glob "/a\\*b[c"`, true],
      [String.raw`proc.exepath glob "/a\\*x[c"`, false],
      ['proc.exepath glob "/a[[:punct:]]b[[]c"', true],
    ]);
    check(withExe('/axb'), [[String.raw`proc.exepath glob "/a\\*b"`, false]]);
  });

  test('regex is RE2, and the whole value', () => {
    check(withExe('/usr/bin/python3.11'), [
      ['proc.exepath regex python', false],
      ['proc.exepath regex .*python.*', true],
      [String.raw`proc.exepath regex "/usr/bin/python[0-9.]+"`, true],
      [String.raw`proc.exepath regex "/usr/bin/(python|perl)[0-9]"`, false],
      [String.raw`proc.exepath regex "(?i)/USR/.*"`, true],
      [String.raw`proc.exepath regex "/usr/bin/python3\\.1{2}"`, true],
      [String.raw`proc.exepath regex "/usrx?/.*"`, true],
      [String.raw`proc.exepath regex "/opt/.*|/usr/.*"`, true],
    ]);
    assert.match(errorsOf('proc.exepath regex "(x"'), /^a\.yaml:4:24 value no regular expression: /);
    assert.match(errorsOf(String.raw`proc.exepath regex "(x)\\1"`), /no regular expression/);
    assert.match(errorsOf('proc.exepath regex "x(?=y)"'), /no regular expression/);
  });

  test('regex takes time that grows with the value alone', () => {
    const event = withExe('a'.repeat(5000));
    const start = performance.now();
    assert.equal(isTrue('proc.exepath regex "(a*)*(a|aa)*b"', event), false);
    assert.ok(performance.now() - start < 2000);
  });

  test('pmatch compares components of paths', () => {
    check(withExe('/var/run/docker'), [
      ['proc.exepath pmatch (/var/run)', true],
      ['proc.exepath pmatch (/var/run/)', true],
      ['proc.exepath pmatch (/var/r)', false],
      ['proc.exepath pmatch (/var/run/docker)', true],
      ['proc.exepath pmatch (/var/run/docker/x)', false],
      ['proc.exepath pmatch (/etc, /var)', true],
      ['proc.exepath pmatch (/)', true],
      ['proc.exepath pmatch (/*/run)', true],
      ['proc.exepath pmatch (/v?r/doc*)', false],
      ['proc.exepath pmatch ()', false],
    ]);
    check(withExe('/var//run/docker/'), [['proc.exepath pmatch (/var/run/docker)', true]]);
  });

  test('< and > compare bytes', () => {
    check(withProcess({ comm: 'Z\xff' }), [
      ['proc.name < val(proc.exe)', true],
      ['proc.name > val(proc.exe)', false],
      ['proc.name >= 5', true],
    ]);
    // U+FF5E and U+10000: UTF-16 orders them the other way round than UTF-8.
    const bytes = (text: string) => Buffer.from(text).toString('latin1');
    check(withProcess({ comm: bytes('\u{10000}'), argv: [bytes('\uff5e')] }), [
      ['proc.name > val(proc.exe)', true],
    ]);
  });

  test('texts of rules are compared as UTF-8 bytes', () => {
    const event = withExe(Buffer.from('/srv/café/naïve').toString('latin1'));
    check(event, [
      ['proc.exepath contains café', true],
      ['proc.exepath glob */café/*', true],
      ['proc.exepath regex "/srv/caf./.*"', true],
      [String.raw`proc.exepath contains "\xc3\xa9"`, true],
      [String.raw`proc.exepath contains "\xe9"`, false],
    ]);
  });

  test('operators that do not fit are refused', () => {
    assert.match(
      errorsOf('proc.pid contains 1'),
      /operator 'contains' does not compare a number, which proc.pid is/,
    );
    assert.match(errorsOf('proc.name bcontains CAFE'), /'bcontains' does not compare a string/);
    assert.match(errorsOf('evt.failed < 1'), /'<' does not compare a boolean/);
    assert.match(errorsOf('fd.ip startswith 10'), /does not compare a address/);
    assert.match(errorsOf('dns.answer = x'), /dns.answer is a list: only exists, in and intersects/);
  });

  test('bytes: in hexadecimal', () => {
    const body = Buffer.from('\0\x01\xca\xfe!', 'latin1');
    check(makeEvent({ request: makeRequest({}, { body }) }), [
      ['http.body bcontains CAFE', true],
      ['http.body bstartswith 0001ca', true],
      ['http.body bstartswith CAFE', false],
      ['http.body contains "!"', true],
    ]);
    assert.match(errorsOf('http.body bcontains XY'), /expected bytes in hexadecimal/);
  });
});

describe('many words', () => {
  const words = Array.from({ length: 64 }, (_, index) => `word${index}`);

  test('joined by or they mean the same as one by one', () => {
    for (const operator of [
      '=',
      'contains',
      'startswith',
      'endswith',
      'icontains',
      'glob',
      'iglob',
      'regex',
    ]) {
      const condition = words.map((word) => `proc.name ${operator} ${word}`).join(' or ');
      for (const name of ['word63', 'word7', 'word', 'x-word5-x', 'word5-x', 'x-word5', 'WORD63', '']) {
        const event = withProcess({ comm: name });
        const expected = words.some((word) => isTrue(`proc.name ${operator} ${word}`, event));
        assert.equal(isTrue(condition, event), expected, `${operator} ${name}`);
        const refused = condition.replaceAll('proc.name', 'not proc.name').replaceAll(' or ', ' and ');
        assert.equal(isTrue(refused, event), !expected, `not ${operator} ${name}`);
        const listed = `proc.name ${operator} anyof (${words.join(', ')})`;
        assert.equal(isTrue(listed, event), expected, `${operator} anyof ${name}`);
      }
    }
  });

  test('oneof: exactly one, anyof: at least one, allof: all', () => {
    check(withProcess({ comm: 'abc' }), [
      ['proc.name contains oneof (a, x)', true],
      ['proc.name contains oneof (a, b)', false],
      ['proc.name contains oneof (x, y)', false],
      ['proc.name contains anyof (x, b)', true],
      ['proc.name contains allof (a, b, c)', true],
      ['proc.name contains allof (a, x)', false],
      ['proc.name != anyof (abc, x)', true],
      ['proc.name != allof (abc, x)', false],
      ['proc.name = anyof ()', false],
      ['proc.name = allof ()', false],
    ]);
  });
});

describe('numbers', () => {
  test('are compared as numbers, decimal or hexadecimal', () => {
    check(makeEvent({ result: 31 }), [
      ['evt.rawres = 0x1F', true],
      ['evt.rawres > 4', true],
      ['evt.rawres <= 31', true],
      ['evt.rawres < 31.5', true],
      ['evt.rawres in (1, 0x1f)', true],
      ['evt.rawres = 031', true],
    ]);
    check(makeEvent({ result: -2 }), [
      ['evt.rawres = -2', true],
      ['evt.rawres < 0', true],
      ['evt.res = ENOENT', true],
      ['evt.res startswith E', true],
      ['evt.failed = true', true],
    ]);
    assert.match(errorsOf('evt.rawres = many'), /value expected a number/);
    assert.match(errorsOf('evt.failed = maybe'), /value expected true or false/);
  });

  test('a number that is not told is not negative and equals none', () => {
    check(makeEvent({ type: 'openat', result: UNTOLD_NUMBER, descriptor: { number: UNTOLD_NUMBER } }), [
      ['fd.num >= 0', true],
      ['fd.num != -1', true],
      ['fd.num = 0', false],
      ['fd.num in (0, 1, 2)', false],
      ['evt.rawres >= 0', true],
      ['evt.res = SUCCESS', true],
    ]);
  });
});

describe('ancestors', () => {
  const init = makeProcess({
    pid: 1,
    comm: 'systemd',
    argv: ['/sbin/init'],
    executable: '/usr/lib/systemd/systemd',
  });
  const sshd = makeProcess({ pid: 20, comm: 'sshd', parent: init, argv: ['sshd', '-D'] });
  const shell = makeProcess({ pid: 30, comm: 'bash', parent: sshd, argv: ['-bash'] });
  const event = makeEvent({ process: makeProcess({ parent: shell, parentPid: 30 }) });

  test('without an index any of them, the process itself not', () => {
    check(event, [
      ['proc.aname = sshd', true],
      ['proc.aname = systemd', true],
      ['proc.aname = cat', false],
      ['proc.aname in (x, bash)', true],
      ['proc.aname != sshd', true],
      ['not proc.aname = sshd', false],
      ['proc.aname startswith ss', true],
      ['proc.aname exists', true],
      ['proc.apid = 20', true],
      ['proc.apid = 100', false],
      ['proc.aexepath endswith systemd', true],
      ['proc.aexe contains init', true],
      ['proc.acmdline = "sshd -D"', true],
    ]);
    check(makeEvent({ process: shell }), [['proc.aname != x', true]]);
    check(makeEvent({ process: init }), [
      ['proc.aname != x', false],
      ['proc.aname exists', false],
    ]);
  });

  test('with an index that one; 0 is the process itself', () => {
    check(event, [
      ['proc.aname[0] = cat', true],
      ['proc.aname[1] = bash', true],
      ['proc.aname[2] = sshd', true],
      ['proc.aname[3] = systemd', true],
      ['proc.aname[4] exists', false],
      ['proc.aname[4] != x', false],
      ['proc.apid[1] = 30', true],
      ['proc.pname = bash', true],
      ['proc.ppid = 30', true],
      ['proc.pcmdline = "bash"', true],
      ['proc.pexe = -bash', true],
    ]);
    assert.match(errorsOf('proc.aname[x] = y'), /the argument of 'proc.aname' must be a number/);
    assert.match(errorsOf('proc.name[1] = y'), /'proc.name' takes no argument/);
    assert.match(errorsOf('evt.arg = y'), /'evt.arg' needs an argument/);
  });
});

describe('addresses', () => {
  const event = makeEvent({ type: 'connect', descriptor: makeConnection() });

  test('either end; != where both differ', () => {
    check(event, [
      ['fd.ip = 10.0.0.5', true],
      ['fd.ip = 192.0.2.1', true],
      ['fd.ip != 192.0.2.1', false],
      ['fd.ip != 10.0.0.5', false],
      ['fd.ip != 1.1.1.1', true],
      ['fd.ip in (1.1.1.1, 10.0.0.5)', true],
      ['fd.port = 443', true],
      ['fd.port = 4000', true],
      ['fd.port != 443', false],
      ['fd.port != 80', true],
      ['fd.port in (80, 443)', true],
      ['fd.port > 1000', true],
      ['fd.net = 10.0.0.0/8', true],
      ['fd.net != 10.0.0.0/8', false],
      ['fd.net != 127.0.0.0/8', true],
      ['fd.net in (172.16.0.0/12, 192.0.2.0/24)', true],
      ['fd.ip exists', true],
    ]);
  });

  test('each end on its own', () => {
    check(event, [
      ['fd.cip = 10.0.0.5 and fd.sip = 192.0.2.1', true],
      ['fd.lip = 10.0.0.5 and fd.rip = 192.0.2.1', true],
      ['fd.cport = 4000 and fd.sport = 443 and fd.lport = 4000 and fd.rport = 443', true],
      ['fd.snet = 192.0.2.0/24', true],
      ['fd.cnet = 192.0.2.0/24', false],
      ['fd.sip in (192.0.2.1, 1.1.1.1)', true],
      ['fd.cip = val(fd.lip)', true],
      ['fd.is_server = false and flow.direction = out', true],
    ]);
    const accepted = makeEvent({ type: 'accept4', descriptor: makeConnection({ isServer: true }) });
    check(accepted, [
      ['fd.lip = 192.0.2.1 and fd.rip = 10.0.0.5 and fd.lport = 443', true],
      ['flow.direction = in', true],
    ]);
  });

  test('of another family match != alone', () => {
    check(event, [
      ['fd.sip = ::1', false],
      ['fd.sip != ::1', true],
      ['fd.snet = fe80::/10', false],
      ['fd.snet != fe80::/10', true],
      ['fd.ip != ::1', true],
      ['fd.sip = ::ffff:192.0.2.1', true],
    ]);
    const six = makeConnection({
      kind: 'ipv6',
      client: { address: 'fe80::1', port: 1 },
      server: { address: '2001:db8::2', port: 2 },
    });
    check(makeEvent({ type: 'connect', descriptor: six }), [
      ['fd.sip = 2001:0db8:0:0::2', true],
      ['fd.snet = 2001:db8::/32', true],
      ['fd.snet = 2001:db9::/32', false],
      ['fd.cnet = fe80::/10', true],
      ['fd.net = 0.0.0.0/0', false],
      ['fd.net = ::/0', true],
      ['fd.typechar = 6', true],
    ]);
  });

  test('of an end that is not known nothing is said, of a unix socket neither', () => {
    check(makeEvent({ type: 'connect', descriptor: makeConnection({ client: null }) }), [
      ['fd.ip != 1.1.1.1', true],
      ['fd.cip != 1.1.1.1', false],
      ['fd.ip = 192.0.2.1', true],
    ]);
    const unix = makeConnection({ kind: 'unix', client: null, server: { address: '/run/x', port: 0 } });
    check(makeEvent({ type: 'connect', descriptor: unix }), [
      ['fd.ip != 1.1.1.1', false],
      ['fd.net != 10.0.0.0/8', false],
      ['fd.port != 1', false],
      ['fd.sockfamily = unix', true],
    ]);
  });

  test('literals that are none are refused', () => {
    assert.match(errorsOf('fd.ip = 10.0.0'), /expected an IP address/);
    assert.match(errorsOf('fd.net = 10.0.0.0/33'), /expected a network/);
    assert.match(errorsOf('fd.sip = 10.0.0.0/8'), /expected an IP address/);
  });
});

describe('lists', () => {
  const event = (answers: readonly string[]) =>
    makeEvent({
      type: 'dns_query',
      query: {
        protocol: 'dns',
        operation: 'A',
        statement: 'evil.example',
        parameters: [],
        database: '',
        user: '',
        isTruncated: false,
        anomalies: [],
      },
      outcome: { isError: false, code: '', message: '', rows: null, answers },
    });

  test('in: all of them, intersects: any of them', () => {
    check(event(['192.0.2.1', '192.0.2.2']), [
      ['dns.answer in (192.0.2.1, 192.0.2.2, x)', true],
      ['dns.answer in (192.0.2.1)', false],
      ['dns.answer intersects (192.0.2.1)', true],
      ['dns.answer intersects (x)', false],
      ['dns.answer exists', true],
      ['len(dns.answer) = 2', true],
      ['join(dns.answer, "+") = 192.0.2.1+192.0.2.2', true],
      ['dns.name endswith .example and dns.type = A', true],
      ['db.statement exists', false],
    ]);
    check(event([]), [
      ['dns.answer in (x)', false],
      ['dns.answer exists', false],
    ]);
  });
});

describe('transformers and the right side', () => {
  test('tolower, toupper, b64, basename, len, concat', () => {
    check(withProcess({ comm: 'Cat', executable: '/usr/bin/Cat', argv: ['Cat', 'aGVsbG8='] }), [
      ['tolower(proc.name) = cat', true],
      ['toupper(proc.name) in (CAT)', true],
      ['tolower(toupper(proc.name)) startswith c', true],
      ['b64(proc.args) = hello', true],
      ['b64(proc.name) exists', true],
      ['b64(proc.cmdline) exists', false],
      ['basename(proc.exepath) = Cat', true],
      ['basename(proc.exepath) = val(proc.name)', true],
      ['len(proc.name) > 2', true],
      ['concat(proc.name, ":", proc.pid) = Cat:100', true],
      ['concat(proc.name, user.homedir) exists', false],
      ['proc.name = val(proc.exe)', true],
      ['proc.name != val(proc.exepath)', true],
      ['proc.exepath endswith val(proc.name)', true],
      ['proc.name = tolower(proc.name)', false],
      ['proc.name in val(proc.exe)', true],
    ]);
  });

  test('getopt finds options as the C library does', () => {
    check(withProcess({ argv: ['nc', '-nv', '-e/bin/sh', '-p', '80', '--', '-x'] }), [
      ['getopt(proc.args, "nve:p:x") intersects (n)', true],
      ['getopt(proc.args, "nve:p:x") intersects (x)', false],
      ['getopt(proc.args, "nve:p:") in (n, v, e, p)', true],
      ['getopt(proc.args, "nve:p:")[e] = /bin/sh', true],
      ['getopt(proc.args, "nve:p:")[p] = 80', true],
      ['getopt(proc.args, "nve:p:")[n] = ""', true],
      ['getopt(proc.args, "nve:p:")[z] exists', false],
    ]);
  });

  test('types must fit', () => {
    assert.match(errorsOf('tolower(proc.pid) = x'), /tolower\(\.\.\.\) takes a text, not a number/);
    assert.match(errorsOf('proc.name = val(proc.pid)'), /a string is not compared with a number/);
    assert.match(errorsOf('proc.name = val(proc.aname)'), /several values/);
    assert.match(errorsOf('join(dns.answer) = x'), /takes 2 arguments, not 1/);
    assert.match(errorsOf('proc.name regex val(proc.exe)'), /takes no field on its right side/);
    assert.match(errorsOf('len("abc") = 3'), /needs a field/);
  });
});

describe('fields of events', () => {
  test('evt.dir is always <', () => {
    check(makeEvent(), [
      ['evt.dir = <', true],
      ['evt.dir = >', false],
      ['evt.dir != >', true],
      ['evt.type = execve and evt.dir=<', true],
    ]);
  });

  test('types, arguments and times', () => {
    check(makeEvent({ type: 'openat', args: { name: '/x', flags: 'O_RDONLY|O_CLOEXEC' } }), [
      ['evt.type = openat', true],
      ['evt.type != openat', false],
      ['evt.type in (open, openat, openat2)', true],
      ['syscall.type = openat', true],
      ['evt.type.is.openat = 1', true],
      ['evt.category = file', true],
      ['evt.arg.flags contains O_CLOEXEC', true],
      ['evt.arg[0] = /x', true],
      ['evt.arg[name] = /x', true],
      ['evt.arg.mode exists', false],
      ['evt.args = "name=/x flags=O_RDONLY|O_CLOEXEC"', true],
      ['evt.num > 0 and evt.hostname = web1', true],
      ['evt.time.s = 22:13:20', true],
      ['evt.datetime.s = "2023-11-14 22:13:20"', true],
      ['evt.time.iso8601 = "2023-11-14T22:13:20.123250000+0000"', true],
      ['evt.rawtime.s = 1700000000', true],
    ]);
    check(makeEvent({ type: 'http_request' }), [['syscall.type exists', false]]);
    assert.match(errorsOf('evt.arg.nmae = x'), /unknown field 'evt.arg.nmae'/);
  });

  test('what is opened for reading and writing', () => {
    const flags = (openFlags: number | null) => makeEvent({ type: 'openat', openFlags });
    check(flags(0), [['evt.is_open_read = true and evt.is_open_write = false', true]]);
    check(flags(0o1101), [['evt.is_open_read = false and evt.is_open_write = true', true]]);
    check(flags(2), [['evt.is_open_read = true and evt.is_open_write = true', true]]);
    check(flags(null), [['evt.is_open_read = false', true]]);
  });

  test('containers, as far as their runtime has told of them', () => {
    const container = {
      id: '0123456789abcdef',
      runtime: 'cri',
      name: 'web',
      image: 'registry.example:5000/shop/web:1.2@sha256:0a',
      pod: 'web-1',
      namespace: 'shop',
      podUid: 'u-1',
      labels: { app: 'web' },
    };
    check(withProcess({ containerId: container.id, container }), [
      ['container.name = web and container.type = cri and container.image startswith registry.', true],
      ['container.image.repository = registry.example:5000/shop/web and container.image.tag = 1.2', true],
      ['k8s.pod.name = web-1 and k8s.ns.name = shop and k8s.pod.uid = u-1', true],
      ['container.label[app] = web and k8s.pod.label[app] = web', true],
      ['container.label[toString] exists', false],
    ]);
    check(withProcess({ containerId: container.id, container: { ...container, image: 'nginx' } }), [
      ['container.image.repository = nginx and not container.image.tag exists', true],
    ]);
    check(withProcess({ containerId: container.id }), [
      ['container.id = 0123456789ab', true],
      ['container.image.repository exists', false],
      ['container.name != x', false],
    ]);
  });

  test('paths: directory and name, and what a failed call leaves of them', () => {
    const opened = (name: string, changes = {}) =>
      makeEvent({ type: 'openat', descriptor: { name, ...changes } });
    check(opened('/etc/pam.d/su'), [
      ['fd.directory = /etc/pam.d and fd.filename = su and fd.typechar = f', true],
      ['fd.containername = host:/etc/pam.d/su', true],
    ]);
    check(opened('/x'), [['fd.directory = / and fd.filename = x', true]]);
    check(opened('/etc', { kind: 'directory' }), [['fd.directory = /etc and fd.typechar = d', true]]);
    check(opened('/x', { number: -1, nameRaw: '../x' }), [
      ['fd.num = -1 and fd.typechar = f and fd.name = /x and fd.nameraw contains ../', true],
      ['fd.type exists', false],
      ['fd.filename exists', false],
    ]);
    check(makeEvent(), [['fd.name != /x', false]]);
  });

  test('processes: working directory ends with a slash, times count from the start', () => {
    check(makeEvent(), [
      ['proc.cwd = /srv/', true],
      ['proc.duration = 10000000000', true],
      ['proc.cmdnargs = 1 and proc.cmdlenargs = 11', true],
      ['proc.exeline = "cat /etc/passwd"', true],
      ['thread.ismain = true', true],
      ['user.uid = 33 and user.name = www-data and group.gid = 33', true],
      ['container.id = host', true],
      ['proc.stdin.type = pipe', true],
    ]);
    check(withProcess({ uid: -1, containerId: '0123456789abcdef' }), [
      ['user.uid exists', false],
      ['container.id = 0123456789ab', true],
      ['container.full_id = 0123456789abcdef', true],
    ]);
    check(withExe('/memfd:x'), [['proc.is_exe_from_memfd = true', true]]);
    const shells = makeProcess({ comm: 'sh', pid: 7, parent: makeProcess({ comm: 'bash', pid: 6 }) });
    check(makeEvent({ process: makeProcess({ parent: shells }) }), [['proc.loginshellid = 6', true]]);
  });
});

describe('requests', () => {
  const headers = [
    ['host', 'shop.example'],
    ['user-agent', 'curl/8'],
    ['x-a', '1'],
    ['x-a', '2'],
  ] as const;
  const inputs = [
    { location: 'query', name: 'q', value: '%3bid', forms: ['%3bid', ';id'] },
    { location: 'cookie', name: 'sid', value: 'x', forms: ['x'] },
  ] as const;
  const request = makeRequest({ status: 200 }, { headers, inputs });

  test('on events that it caused', () => {
    check(makeEvent({ request }), [
      ['http.method = GET and http.path = /a/b and http.target startswith /a%2fb', true],
      ['http.query[q] = ";id"', true],
      ['http.query[q] contains %3b', true],
      ['http.query[other] exists', false],
      ['http.query[other] != x', false],
      ['http.cookie[sid] = x', true],
      ['http.header[X-A] = 2', true],
      ['http.host = shop.example and http.user_agent startswith curl', true],
      ['http.status = 200 and http.client_ip = 203.0.113.9', true],
      ['req.id = r-1 and req.grade = exact and req.candidates = 1', true],
    ]);
  });

  test('on others they have no value; candidates are there where the cause is ambiguous', () => {
    check(makeEvent(), [
      ['http.method exists', false],
      ['http.method != POST', false],
      ['http.header[x-a] exists', false],
      ['req.grade exists', false],
      ['req.candidates exists', false],
    ]);
    const attribution = {
      grade: 'ambiguous',
      reason: '',
      request: null,
      candidates: [request, request],
    } as const;
    check(makeEvent({ attribution }), [
      ['req.candidates = 2', true],
      ['req.grade exists', false],
      ['http.method exists', false],
    ]);
    const linked = { grade: 'linked', reason: '', request, candidates: [request] } as const;
    check(makeEvent({ request, attribution: linked }), [['req.grade in (exact, linked)', true]]);
  });

  test('what the greeting of TLS said, also to the proxy before', () => {
    const tls = {
      protocol: 'tls',
      serverName: 'shop.example',
      applicationProtocols: [],
      fingerprint: 't13d',
      version: 'TLS 1.3',
    };
    const front = makeRequest({ connection: { ...request.connection, tls } });
    const hop = { proxy: front.process, front, grade: 'exact', reason: '', candidates: [front] } as const;
    for (const one of [front, makeRequest({ hop })])
      check(makeEvent({ request: one }), [
        ['tls.sni = shop.example and tls.version = "TLS 1.3" and tls.ja4 = t13d', true],
      ]);
    check(makeEvent({ request }), [['tls.sni exists', false]]);
  });

  test('its version, endpoint, and what detectors have said', () => {
    const versionOf = (head: string, protocol = 'http1') =>
      makeEvent({
        request: makeRequest({}, { head, protocol, target: '/users/4711/x?y=1' }),
        verdict: 'PROBED',
      });
    check(versionOf('GET / HTTP/1.1\r\nHost: a\r\n\r\n'), [
      ['http.version = 1.1', true],
      ['req.endpoint = "GET /users/:id/x"', true],
      ['req.verdict = PROBED', true],
    ]);
    check(versionOf('GET / HTTP/1.0\n'), [['http.version = 1.0', true]]);
    check(versionOf(`GET /${'HTTP/1.1'.repeat(99)}`), [['http.version exists', false]]);
    check(versionOf('', 'grpc'), [['http.version = 2', true]]);
    check(versionOf('GET / HTTP/1.1\r\n', 'fastcgi'), [['http.version exists', false]]);
  });

  test('questions to data services', () => {
    const query = {
      protocol: 'postgresql',
      operation: 'SELECT',
      statement: 'SELECT 1',
      parameters: [],
      database: '',
      user: '',
      isTruncated: false,
      anomalies: [],
    };
    const outcome = { isError: true, code: '42P01', message: '', rows: null, answers: [] };
    check(makeEvent({ type: 'db_query', query, outcome }), [
      ['db.protocol = postgresql and db.operation = SELECT and db.statement contains 1', true],
      ['db.error = 42P01', true],
      ['db.table exists', false],
      ['dns.name exists', false],
    ]);
    const joined = { ...query, statement: 'SELECT * FROM users JOIN app.cards USING (id)' };
    check(makeEvent({ type: 'db_query', query: joined }), [
      ['db.table intersects (users, x)', true],
      ['db.table in (users, "app.cards")', true],
      ['db.table in (users)', false],
    ]);
    check(makeEvent({ type: 'db_query', query: { ...joined, protocol: 'redis' } }), [
      ['db.table exists', false],
    ]);
  });
});
