import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { load, problemsOf } from '../testing.ts';

const rule = (body: string): string => `- rule: r\n  desc: d\n  output: o\n  priority: NOTICE\n${body}`;
const errorsOf = (body: string): string[] => problemsOf(load(rule(body)));
const warningsOf = (body: string): string[] => problemsOf(load(rule(body)), 'warnings');

const A = 'evt.type = execve';
const STEPS = `  sequence: [${A}, ${A}]\n`;

suite('what is wrong with a sequence is told with its place', () => {
  const cases: readonly (readonly [body: string, problem: string])[] = [
    [`  sequence: [${A}]\n  within: 1s\n`, "a.yaml:5:13 sequence a 'sequence' has two steps at least"],
    [`  sequence: ${A}\n  within: 1s\n`, "a.yaml:5:13 item 'sequence' must be a list"],
    [STEPS, "a.yaml:5:13 sequence 'within' is missing"],
    [`${STEPS}  within: soon\n`, "a.yaml:6:11 sequence 'within' must be a time"],
    [`${STEPS}  within: 0s\n`, "a.yaml:6:11 sequence 'within' must be a time"],
    [`${STEPS}  within: 8d\n`, "a.yaml:6:11 sequence 'within' is 7d at most"],
    [
      `${STEPS}  within: 1s\n  condition: ${A}\n`,
      "a.yaml:1:3 sequence rule 'r' has a condition and a sequence",
    ],
    [`  condition: ${A}\n  within: 1s\n`, "a.yaml:6:11 sequence 'within' and 'by' belong to a 'sequence'"],
    [`${STEPS}  within: 1s\n  by: proc.nmae\n`, "a.yaml:7:7 unknown-field unknown field 'proc.nmae'"],
    [`${STEPS}  within: 1s\n  by: proc.aname\n`, 'a.yaml:7:7 sequence proc.aname has several values'],
    [`${STEPS}  within: 1s\n  by: fd.ip\n`, 'a.yaml:7:7 sequence fd.ip has several values'],
    [`${STEPS}  within: 1s\n  by: dns.answer\n`, 'a.yaml:7:7 sequence dns.answer has several values'],
    [`${STEPS}  within: 1s\n  by: proc.pid x\n`, 'a.yaml:7:7 syntax expected a field'],
    [`${STEPS}  within: 1s\n  by: []\n`, "a.yaml:7:7 sequence 'by' has one to 8 fields"],
    [
      `  sequence: [{ condition: ${A}, by: proc.pid }, { condition: ${A}, by: proc.name }]\n  within: 1s\n`,
      'a.yaml:5:62 sequence proc.name (string) is never equal to proc.pid (number)',
    ],
    [
      `  sequence: [{ condition: ${A}, by: proc.pid }, ${A}]\n  within: 1s\n`,
      'a.yaml:5:62 sequence step 2 is joined by 0 fields, the first by 1',
    ],
    [
      `  sequence: [${A}, { if: ${A} }]\n  within: 1s\n`,
      "a.yaml:5:35 unknown-key unknown key 'if' in a step",
    ],
    [`  sequence: [${A}, { as: x }]\n  within: 1s\n`, "a.yaml:5:33 item 'condition' is missing"],
    [`  sequence: [${A}, [${A}]]\n  within: 1s\n`, 'a.yaml:5:33 sequence a step is a condition, or has one'],
    [
      `  sequence: [${A}, evt.type = exceve]\n  within: 1s\n`,
      "a.yaml:5:44 value there is no event type 'exceve'",
    ],
    [
      `  sequence: [${A}, { as: a b, condition: ${A} }]\n  within: 1s\n`,
      'a.yaml:5:39 sequence the name of a step',
    ],
    [
      `  sequence: [${A}, { as: proc, condition: ${A} }]\n  within: 1s\n`,
      "a.yaml:5:39 sequence a step cannot be named 'proc'",
    ],
    [
      `  sequence: [{ as: a, condition: ${A} }, { as: a, condition: ${A} }]\n  within: 1s\n`,
      "a.yaml:5:61 sequence there are two steps 'a'",
    ],
    [
      `${STEPS}  within: 1s\n  count: { more_than: 1, within: 1s }\n`,
      "a.yaml:5:13 sequence 'count' stands inside",
    ],
    [`  condition: ${A}\n  count: { more_than: 1 }\n`, "a.yaml:6:10 sequence 'within' is missing in 'count'"],
    [`  condition: ${A}\n  count: { within: 1s }\n`, "a.yaml:6:10 item 'more_than' is missing"],
    [
      `  condition: ${A}\n  count: { more_than: 0, within: 1s }\n`,
      "a.yaml:6:23 sequence 'more_than' must be a number",
    ],
    [
      `  condition: ${A}\n  count: { more_than: 1001, within: 1s }\n`,
      "a.yaml:6:23 sequence 'more_than' must be a number",
    ],
    [
      `  condition: ${A}\n  count: { more_then: 1, within: 1s }\n`,
      "a.yaml:6:12 unknown-key unknown key 'more_then'",
    ],
    [
      `  condition: ${A}\n  count: { more_than: 1, within: 1s, distinct: proc.aname }\n`,
      'a.yaml:6:48 sequence proc.aname has several values',
    ],
  ];
  for (const [body, problem] of cases)
    test(problem, () => {
      const [first = '', ...others] = errorsOf(body);
      assert.ok(first.startsWith(problem), first);
      assert.deepEqual(others, []);
    });

  test('with the word that was probably meant', () => {
    const [file] = load(rule(`  condition: ${A}\n  count: { more_then: 1, within: 1s }\n`)).files;
    assert.equal(file?.errors[0]?.suggestion, 'more_than');
  });

  test('a step that no event can do is a warning', () => {
    assert.match(
      warningsOf(`  sequence: [${A}, evt.type = sysfs]\n  within: 1s\n`).join(),
      /^a\.yaml:5:33 unanswered-event rule 'r' can never fire: events of step 2 are not told yet$/,
    );
    assert.match(warningsOf(`  sequence: [${A}, syslog.message = x]\n  within: 1s\n`).join(), /never-fires/);
    assert.match(warningsOf(`${STEPS}  within: 1s\n  by: syslog.message\n`).join(), /never-fires/);
  });

  test('an output may ask for fields of steps that there are', () => {
    const body = `  sequence: [{ as: one, condition: ${A} }, ${A}]\n  within: 1s\n`;
    assert.deepEqual(problemsOf(load(rule(body).replace('output: o', 'output: "%one.proc.name"'))), []);
    assert.match(
      problemsOf(load(rule(body).replace('output: o', 'output: "%two.proc.name"'))).join(),
      /unknown field 'two\.proc\.name'/,
    );
  });
});

suite('later files', () => {
  const base = rule(`${STEPS}  within: 1s\n  by: proc.pid\n`);
  const changed = (more: string) => load(base, more);

  test('replace steps, time and fields', () => {
    const more = '- rule: r\n  within: 2m\n  by: [proc.name]\n  override: { within: replace, by: replace }\n';
    const [only] = changed(more).rules;
    assert.equal(only?.sequence?.withinNs, 120e9);
    assert.deepEqual(
      only.sequence.steps.map(({ by }) => by.map(({ key }) => key)),
      [['proc.name'], ['proc.name']],
    );
    const steps = `- rule: r\n  sequence: [${A}, ${A}, evt.type = open]\n  override: { sequence: replace }\n`;
    assert.equal(changed(steps).rules[0]?.sequence?.steps.length, 3);
  });

  test('do not make a sequence of a condition, or the other way round', () => {
    const condition = `- rule: r\n  condition: and ${A}\n  override: { condition: append }\n`;
    assert.match(problemsOf(changed(condition)).join(), /b1\.yaml:1:3 sequence rule 'r' has a sequence/);
    const steps = `- rule: r\n${STEPS}  override: { sequence: replace }\n`;
    const plain = load(rule(`  condition: ${A}\n`), steps);
    assert.match(problemsOf(plain).join(), /rule 'r' has a condition and no sequence/);
  });
});

suite('respond', () => {
  const respond = (text: string): string => `  condition: ${A}\n  respond: ${text}\n`;

  test('is kept with the rule, its arguments filled in', () => {
    const [only] = load(rule(respond('[kill, contain: { target: container }, block: { for: 2h }]'))).rules;
    assert.deepEqual(only?.responses, [
      { kind: 'kill', target: 'process', signal: 'SIGKILL' },
      { kind: 'contain', target: 'container', forNs: null },
      { kind: 'block', target: 'client', forNs: 7200e9 },
    ]);
  });

  test('warns that nothing acts on it', () => {
    assert.match(
      warningsOf(respond('[kill]')).join(),
      /^a\.yaml:6:12 no-responder there is no responder yet/,
    );
    assert.deepEqual(warningsOf(respond('[]')), []);
  });

  const cases: readonly (readonly [text: string, problem: string])[] = [
    ['[kil]', "a.yaml:6:13 response there is no response 'kil'"],
    ['kill', "a.yaml:6:12 item 'respond' must be a list"],
    ['[kill, kill]', "a.yaml:6:12 response 'respond' says 'kill' twice"],
    ['[[kill]]', 'a.yaml:6:13 response a response is one of'],
    ['[{ kill: {}, block: {} }]', 'a.yaml:6:13 response a response is one of'],
    ['[kill: { for: 1h }]', "a.yaml:6:21 unknown-key unknown key 'for' in 'kill'"],
    ['[kill: { signal: SIGFOO }]', "a.yaml:6:29 item 'signal' must be one of SIGKILL, SIGTERM, SIGSTOP"],
    ['[block: { target: server }]', "a.yaml:6:30 item 'target' must be one of client, remote"],
    ['[block: { for: ever }]', "a.yaml:6:27 response 'for' must be a time"],
  ];
  for (const [text, problem] of cases)
    test(problem, () => {
      const [first = ''] = errorsOf(respond(text));
      assert.ok(first.startsWith(problem), first);
    });
});
