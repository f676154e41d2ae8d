import assert from 'node:assert/strict';
import { test } from 'node:test';
import { reportAsText } from './report.ts';
import { loads, madeUpFigures, tally } from './testing.ts';

const TEXT = reportAsText([madeUpFigures()]);
const row = (name: string, part = TEXT): string[] =>
  (part.split('\n').find((line) => line.startsWith(name)) ?? '').split(/ {2,}/);

test('a row for each kind of effect: each concurrency, without and with helping bytes', () => {
  const rights = Array.from({ length: 4 }, () => '50.0 : 75.0 %');
  const rest = ['4 (12.5 %)', '0', '25.0 %', '5.0', 'not met'];
  assert.deepEqual(row('made-up, program'), ['made-up, program started', '32', ...rights, ...rest]);
  const all = Array.from({ length: 4 }, () => '100 %');
  assert.deepEqual(row('made-up, query, R'), [
    'made-up, query, Redis',
    '800',
    ...all,
    '0',
    '0',
    '0',
    '-',
    'met',
  ]);
});

test('what was not measured is a dash', () => {
  const [effect] = madeUpFigures().effects;
  assert.ok(effect);
  const short = madeUpFigures({ name: 'short', effects: [{ ...effect, loads: loads([8], { right: 1 }) }] });
  const cells = row('short, program', reportAsText([madeUpFigures(), short]));
  assert.deepEqual(cells.slice(2, 6), ['-', '100 %', '-', '-']);
  assert.equal(cells.at(-1), 'unknown');
});

test('the baselines; kinds that none can judge have no row there', () => {
  const [, part = ''] = TEXT.split('judged in simple ways');
  const [baselines = ''] = part.split('What a request costs');
  const cells = row('made-up, program', baselines);
  assert.deepEqual(cells.slice(1), ['12.5 %', '87.5 %', '0', '100 %', '10.0', '10.0 %']);
  assert.doesNotMatch(baselines, /Redis/);
});

test('misled counts as missing', () => {
  const [effect] = madeUpFigures().effects;
  assert.ok(effect);
  const misled = { ...effect, loads: loads([1], { misled: 1, missing: 1, right: 2 }), thread: tally({}) };
  const cells = row('made-up, program', reportAsText([madeUpFigures({ effects: [misled] })]));
  assert.equal(cells[4], '50.0 %');
});

test('the cost: hits, system calls, events, and the throughput of each mode against the same round', () => {
  const [, costs = ''] = TEXT.split('What a request costs');
  const ratios = ['0.99', '0.97', '0.90', '0.85', '0.80 to 0.90', '2'];
  assert.deepEqual(row('made-up', costs), ['made-up', '12.3', '-', '20.0', ...ratios]);
});
