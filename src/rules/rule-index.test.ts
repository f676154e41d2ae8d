import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { RuleSet } from './rule-set.ts';
import { makeConnection, makeEvent, makeProcess, ruleText, rulesOf } from './testing.ts';

test('rules that are found by hundreds of fields', () => {
  const text = Array.from({ length: 200 }, (_, index) =>
    ruleText(`evt.type = execve and proc.aname[${index}] = name${index}`).replace(
      'rule: r',
      `rule: r${index}`,
    ),
  ).join('');
  const onBroken = (_: unknown, error: unknown) => assert.fail(String(error));
  const set = new RuleSet(rulesOf(text), { matching: 'all', onBroken });
  const named = new Set([0, 31, 32, 199]);
  let process = makeProcess();
  for (let index = 199; index >= 0; index--)
    process = makeProcess({ comm: named.has(index) ? `name${index}` : 'other', parent: process });
  const names: string[] = [];
  set.evaluate(makeEvent({ process }), ({ name }) => names.push(name));
  assert.deepEqual(names, ['r0', 'r31', 'r32', 'r199']);
  const evaluated = set.rules.reduce((sum, rule) => sum + set.countersOf(rule).evaluated, 0);
  assert.equal(evaluated, 4);
});

test('of a thousand rules for ports and addresses those of the connection alone are run', () => {
  const named = (condition: string, name: string) => ruleText(condition).replace('rule: r', `rule: ${name}`);
  const text = Array.from({ length: 500 }, (_, index) => [
    named(`evt.type = connect and fd.sport = ${index}`, `p${index}`),
    named(
      `evt.type = connect and fd.sip in (10.0.${index >> 8}.${index & 255}, 2001:db8::${index.toString(16)})`,
      `a${index}`,
    ),
  ]).flat();
  const onBroken = (_: unknown, error: unknown) => assert.fail(String(error));
  const set = new RuleSet(rulesOf(text.join('')), { matching: 'all', onBroken });
  const matchedBy = (address: string, port: number) => {
    const names: string[] = [];
    const server = { address, port };
    const event = makeEvent({ type: 'connect', descriptor: makeConnection({ server }) });
    set.evaluate(event, ({ name }) => names.push(name));
    return names;
  };
  assert.deepEqual(matchedBy('10.0.1.1', 22), ['p22', 'a257']);
  assert.deepEqual(matchedBy('::ffff:10.0.0.9', 499), ['a9', 'p499']);
  assert.deepEqual(matchedBy('2001:0db8:0::7', 500), ['a7']);
  assert.deepEqual(matchedBy('10.0.2.0', 65_535), []);
  assert.deepEqual(matchedBy('no address', 0), ['p0']);
  const evaluated = set.rules.reduce((sum, rule) => sum + set.countersOf(rule).evaluated, 0);
  assert.equal(evaluated, 6);
});
