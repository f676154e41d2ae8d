import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import fc from 'fast-check';
import { isTrue, makeConnection, makeEvent, makeProcess, rulesOf, ruleText } from '../testing.ts';
import { ConditionCompiler } from './condition.ts';

/** How many tests a condition has come to. */
function testsOf(condition: string): number {
  const [rule] = rulesOf(ruleText(condition));
  assert.ok(rule !== undefined);
  const compiled = new ConditionCompiler(null, () => {}).compile(rule.condition);
  if (compiled.kind === 'constant') return 0;
  const { code } = compiled;
  return code.kind === 'and' || code.kind === 'or' ? code.parts.length : 1;
}

test('checks of one field for several values are one', () => {
  const cases: readonly (readonly [condition: string, tests: number])[] = [
    ['fd.sport = 1 or fd.sport = 2 or fd.sport in (3, 4)', 1],
    ['fd.port = 1 or fd.port = 2', 1],
    ['fd.sport = 1 or fd.cport = 2', 2],
    ['fd.sport = 1 or fd.sport > 2', 2],
    ['fd.sport = 1 or fd.sport != 2', 2],
    ['fd.sip = 1.1.1.1 or fd.sip = ::1', 1],
    ['fd.net = 10.0.0.0/8 or fd.net in (::/0)', 1],
    ['not fd.sport = 1 and not fd.sport = 2', 1],
    ['proc.name = a or proc.name in (b, c)', 1],
    ['fd.sport != 1 and fd.sport != 2 and fd.sport != 3', 1],
    ['proc.name != a and proc.name != allof (b, c)', 1],
    ['fd.ip != 1.1.1.1 and fd.ip != ::1', 1],
    ['proc.name != a and not proc.name = b', 2],
    ['proc.name != a and proc.name != val(proc.pname)', 2],
    // Of ancestors each check may be true of another one.
    ['proc.aname != a and proc.aname != b', 2],
  ];
  for (const [condition, tests] of cases) assert.equal(testsOf(condition), tests, condition);
});

test('and mean what each means alone', () => {
  const addresses = ['10.0.0.5', '10.0.0.6', '192.0.2.1', '::1', '::ffff:10.0.0.5', '2001:db8::1'];
  const address = fc.constantFrom(...addresses);
  const port = fc.constantFrom(1, 22, 443);
  const check = fc.oneof(
    fc
      .tuple(fc.constantFrom('fd.sport', 'fd.cport', 'fd.port'), fc.constantFrom('=', '!='), port)
      .map((parts) => parts.join(' ')),
    fc
      .tuple(fc.constantFrom('fd.sip', 'fd.cip', 'fd.ip'), fc.constantFrom('=', '!='), address)
      .map((parts) => parts.join(' ')),
    fc
      .tuple(
        fc.constantFrom('fd.snet', 'fd.net', 'fd.ip'),
        fc.constantFrom('in', 'intersects'),
        fc.array(address, { minLength: 1, maxLength: 3 }),
      )
      .map(([field, operator, values]) => `${field} ${operator} (${values.join(', ')})`),
    fc.constantFrom('fd.net = 10.0.0.0/8', 'fd.net != ::/0', 'fd.sport in (1, 443)', 'fd.port >= 443'),
  );
  const end = fc.option(fc.record({ address, port }), { freq: 10 });
  const signed = fc.tuple(fc.constantFrom('', 'not '), check).map(([not, text]) => not + text);
  fc.assert(
    fc.property(fc.array(signed, { minLength: 1, maxLength: 6 }), end, end, (checks, client, server) => {
      const event = makeEvent({ type: 'connect', descriptor: makeConnection({ client, server }) });
      const alone = checks.map((text) => isTrue(text, event));
      assert.equal(isTrue(checks.join(' or '), event), alone.includes(true), checks.join(' or '));
      assert.equal(isTrue(checks.join(' and '), event), !alone.includes(false), checks.join(' and '));
    }),
    { numRuns: 300 },
  );
});

test('a chain of differences wants a value, and of ancestors one that differs from each', () => {
  const nobody = makeEvent({ type: 'connect', process: null });
  assert.equal(isTrue('proc.name != a and proc.name != b', nobody), false);
  assert.equal(isTrue('not proc.name = a and not proc.name = b', nobody), true);
  assert.equal(isTrue('proc.name != allof (a, b)', nobody), false);
  assert.equal(isTrue('fd.sport != 1 and fd.sport != 2', makeEvent({ type: 'connect' })), false);
  const child = makeProcess({
    parent: makeProcess({ comm: 'a', parent: makeProcess({ comm: 'b', pid: 3 }) }),
  });
  const event = makeEvent({ type: 'connect', process: child });
  assert.equal(isTrue('proc.aname != a and proc.aname != b', event), true);
  assert.equal(isTrue('proc.name != cat and proc.name != dog', event), false);
  assert.equal(isTrue('proc.name != dog and proc.name != cow', event), true);
});

test('many conjunctions, found by a value of one of their fields, mean what each means alone', () => {
  const names = ['a', 'b', 'c'];
  const check = fc.oneof(
    fc
      .tuple(
        fc.constantFrom('proc.name', 'proc.pname', 'proc.aname', 'proc.cwd'),
        fc.constantFrom('=', '!=', 'startswith'),
        fc.constantFrom(...names),
      )
      .map((parts) => parts.join(' ')),
    fc
      .tuple(fc.constantFrom('proc.name', 'proc.pname'), fc.subarray(names, { minLength: 1 }))
      .map(([field, values]) => `${field} in (${values.join(', ')})`),
    fc.constantFrom('evt.type = connect', 'evt.type = execve', 'fd.sport = 443', 'thread.vtid = 1'),
  );
  const signed = fc.tuple(fc.constantFrom('', '', '', 'not '), check).map(([not, text]) => not + text);
  const row = fc.array(signed, { minLength: 1, maxLength: 3 }).map((parts) => `(${parts.join(' and ')})`);
  const name = fc.constantFrom(...names, 'other');
  fc.assert(
    fc.property(
      fc.array(row, { minLength: 8, maxLength: 24 }),
      fc.option(fc.tuple(name, name, name), { freq: 10 }),
      (rows, process) => {
        const event = makeEvent({
          type: 'connect',
          descriptor: makeConnection(),
          process:
            process &&
            makeProcess({
              comm: process[0],
              workingDirectory: process[2],
              parent: makeProcess({ comm: process[1], pid: 2 }),
            }),
        });
        const alone = rows.some((one) => isTrue(one, event));
        assert.equal(isTrue(rows.join(' or '), event), alone, rows.join(' or '));
        assert.equal(isTrue(`not (${rows.join(' or ')})`, event), !alone, rows.join(' or '));
      },
    ),
    { numRuns: 150 },
  );
});

test('of a thousand tuples those of the value alone are looked at', () => {
  const rows = Array.from({ length: 1000 }, (_, index) => `(proc.name = n${index} and fd.name = /x${index})`);
  assert.equal(testsOf(rows.join(' or ')), 1);
  const event = (comm: string, name: string) =>
    makeEvent({ process: makeProcess({ comm }), descriptor: { kind: 'file', name } });
  assert.equal(isTrue(rows.join(' or '), event('n999', '/x999')), true);
  assert.equal(isTrue(rows.join(' or '), event('n999', '/x998')), false);
  assert.equal(isTrue(rows.join(' or '), event('m', '/x0')), false);
});
