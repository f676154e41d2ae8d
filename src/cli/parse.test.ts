import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { defineCommand, type Command } from './command.ts';
import { choice, choices, count, duration, flag, ordered, text } from './option.ts';
import { asksForHelp, parseArguments } from './parse.ts';
import { nearestWord } from '../base/nearest-word.ts';

const command: Command = defineCommand({
  name: 'try',
  summary: '',
  description: [],
  positionals: [{ name: 'FILE', help: '' }],
  options: {
    all: flag('', 'a'),
    name: text('NAME', ''),
    limit: count('N', '', 'n'),
    duration: duration(''),
    level: choice('LEVEL', ['LOW', 'HIGH'], 'LOW', ''),
    type: choices('LIST', ['exec', 'open'], ''),
    on: ordered('NAME', ''),
    off: ordered('NAME', '', 'D'),
  },
  examples: [],
  run: () => Promise.resolve(0),
});

test('options get the types of their specs', () => {
  assert.deepEqual(parseArguments(command, ['x']).values, {
    all: false,
    name: null,
    limit: null,
    duration: null,
    level: 'LOW',
    type: null,
    on: [],
    off: [],
  });
  const args = [
    '-an',
    '5',
    '--name=a b',
    '--duration',
    '1.5m',
    '--level',
    'high',
    '--type',
    'open, exec',
    '--',
    '--x',
  ];
  const parsed = parseArguments(command, args);
  assert.deepEqual(parsed.positionals, ['--x']);
  assert.deepEqual(parsed.values, {
    all: true,
    name: 'a b',
    limit: 5,
    duration: 90_000,
    level: 'HIGH',
    type: new Set(['open', 'exec']),
    on: [],
    off: [],
  });
});

test('options whose order counts keep their texts and their places', () => {
  const { values } = parseArguments(command, ['-D', 'a, b', 'x', '--on=c', '--off', 'd']);
  assert.deepEqual(values['on'], [{ text: 'c', at: 3 }]);
  assert.deepEqual(values['off'], [
    { text: 'a, b', at: 0 },
    { text: 'd', at: 4 },
  ]);
  assert.throws(() => parseArguments(command, ['x', '--on', '']), /--on must not be empty/);
});

test('values that are none of the type are refused', () => {
  const bad = [
    ['--name='],
    ['--limit', '0'],
    ['--limit', '1e3'],
    ['--limit', '99999999999999999999'],
    ['--duration', '1d'],
    ['--duration', '999h', '--duration', '9999h'],
    ['--level', ''],
    ['--type', 'exec,,open'],
    ['--all=yes'],
  ];
  for (const args of bad) {
    assert.throws(() => parseArguments(command, ['x', ...args]), { code: 'TL3002' }, args.join(' '));
  }
  assert.throws(() => parseArguments(command, ['x', 'y']), { code: 'TL3001' });
});

test('help is asked for before the end of options only', () => {
  assert.equal(asksForHelp(['x', '-h']), true);
  assert.equal(asksForHelp(['--', '--help']), false);
});

test('the nearest word: typing errors and beginnings, nothing far-fetched', () => {
  const words = ['run', 'trace', 'events', 'record', 'replay', 'doctor'];
  const cases = { tarce: 'trace', evnts: 'events', rec: 'record', Doctor: 'doctor', nur: null, banana: null };
  for (const [word, nearest] of Object.entries(cases)) assert.equal(nearestWord(word, words), nearest, word);
});
