import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { alertOf } from './alert.ts';
import { UNTOLD_NUMBER, type RuleEvent } from './event.ts';
import { load, makeEvent, makeProcess, problemsOf, ruleText, rulesOf } from './testing.ts';

const withOutput = (output: string) =>
  ruleText('proc.name exists').replace('output: o', `output: ${JSON.stringify(output)}`);

function formatted(output: string, event: RuleEvent = makeEvent()): string {
  return rulesOf(withOutput(output))[0]?.output.format(event) ?? '';
}

test('fields, with arguments, widths and transformers', () => {
  const parent = makeProcess({ comm: 'bash', pid: 5 });
  const event = makeEvent({ process: makeProcess({ parent }), args: { name: '/x' } });
  assert.equal(
    formatted('%proc.name by %proc.aname[1] (%evt.arg.name, %evt.arg[0])', event),
    'cat by bash (/x, /x)',
  );
  assert.equal(
    formatted('%toupper(proc.name)|%6proc.name|%2proc.name|%5user.uid|', event),
    'CAT|cat   |ca|33   |',
  );
  assert.equal(formatted('%join(proc.aname, ":") %proc.apid', event), 'bash (5)');
  assert.equal(formatted('%evt.failed %evt.num', event), 'false 1');
});

test('what has no value prints <NA>', () => {
  const event = makeEvent({ process: null, result: UNTOLD_NUMBER });
  assert.equal(formatted('%proc.name %user.uid %evt.rawres %proc.tty', event), '<NA> <NA> <NA> <NA>');
});

test('a percent sign, and a name at the end of a sentence', () => {
  assert.equal(formatted('100% of %%, by %proc.name. Done (%proc.name).'), '100% of %, by cat. Done (cat).');
});

test('values cannot break the line or move the cursor; as fields they are text', () => {
  const event = makeEvent({ process: makeProcess({ comm: 'a\x1b[2J\nb\xc3\xa9' }) });
  const [rule] = rulesOf(withOutput('%proc.name and %proc.pid, %user.loginuid, %proc.aname'));
  assert.equal(rule?.output.format(event), 'a\\e[2J\\nbé and 100, <NA>, <NA>');
  assert.deepEqual(rule?.output.values(event), {
    'proc.name': 'a\x1b[2J\nbé',
    'proc.pid': 100,
    'user.loginuid': null,
    'proc.aname': null,
  });
});

test('of a transformer, the value before and after it', () => {
  const [rule] = rulesOf(withOutput('%toupper(basename(proc.exepath))'));
  assert.deepEqual(rule?.output.values(makeEvent()), {
    'proc.exepath': '/usr/bin/cat',
    'toupper(basename(proc.exepath))': 'CAT',
  });
});

test('what cannot be printed is refused, with its place', () => {
  const errorOf = (output: string) => problemsOf(load(withOutput(output))).join();
  assert.equal(errorOf('a %proc.nmae'), "a.yaml:5:15 unknown-field unknown field 'proc.nmae'");
  assert.match(errorOf('%fd.ip'), /output fd.ip has no one value to print/);
  assert.match(errorOf('%evt.arg'), /needs an argument/);
  assert.match(errorOf('%proc.aname[1'), /expected ']'/);
  assert.match(errorOf('%tolower(proc.pid)'), /takes a text/);
});

test('an alert has the shape that listeners of Falco know', () => {
  const [rule] = rulesOf(
    ruleText('proc.name exists', '  tags: [a, T1059]\n').replace('output: o', 'output: "by %proc.name"'),
  );
  assert.ok(rule);
  assert.deepEqual(alertOf(rule, makeEvent()), {
    time: '2023-11-14T22:13:20.123250000Z',
    rule: 'r',
    priority: 'Notice',
    source: 'syscall',
    hostname: 'web1',
    output: '22:13:20.123250000: Notice by cat',
    tags: ['a', 'T1059'],
    output_fields: { 'evt.time': 1_700_000_000_123_250_000, 'proc.name': 'cat' },
  });
});

test('times are numbers among the fields of an alert, and texts in its output', () => {
  const [rule] = rulesOf(withOutput('%evt.time.s %evt.time.iso8601 %toupper(evt.datetime.s)'));
  assert.ok(rule);
  const { output, output_fields: fields } = alertOf(rule, makeEvent());
  assert.match(output, / Notice 22:13:20 2023-11-14T22:13:20\.123250000\+0000 2023-11-14 22:13:20$/);
  assert.deepEqual(fields, {
    'evt.time': 1_700_000_000_123_250_000,
    'evt.time.s': 1_700_000_000_123_250_000,
    'evt.time.iso8601': 1_700_000_000_123_250_000,
    'evt.datetime.s': 1_700_000_000_123_250_000,
    'toupper(evt.datetime.s)': '2023-11-14 22:13:20',
  });
  assert.match(JSON.stringify(fields), /"evt\.time":1700000000123250000,/);
});
