import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import fc from 'fast-check';
import { isTrue, makeConnection, makeEvent, rulesOf, ruleText } from '../testing.ts';
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
