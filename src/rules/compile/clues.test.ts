import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import fc from 'fast-check';
import { wordTable } from '../match/word-table.ts';
import type { RuleEvent } from '../event.ts';
import { isTrue, makeEvent, makeProcess, ruleText, rulesOf } from '../testing.ts';
import { cluesOf, type AnyClue } from './clues.ts';
import { ConditionCompiler } from './condition.ts';

function choicesOf(text: string): readonly AnyClue[] {
  const [rule] = rulesOf(ruleText(text));
  assert.ok(rule !== undefined);
  const context = { variant: { type: makeEvent().type, openMode: null }, warn: () => {} };
  const compiler = new ConditionCompiler(context.variant, context.warn);
  return cluesOf(rule.condition, context, (part) => compiler.compile(part));
}

/** Whether one of the words stands in its place. */
function isThere(clues: AnyClue, event: RuleEvent): boolean {
  return clues.some(({ get, where, words }) => {
    const value = get(event);
    let isFound = false;
    if (value !== null)
      wordTable(where, new Map(words.map((word) => [word, [word]])))?.(value, () => (isFound = true));
    return isFound;
  });
}

const shown = (text: string) =>
  choicesOf(text).map((clues) =>
    clues.map(({ key, where, words }) => `${key} ${where} ${words.join(' ')}`).join(', '),
  );

test('what must be there: each part of an and, one of the parts of an or, nothing of a not', () => {
  const cases: readonly (readonly [condition: string, ...choices: string[]])[] = [
    ['proc.name = cat', 'proc.name equal cat'],
    [
      'proc.name in (cat, dog) and proc.cwd startswith /tmp/',
      'proc.name equal cat dog',
      'proc.cwd prefix /tmp/',
    ],
    ['proc.name = cat or proc.cwd endswith /tmp/', 'proc.name equal cat, proc.cwd suffix /tmp/'],
    ['proc.name = cat or proc.name = dog', 'proc.name equal cat dog'],
    ['proc.name = cat or proc.pid > 3'],
    ['proc.name = cat or evt.type = openat', 'proc.name equal cat'],
    ['proc.name = cat or evt.type = execve'],
    ['not proc.name = cat'],
    ['proc.name != cat'],
    ['proc.exepath pmatch (/var//run, /tmp)', 'proc.exepath path /var/run/ /tmp/'],
    ['proc.exepath pmatch (/var/*, /tmp)'],
    ['proc.args glob "*abc?d*"', 'proc.args inside abc'],
    ['proc.args glob "abc*"', 'proc.args prefix abc'],
    ['proc.args glob "a*?"'],
    ['proc.args contains ab'],
    ['proc.args icontains abc'],
    ['proc.exepath regex "/(tmp|srv)/.*"', 'proc.exepath prefix /tmp /srv'],
    ['container.id = host'],
    ['fd.sport = 443 or fd.sport in (0x50, 22)', 'fd.sport equal 443 80 22'],
    ['fd.sport > 1024'],
    ['fd.sport != 443'],
    ['fd.port = 443'],
    ['user.uid = 0'],
    ['fd.sip = 1.0.0.1 or fd.sip = ::ffff:1.0.0.1', 'fd.sip equal 16777217'],
    ['fd.rip in ("2001:db8::", 0.0.0.1)', 'fd.rip equal 536939960:0:0:0 1'],
    ['fd.snet = 10.0.0.0/8'],
    ['fd.filename in (passwd, shadow)', 'fd.name suffix passwd shadow'],
    ['fd.filename endswith .key or fd.filename startswith id_', 'fd.name suffix .key, fd.name inside id_'],
    ['fd.filename in (passwd, a)'],
    ['fd.filename pmatch (/passwd)'],
  ];
  for (const [condition, ...choices] of cases) assert.deepEqual(shown(condition), choices, condition);
});

test('where a condition is true, each choice has a word that is there', () => {
  const check = fc.constantFrom(
    'proc.name = cat',
    'proc.name in (cat, dog)',
    'proc.name startswith cat',
    'proc.name endswith dog',
    'proc.exepath pmatch (/usr/bin, /tmp)',
    'proc.exepath glob "/usr*/c?t"',
    'proc.exepath glob "*bin*"',
    'proc.exepath regex "/usr/(bin|sbin)/.*"',
    'proc.exepath regex "/(usr|tmp)(/[a-z]*)+"',
    'proc.exepath regex "(/usr)?/tmp/.*"',
    'proc.exepath contains bin/',
    'evt.type = openat',
    'evt.type = execve',
    'proc.pid > 0',
  );
  const condition = fc.letrec<{ node: string }>((tie) => ({
    node: fc.oneof(
      { depthSize: 'small' },
      check,
      fc
        .tuple(tie('node'), tie('node'), fc.constantFrom('and', 'or'))
        .map(([a, b, word]) => `(${a} ${word} ${b})`),
      tie('node').map((inside) => `not (${inside})`),
    ),
  })).node;
  const process = fc.record({
    comm: fc.constantFrom('cat', 'cats', 'dog', 'hotdog', ''),
    executable: fc.constantFrom(
      '/usr/bin/cat',
      '/usr/sbin/cut',
      '/tmp/x',
      '/tmp',
      '/usr//bin/x',
      '/usr/tmp/y',
      '',
    ),
  });
  let isTold = 0;
  fc.assert(
    fc.property(condition, process, (text, changes) => {
      const event = makeEvent({ type: 'execve', process: makeProcess(changes) });
      if (!isTrue(text, event)) return;
      for (const clues of choicesOf(text)) {
        assert.ok(isThere(clues, event), `${text} ${JSON.stringify(changes)}`);
        isTold++;
      }
    }),
    { numRuns: 1500 },
  );
  assert.ok(isTold > 100, 'the test has seen too little');
});
