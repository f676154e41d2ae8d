import { strict as assert } from 'node:assert';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { RuleEvent } from './event.ts';
import type { Rule } from './rule.ts';
import { RuleSet, type RuleMatching } from './rule-set.ts';
import { idleSelections, selectRules, type RuleSelection } from './selection.ts';
import { isTrue, makeEvent, makeProcess, ruleText, rulesOf } from './testing.ts';

function rule(name: string, condition: string, more = ''): string {
  return ruleText(condition, more).replace('rule: r', `rule: ${name}`);
}

function setOf(text: string, matching: RuleMatching = 'all', broken: string[] = []): RuleSet {
  return new RuleSet(rulesOf(text), {
    matching,
    onBroken: ({ name }, error) => broken.push(`${name}: ${String(error)}`),
  });
}

function matches(set: RuleSet, event: RuleEvent): string[] {
  const names: string[] = [];
  set.evaluate(event, ({ name }) => names.push(name));
  return names;
}

const named = (comm: string, type = 'execve') => makeEvent({ type, process: makeProcess({ comm }) });

const RULES =
  rule('cat', 'evt.type = execve and proc.name = cat') +
  rule('any', 'evt.type = execve and proc.pid > 0') +
  rule('pets', 'evt.type in (execve, openat) and proc.name in (cat, dog)') +
  rule('not', 'evt.type = execve and not proc.name = cat') +
  rule('or', '(proc.name = cat or proc.name = cow) and evt.type = execve');

test('first: the first of the file; all: all of them, in order', () => {
  const cases: readonly (readonly [name: string, type: string, all: string])[] = [
    ['cat', 'execve', 'cat any pets or'],
    ['dog', 'execve', 'any pets not'],
    ['cow', 'execve', 'any not or'],
    ['cat', 'openat', 'pets'],
    ['cow', 'openat', ''],
    ['', 'execve', 'any not'],
    ['cat', 'connect', ''],
  ];
  const all = setOf(RULES, 'all');
  const first = setOf(RULES, 'first');
  for (const [name, type, expected] of cases) {
    const names = expected.split(' ').filter((one) => one !== '');
    assert.deepEqual(matches(all, named(name, type)), names, `${type} ${name}`);
    assert.deepEqual(matches(first, named(name, type)), names.slice(0, 1), `${type} ${name}`);
  }
});

test('rules are found by the value of a field, not run one by one', () => {
  const set = setOf(RULES);
  for (let count = 0; count < 10; count++) matches(set, named('cow'));
  const counts = set.rules.map((one) => [
    one.name,
    set.countersOf(one).evaluated,
    set.countersOf(one).matched,
  ]);
  assert.deepEqual(counts, [
    ['cat', 0, 0],
    ['any', 10, 10],
    ['pets', 0, 0],
    ['not', 10, 10],
    ['or', 10, 10],
  ]);
});

test('a rule that throws is told once and not run again; the others are', () => {
  const broken: string[] = [];
  const set = setOf(rule('bad', 'evt.hostname = x') + rule('good', 'proc.name = cat'), 'all', broken);
  const event = makeEvent();
  Object.defineProperty(event, 'hostname', {
    get: () => {
      throw new Error('a bug');
    },
  });
  assert.deepEqual(matches(set, event), ['good']);
  assert.deepEqual(matches(set, event), ['good']);
  assert.deepEqual(broken, ['bad: Error: a bug']);
  assert.equal(set.countersOf(set.rules[0] as Rule).isBroken, true);
  assert.deepEqual(matches(set, named('cat', 'openat')), ['good']);
});

test('where a field by which rules are found throws, those that ask for it are switched off, and no others', () => {
  const broken: string[] = [];
  const names = ['a', 'b', 'c', 'd'];
  const asking = names.map((name) => rule(name, `evt.type = execve and proc.name = ${name}`)).join('');
  const set = setOf(asking + rule('good', 'evt.type = execve and evt.hostname exists'), 'all', broken);
  assert.deepEqual(matches(set, named('b')), ['b', 'good']);
  const event = makeEvent({ type: 'execve' });
  Object.defineProperty(event, 'process', {
    get: () => {
      throw new Error('a bug');
    },
  });
  assert.deepEqual(matches(set, event), ['good']);
  assert.deepEqual(
    broken,
    names.map((name) => `${name}: Error: a bug`),
  );
  assert.deepEqual(matches(set, named('b')), ['good']);
});

describe('selection', () => {
  const rules = rulesOf(
    rule('Read secret', 'proc.name = a', '  tags: [files, web]\n') +
      rule('Write secret', 'proc.name = b', '  tags: [files]\n  enabled: false\n') +
      rule('Shell', 'proc.name = c', '  tags: [web]\n'),
  );
  const chosen = (...selections: RuleSelection[]) => selectRules(rules, selections).map(({ name }) => name);

  test('by name, wildcard and tag, in order', () => {
    assert.deepEqual(chosen(), ['Read secret', 'Shell']);
    const enable = (by: 'name' | 'tag', value: string) => ({ action: 'enable', by, value }) as const;
    const disable = (by: 'name' | 'tag', value: string) => ({ action: 'disable', by, value }) as const;
    assert.deepEqual(chosen(enable('name', 'Write secret')), ['Read secret', 'Write secret', 'Shell']);
    assert.deepEqual(chosen(disable('name', '*')), []);
    assert.deepEqual(chosen(disable('name', '*'), enable('tag', 'web')), ['Read secret', 'Shell']);
    assert.deepEqual(chosen(disable('name', 'R*d*secret')), ['Shell']);
    assert.deepEqual(chosen(disable('name', '*e*e*')), ['Shell']);
    assert.deepEqual(chosen(disable('name', 'Read*t*e')), ['Read secret', 'Shell']);
    assert.deepEqual(chosen(disable('name', '')), ['Read secret', 'Shell']);
    assert.deepEqual(chosen(enable('tag', 'files'), disable('tag', 'web')), ['Write secret']);
  });
});

test('a part of a name is enough to leave a rule out, and not to have it', () => {
  const rules = rulesOf(
    rule('Read secret', 'proc.name = a') + rule('Write secret', 'proc.name = b', '  enabled: false\n'),
  );
  const chosen = (...selections: RuleSelection[]) => selectRules(rules, selections).map(({ name }) => name);
  const select = (action: RuleSelection['action'], value: string) => ({ action, by: 'name', value }) as const;
  assert.deepEqual(chosen(select('disable', 'ad sec')), []);
  assert.deepEqual(chosen(select('disable', 'secret'), select('enable', 'Write secret')), ['Write secret']);
  assert.deepEqual(chosen(select('disable', 'Secret')), ['Read secret'], 'case counts');
  assert.deepEqual(chosen(select('enable', 'Write')), ['Read secret']);
});

test('selections that choose nothing are told, with what was probably meant', () => {
  const rules = rulesOf(
    rule('Shell by a request', 'proc.name = a', '  tags: [web]\n') + rule('Other', 'proc.name = b'),
  );
  const idle = (by: 'name' | 'tag', value: string) =>
    idleSelections(rules, [{ action: 'enable', by, value }]);
  assert.deepEqual(idle('name', 'Shell*'), []);
  assert.deepEqual(idle('tag', 'web'), []);
  assert.deepEqual(idle('name', 'Othre'), ["there is no rule 'Othre'; did you mean 'Other'?"]);
  assert.deepEqual(idle('name', 'request'), [
    "there is no rule 'request'; a part of a name has stars around it: '*request*'",
  ]);
  assert.deepEqual(idle('tag', 'wep'), ["no rule has the tag 'wep'; did you mean 'web'?"]);
  assert.deepEqual(idle('name', 'x*y'), ["there is no rule 'x*y'"]);
});

test('compiled, merged and looked up, rules mean what their checks mean one by one', () => {
  const check = fc.constantFrom(
    ...[
      'proc.name = cat',
      'proc.name in (cat, dog)',
      'proc.name startswith c',
      'proc.name startswith do',
      'proc.name contains o',
      'proc.name startswith cat',
      'proc.name endswith dog',
      'proc.name contains cow',
    ],
    ...[
      'proc.name != cat',
      'proc.name exists',
      'evt.type = execve',
      'evt.type in (execve, openat)',
      'proc.pname = cat',
      'proc.aname = dog',
    ],
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
  const name = fc.constantFrom('cat', 'dog', 'cow', 'do', '');
  const event = fc
    .tuple(name, fc.option(name), fc.constantFrom('execve', 'openat', 'connect'))
    .map(([comm, parent, type]) =>
      makeEvent({
        type,
        process: makeProcess({ comm, parent: parent === null ? null : makeProcess({ comm: parent }) }),
      }),
    );
  const known = new Map<string, boolean>();
  fc.assert(
    fc.property(fc.array(condition, { minLength: 1, maxLength: 8 }), event, (conditions, one) => {
      known.clear();
      const rules = conditions.map((text, index) => rule(`r${index}`, text)).join('');
      const expected = conditions.flatMap((text, index) => (slow(text, one, known) ? [`r${index}`] : []));
      assert.deepEqual(matches(setOf(rules), one), expected);
      assert.deepEqual(matches(setOf(rules, 'first'), one), expected.slice(0, 1));
    }),
    { numRuns: 400 },
  );
});

/** The condition with each check evaluated on its own, as JavaScript. */
function slow(condition: string, event: RuleEvent, known: Map<string, boolean>): boolean {
  const script = condition.replace(
    /(?:proc|evt)\.\w+ (?:exists|(?:=|!=|startswith|endswith|contains) \w+|in \([^)]*\))/g,
    (check) => {
      const value = known.get(check) ?? isTrue(check, event);
      known.set(check, value);
      return String(value);
    },
  );
  return booleanOf(
    script
      .replace(/\band\b/g, '&')
      .replace(/\bor\b/g, '|')
      .replace(/\bnot\b/g, '!')
      .replace(/\s/g, ''),
  );
}

function booleanOf(script: string): boolean {
  let text = script;
  for (;;) {
    const next = text
      .replace(/\((true|false)\)/g, '$1')
      .replace(/!(true|false)/g, (_, value) => String(value !== 'true'))
      .replace(/\((true|false)&(true|false)\)/g, (_, a, b) => String(a === 'true' && b === 'true'))
      .replace(/\((true|false)\|(true|false)\)/g, (_, a, b) => String(a === 'true' || b === 'true'));
    if (next === text) break;
    text = next;
  }
  if (text !== 'true' && text !== 'false') throw new Error(text);
  return text === 'true';
}
