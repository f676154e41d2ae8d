import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Process } from '../model/process.ts';
import type { RuleEvent } from './event.ts';
import { EVENT_TYPES } from './event-types.ts';
import { RuleSet } from './rule-set.ts';
import {
  isTrue,
  load,
  makeConnection,
  makeEvent,
  makeProcess,
  makeRequest,
  problemsOf,
  ruleText,
  rulesOf,
} from './testing.ts';

/** Where copies of the language go wrong: one test for each, with what it is about in its name. */

type Cases = readonly (readonly [condition: string, isTrue: boolean])[];

function check(event: RuleEvent, cases: Cases, before = ''): void {
  for (const [condition, expected] of cases)
    assert.equal(isTrue(condition, event, before), expected, condition);
}

const errorsOf = (text: string) => problemsOf(load(text)).join('; ');
const warningsOf = (text: string) => problemsOf(load(text), 'warnings').join('; ');
const withProcess = (changes: Partial<Process>) => makeEvent({ process: makeProcess(changes) });
const nobody = withProcess({ userName: null });

/** Names of the rules that are true of an event. */
function fired(event: RuleEvent, matching: 'first' | 'all', ...texts: readonly string[]): readonly string[] {
  const names: string[] = [];
  const set = new RuleSet(rulesOf(...texts), {
    matching,
    onBroken: (_, error) => assert.fail(String(error)),
  });
  set.evaluate(event, ({ name }) => names.push(name));
  return names;
}

const rule = (name: string, condition: string, more = '') =>
  `- rule: ${name}\n  desc: d\n  condition: ${condition}\n  output: o\n  priority: NOTICE\n${more}`;

describe('the grammar', () => {
  test("'not' binds tighter than 'and', 'and' tighter than 'or'", () => {
    check(makeEvent(), [
      ['not proc.name = dog and proc.name = cat', true],
      ['not proc.name = cat and proc.name = dog', false],
      ['proc.name = cat or proc.name = dog and proc.name = cow', true],
      ['(proc.name = cat or proc.name = dog) and proc.name = cow', false],
      ['not (proc.name = dog or proc.name = cat)', false],
      ['not not proc.name = cat', true],
    ]);
  });

  test('conditions are nested to 1,000', () => {
    const nested = (depth: number) =>
      ruleText(`${'not ( '.repeat(depth)}proc.name = cat${' )'.repeat(depth)}`);
    assert.equal(errorsOf(nested(900)), '');
    assert.match(errorsOf(nested(1100)), /nested deeper than 1000/);
  });

  test("an operator's letters are no operator inside of a word, and blanks around signs are free", () => {
    check(withProcess({ comm: 'order' }), [
      ['proc.name=order', true],
      ['proc.name = order or proc.name = x', true],
      ['proc.name in (order,android,notary)', true],
      ['not proc.name = notary', true],
    ]);
  });

  test('strings stand bare, in double or in single quotes, with escapes', () => {
    check(withProcess({ argv: ['x', 'a "b"\tc\\d/\x01'] }), [
      [String.raw`proc.args = "a \"b\"\tc\\d\/\x01"`, true],
      [String.raw`proc.args = 'a "b"\tc\\d/\x01'`, true],
    ]);
    assert.match(errorsOf(ruleText(String.raw`proc.args = "\q"`)), /unknown escape sequence/);
  });

  test('oneof, anyof and allof stand between an operator and a list, with != too', () => {
    check(makeEvent(), [
      ['proc.name != oneof (cat, dog)', true],
      ['proc.name != oneof (dog, cow)', false],
      ['proc.name != oneof (cat)', false],
      ['proc.name != anyof (cat, dog)', true],
      ['proc.name != anyof (cat)', false],
      ['proc.name != allof (dog, cow)', true],
      ['proc.name != allof (cat, dog)', false],
      ['proc.name startswith oneof (c, ca, d)', false],
      ['proc.name startswith oneof (c, d)', true],
    ]);
    check(nobody, [
      ['user.name != oneof (x)', false],
      ['user.name != allof (x, y)', false],
      ['not user.name != oneof (x)', true],
    ]);
  });

  test('numbers are decimal or hexadecimal on every side that compares them', () => {
    check(makeEvent({ result: 0x2a }), [
      ['evt.rawres = 0x2a', true],
      ['evt.rawres < 0x2b', true],
      ['evt.rawres < 0x2A', false],
      ['evt.rawres <= 0X2a', true],
      ['evt.rawres > 0x29', true],
      ['evt.rawres >= 0x2b', false],
      ['evt.rawres in (0x1, 0x2a)', true],
      ['evt.rawres != 0x2a', false],
    ]);
  });

  test('the right side may be a field, whatever the operator', () => {
    const parent = makeProcess({ comm: 'ca*', executable: '/usr', argv: ['C?T', 'CAT'] });
    const event = withProcess({ comm: 'cat', executable: '/usr/bin/cat', argv: ['cat', 'x cat y'], parent });
    check(event, [
      ['proc.name glob val(proc.pname)', true],
      ['proc.exepath glob val(proc.pname)', false],
      ['proc.name iglob val(proc.pexe)', true],
      ['proc.name glob val(proc.pexe)', false],
      ['proc.args contains val(proc.name)', true],
      ['proc.name contains val(proc.args)', false],
      ['proc.args icontains toupper(proc.name)', true],
      ['proc.args contains toupper(proc.name)', false],
      ['proc.exepath startswith val(proc.pexepath)', true],
      ['proc.exepath endswith val(proc.name)', true],
      ['proc.exepath pmatch val(proc.pexepath)', true],
      ['proc.pexepath pmatch val(proc.exepath)', false],
      ['proc.name intersects val(proc.exe)', true],
      ['proc.name intersects val(proc.exepath)', false],
      ['proc.name in val(proc.exe)', true],
      ['proc.name < val(proc.pname)', false],
      ['proc.name > val(proc.pname)', true],
      ['proc.ppid < val(proc.pid)', true],
      ['proc.aname = val(proc.pname)', true],
      ['proc.name = val(user.loginname)', false],
      ['proc.name != val(user.loginname)', false],
      ['not proc.name != val(user.loginname)', true],
    ]);
    // A prefix of the letters alone is none of the path.
    const beside = withProcess({ executable: '/usrlocal/x', parent: makeProcess({ executable: '/usr' }) });
    check(beside, [['proc.exepath pmatch val(proc.pexepath)', false]]);
  });
});

describe('values', () => {
  test('a field without a value makes every operator false, != too', () => {
    for (const operator of ['= x', '!= x', 'exists', 'in (x)', 'regex .*', 'glob *', 'startswith ""', '> 0'])
      check(nobody, [[`user.name ${operator}`, false]]);
  });

  test("so 'not x = y' differs from 'x != y'", () => {
    check(nobody, [
      ['not user.name = x', true],
      ['user.name != x', false],
    ]);
    check(withProcess({ userName: 'y' }), [
      ['not user.name = x', true],
      ['user.name != x', true],
    ]);
  });

  test('exists: a value was there, also an empty one', () => {
    check(withProcess({ argv: ['cat'] }), [
      ['proc.args exists', true],
      ['not proc.args exists', false],
      ['user.loginname exists', false],
    ]);
  });

  test('regex is RE2: without look-ahead or back references, and in linear time', () => {
    assert.match(errorsOf(ruleText('proc.name regex "(?=a)b"')), /value/);
    assert.match(errorsOf(ruleText(String.raw`proc.name regex "(a)\\1"`)), /value/);
    check(withProcess({ comm: 'a'.repeat(30) + '!' }), [['proc.name regex "(a+)+b"', false]]);
  });

  test('regex matches the whole value, line breaks included', () => {
    const event = withProcess({ argv: ['x', 'first\nsecond'] });
    check(event, [
      ['proc.args regex first', false],
      ['proc.args regex "first.*"', false],
      ['proc.args regex "^first$"', false],
      ['proc.args regex "(?m)^first$"', false],
      [String.raw`proc.args regex "first\nsecond"`, true],
      [String.raw`proc.args regex "first\\nsecond"`, true],
      ['proc.args regex "(?s)first.*"', true],
      ['proc.args regex "first[^x]second"', true],
    ]);
    // $ is the end, and not in front of a last line break.
    check(withProcess({ argv: ['x', 'first\n'] }), [['proc.args regex "first$"', false]]);
  });

  test('glob is that of fnmatch without flags: * crosses slashes, dots and line breaks', () => {
    check(withProcess({ argv: ['x', '/a/.b\n/c'] }), [
      ['proc.args glob /a*c', true],
      ['proc.args glob "/a/?b*"', true],
      ['proc.args glob /a/*b', false],
    ]);
  });

  test('pmatch compares components of paths', () => {
    check(withProcess({ executable: '/usr/bin/cat' }), [
      ['proc.exepath pmatch (/usr)', true],
      ['proc.exepath pmatch (/usr/bin/)', true],
      ['proc.exepath pmatch (/us)', false],
      ['proc.exepath pmatch (/usr/bin/cat/x)', false],
    ]);
  });

  test("'in' and 'intersects' are the same for one value; of a list 'in' means all, 'intersects' any", () => {
    const answers = ['10.0.0.1', '10.0.0.2'];
    const query = {
      protocol: 'dns' as const,
      operation: 'A',
      statement: 'x',
      parameters: [],
      database: '',
      user: '',
      isTruncated: false,
      anomalies: [],
    };
    const outcome = { isError: false, code: '', message: '', rows: null, answers };
    check(makeEvent({ type: 'dns_response', query, outcome }), [
      ['dns.name in (x, y) and dns.name intersects (x, y)', true],
      ['dns.answer in (10.0.0.1)', false],
      ['dns.answer in (10.0.0.2, 10.0.0.1, 10.0.0.3)', true],
      ['dns.answer intersects (10.0.0.1)', true],
      ['dns.answer intersects (10.0.0.3)', false],
    ]);
  });

  test('proc.aname, aexe, aexepath, acmdline, apid and aenv without an index mean any ancestor', () => {
    const root = makeProcess({
      comm: 'systemd',
      pid: 1,
      argv: ['/sbin/init', 'splash'],
      executable: '/usr/lib/systemd/systemd',
      environment: { variables: ['A=1'], isCut: false },
    });
    const bash = makeProcess({
      comm: 'bash',
      pid: 5,
      argv: ['-bash'],
      executable: '/bin/bash',
      parent: root,
    });
    check(withProcess({ parent: bash }), [
      ['proc.aname = systemd and proc.aname = bash', true],
      ['proc.aname = cat', false],
      ['proc.aname != bash', true],
      ['not proc.aname = bash', false],
      ['proc.aexe = /sbin/init', true],
      ['proc.aexepath endswith systemd', true],
      ['proc.acmdline contains splash', true],
      ['proc.apid = 1 and proc.apid = 5', true],
      ['proc.apid > 6', false],
      ['proc.aenv contains A', true],
      ['proc.aname[2] = systemd and proc.aname[0] = cat', true],
      ['proc.aname[3] exists', false],
    ]);
  });

  test('fd.ip, fd.port and fd.net mean either end, and != that both differ', () => {
    check(makeEvent({ type: 'connect', descriptor: makeConnection() }), [
      ['fd.ip = 10.0.0.5 and fd.ip = 192.0.2.1', true],
      ['fd.ip != 10.0.0.5', false],
      ['fd.ip != 10.0.0.6', true],
      ['fd.port = 4000 and fd.port = 443', true],
      ['fd.port != 443', false],
      ['fd.net = 192.0.2.0/24', true],
      ['fd.net != 192.0.2.0/24', false],
      ['fd.net != 172.16.0.0/12', true],
    ]);
  });

  test('addresses of another family match only !=', () => {
    check(makeEvent({ type: 'connect', descriptor: makeConnection() }), [
      ['fd.sip = ::1', false],
      ['fd.sip != ::1', true],
      ['fd.snet = ::/0', false],
      ['fd.snet != ::/0', true],
      ['fd.sip in (::1, fe80::1)', false],
    ]);
  });

  test('< and > on texts compare bytes', () => {
    check(withProcess({ comm: 'b', argv: ['B'], parent: makeProcess({ comm: 'b0', argv: ['\xc3\xa4'] }) }), [
      ['proc.name > val(proc.exe)', true],
      ['proc.name < val(proc.pexe)', true],
      ['proc.name < val(proc.pname)', true],
      ['proc.name >= tolower(proc.exe)', true],
      ['proc.name < 10', false],
    ]);
  });
});

describe('lists, macros and types', () => {
  test('names of lists are replaced as text wherever they stand alone; items with blanks are quoted', () => {
    const lists = '- list: pets\n  items: [cat, "big dog"]\n- list: word\n  items: [cat]\n';
    check(
      makeEvent(),
      [
        ['proc.name in (pets)', true],
        ['proc.name in (pets, cow)', true],
        ['proc.name = word', true],
        ['proc.name in (petsy, pet)', false],
      ],
      lists,
    );
    check(withProcess({ comm: 'big dog' }), [['proc.name in (pets)', true]], lists);
    check(withProcess({ comm: 'dog' }), [['proc.name in (pets)', false]], lists);
  });

  test('macros are expanded in the tree: not of one is not of all of it', () => {
    const macros = '- macro: two\n  condition: proc.name = cat or proc.name = dog\n';
    check(
      makeEvent(),
      [
        ['not two', false],
        ['two and proc.pid = 1', false],
      ],
      macros,
    );
  });

  test('macros must be defined before macros that name them', () => {
    const text = '- macro: a\n  condition: b\n- macro: b\n  condition: proc.name = x\n';
    assert.match(errorsOf(text), /macro 'b' is defined only later/);
  });

  test('the types of a rule are computed through and, or and not; none or more than 100 is a warning', () => {
    const typesOf = (condition: string) =>
      [...(rulesOf(ruleText(condition))[0]?.types ?? [])].map((type) => EVENT_TYPES[type]);
    assert.deepEqual(typesOf('not (not evt.type = openat or proc.name = x)'), ['openat']);
    assert.deepEqual(typesOf('(evt.type = openat or evt.type = execve) and not evt.type = openat'), [
      'execve',
    ]);
    assert.match(warningsOf(ruleText('evt.type = openat and evt.type = execve')), /event-types/);
    assert.match(warningsOf(ruleText('not evt.type = openat')), /event-types/);
  });

  test('a rule is run on its types alone', () => {
    const text = rule('a', 'evt.type = openat or (evt.type = execve and proc.name = dog)');
    assert.deepEqual(fired(makeEvent({ type: 'openat' }), 'all', text), ['a']);
    assert.deepEqual(fired(makeEvent({ type: 'execve' }), 'all', text), []);
    assert.deepEqual(fired(makeEvent({ type: 'connect' }), 'all', text), []);
  });

  test('events are exit events: evt.dir = < is true, > false', () => {
    check(makeEvent(), [
      ['evt.dir = <', true],
      ['evt.dir = >', false],
      ['evt.dir != >', true],
      ['evt.dir=<', true],
    ]);
  });

  test('rule_matching: the first in the order of the files, or all', () => {
    const texts = [rule('a', 'proc.name = dog'), rule('b', 'proc.name = cat') + rule('c', 'proc.pid = 100')];
    assert.deepEqual(fired(makeEvent(), 'first', ...texts), ['b']);
    assert.deepEqual(fired(makeEvent(), 'all', ...texts), ['b', 'c']);
    assert.deepEqual(fired(makeEvent(), 'first', ...texts.toReversed()), ['b']);
  });
});

describe('files', () => {
  test('every key of a rule is read, capture and capture_duration among them', () => {
    const more = [
      'source: syscall',
      'enabled: false',
      'tags: [a, b]',
      'exceptions: [{name: e, fields: proc.pid, values: [7]}]',
      'capture: true',
      'capture_duration: 5000',
      'warn_evttypes: false',
      'skip-if-unknown-filter: true',
    ];
    const [loaded] = rulesOf(rule('r', 'proc.name = x', more.map((line) => `  ${line}\n`).join('')));
    assert.ok(loaded);
    assert.deepEqual(
      [loaded.capture, loaded.captureDurationMs, loaded.isEnabled, loaded.tags],
      [true, 5000, false, ['a', 'b']],
    );
    const [plain] = rulesOf(rule('r', 'proc.name = x'));
    assert.deepEqual([plain?.capture, plain?.captureDurationMs], [false, null]);
    const overridden =
      '- rule: r\n  capture: true\n  capture_duration: 100\n  override: {capture: replace, capture_duration: replace}\n';
    const [changed] = rulesOf(rule('r', 'proc.name = x'), overridden);
    assert.deepEqual([changed?.capture, changed?.captureDurationMs], [true, 100]);
  });

  test('unknown keys are errors', () => {
    assert.match(errorsOf(rule('r', 'proc.name = x', '  tag: [a]\n')), /unknown-key/);
    assert.match(errorsOf('- macro: m\n  conditions: x\n'), /unknown-key/);
    assert.match(errorsOf('- list: l\n  item: [x]\n'), /unknown-key/);
  });

  test('append: true is the old text, a blank and the new', () => {
    const event = makeEvent();
    const base = rule('r', 'proc.name = dog');
    assert.deepEqual(
      fired(event, 'all', base, '- rule: r\n  append: true\n  condition: or proc.name = cat\n'),
      ['r'],
    );
    assert.deepEqual(
      fired(event, 'all', base, '- rule: r\n  append: true\n  condition: and proc.name = cat\n'),
      [],
    );
  });

  test('override appends or replaces key by key', () => {
    const text =
      '- rule: r\n  condition: proc.name = cat\n  tags: [b]\n  override: {condition: replace, tags: append}\n';
    const [changed] = rulesOf(rule('r', 'proc.name = dog', '  tags: [a]\n'), text);
    assert.deepEqual(changed?.tags, ['a', 'b']);
    assert.deepEqual(fired(makeEvent(), 'all', rule('r', 'proc.name = dog', '  tags: [a]\n'), text), ['r']);
  });

  test('required_engine_version is a number or a version, and 0.63.0 is what there is', () => {
    for (const version of ['5', '63', '0.63.0', '"0.57.0"', '0.31.0'])
      assert.equal(errorsOf(`- required_engine_version: ${version}\n`), '', version);
    for (const version of ['0.64.0', '64', '1.0.0', 'x'])
      assert.notEqual(errorsOf(`- required_engine_version: ${version}\n`), '', version);
  });

  test('exceptions of one field: in by default, with a flat list of values', () => {
    const more = '  exceptions: [{name: e, fields: proc.name, values: [cat, dog]}]\n';
    assert.deepEqual(fired(makeEvent(), 'all', rule('r', 'proc.pid = 100', more)), []);
    assert.deepEqual(fired(withProcess({ comm: 'cow' }), 'all', rule('r', 'proc.pid = 100', more)), ['r']);
  });

  test('exceptions of several fields: = by default, with tuples; all of a tuple must be true', () => {
    const more = '  exceptions: [{name: e, fields: [proc.name, proc.pid], values: [[cat, 1], [dog, 100]]}]\n';
    assert.deepEqual(fired(makeEvent(), 'all', rule('r', 'proc.pid = 100', more)), ['r']);
    assert.deepEqual(fired(withProcess({ comm: 'dog' }), 'all', rule('r', 'proc.pid = 100', more)), []);
  });

  test('an exception applies to all of a condition with or in it', () => {
    const more = '  exceptions: [{name: e, fields: proc.name, values: [cat]}]\n';
    assert.deepEqual(fired(makeEvent(), 'all', rule('r', 'proc.pid = 100 or proc.pid = 101', more)), []);
  });

  test('priorities in any case, and no others', () => {
    for (const name of [
      'EMERGENCY',
      'alert',
      'Critical',
      'error',
      'WARNING',
      'Notice',
      'INFORMATIONAL',
      'debug',
    ])
      assert.equal(errorsOf(rule('r', 'proc.name = x').replace('NOTICE', name)), '', name);
    assert.notEqual(errorsOf(rule('r', 'proc.name = x').replace('NOTICE', 'HIGH')), '');
  });
});

describe('outputs', () => {
  const formatted = (output: string, event = makeEvent()) =>
    rulesOf(
      rule('r', 'proc.name exists').replace('output: o', `output: ${JSON.stringify(output)}`),
    )[0]?.output.format(event);

  test('%field, %field[argument], %NNfield and transformers; without a value <NA>', () => {
    const event = makeEvent({ request: makeRequest(), process: makeProcess({ userName: null }) });
    assert.equal(
      formatted('%proc.name|%5proc.name|%2proc.name|%toupper(proc.name)|%proc.aname[1]|%user.name', event),
      'cat|cat  |ca|CAT|<NA>|<NA>',
    );
  });
});
