import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { isTrue, load, makeEvent, makeProcess, problemsOf, ruleText } from '../testing.ts';

const runs = (comm: string) => makeEvent({ process: makeProcess({ comm }) });

test('an alias stands for what its anchor names: a list, an item of one, a text', () => {
  const lists = '- list: a\n  items: &x [b, &y c]\n- list: d\n  items: *x\n- list: e\n  items: [*y, f]\n';
  assert.equal(isTrue('proc.name in (d)', runs('b'), lists), true);
  assert.equal(isTrue('proc.name in (e)', runs('c'), lists), true);
  assert.equal(isTrue('proc.name in (e)', runs('b'), lists), false);
  const text = '- macro: m\n  condition: &c proc.name = b\n- macro: n\n  condition: *c\n';
  assert.equal(isTrue('n', runs('b'), text), true);
  const again = '- list: a\n  items: &x [b]\n- list: c\n  items: &x [d]\n- list: e\n  items: *x\n';
  assert.equal(isTrue('proc.name in (e)', runs('b'), again), false);
});

test('aliases that cannot be are told with their place', () => {
  const errorsOf = (text: string) => problemsOf(load(text + ruleText('proc.name = a')));
  assert.deepEqual(errorsOf('- list: a\n  items: *x\n'), ["a.yaml:2:10 yaml there is no anchor 'x' before"]);
  assert.deepEqual(errorsOf('- &a [*a]\n'), ["a.yaml:1:7 yaml the anchor 'a' contains itself"]);
});

test('aliases of aliases are neither multiplied nor nested without an end', () => {
  const doubled = Array.from({ length: 40 }, (_, index) => `- &a${index + 1} [*a${index}, *a${index}]\n`);
  assert.match(problemsOf(load(`- &a0 [x]\n${doubled.join('')}`)).join('\n'), /more than 200000 values/);
  const nested = Array.from({ length: 8000 }, (_, index) => `- &a${index + 1} [*a${index}]\n`);
  assert.match(problemsOf(load(`- &a0 [x]\n${nested.join('')}`)).join('\n'), /more than 200000|too deeply/);
});
