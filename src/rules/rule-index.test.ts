import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { RuleSet } from './rule-set.ts';
import { makeEvent, makeProcess, ruleText, rulesOf } from './testing.ts';

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
