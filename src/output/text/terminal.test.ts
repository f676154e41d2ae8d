import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import type { EvidenceView } from '../views.ts';
import { markedValue } from './marked-value.ts';
import { createTerminal } from './terminal.ts';
import { durationText, exitText, sizeText } from './wording.ts';
import { displayWidth } from './width.ts';

const colorOf = (isTty: boolean, variables: Record<string, string>) =>
  createTerminal({ isTty, columns: null, variables }).hasColor;

test('colors: only on terminals, NO_COLOR and TERM=dumb take them away, FORCE_COLOR decides', () => {
  assert.equal(colorOf(true, { TERM: 'xterm' }), true);
  assert.equal(colorOf(false, { TERM: 'xterm' }), false);
  assert.equal(colorOf(true, { NO_COLOR: '1' }), false);
  assert.equal(colorOf(true, { NO_COLOR: '' }), true);
  assert.equal(colorOf(true, { TERM: 'dumb' }), false);
  assert.equal(colorOf(false, { FORCE_COLOR: '1', NO_COLOR: '1' }), true);
  assert.equal(colorOf(true, { FORCE_COLOR: '0' }), false);
});

test('unicode follows the locale as setlocale does', () => {
  const unicodeOf = (variables: Record<string, string>) =>
    createTerminal({ isTty: true, columns: null, variables }).hasUnicode;
  assert.equal(unicodeOf({ LANG: 'de_DE.UTF-8' }), true);
  assert.equal(unicodeOf({ LANG: 'C.utf8' }), true);
  assert.equal(unicodeOf({ LC_ALL: 'C', LANG: 'de_DE.UTF-8' }), false);
  assert.equal(unicodeOf({}), false);
});

test('marks stand under the bytes, whatever is before them', () => {
  const terminal = createTerminal({ isTty: false, columns: null, variables: { LANG: 'C.UTF-8' } });
  const evidence = (sinkValue: string, span: string): EvidenceView => ({
    source: 'x',
    value: span,
    sink: 'argv[2]',
    sinkValue,
    offset: sinkValue.indexOf(span),
    length: span.length,
    note: '',
  });
  assert.deepEqual(markedValue(evidence('a\tb;id', ';id'), terminal, 80), [String.raw`a\tb;id`, '    ^^^']);
  assert.deepEqual(markedValue(evidence('写;id', ';id'), terminal, 80), ['写;id', '  ^^^']);
  const long = markedValue(evidence('x'.repeat(500) + ';id' + 'y'.repeat(500), ';id'), terminal, 120);
  assert.equal(long.length, 2);
  const [text = '', marks = ''] = long;
  assert.ok(displayWidth(text) <= 121, text);
  assert.equal(text.slice(marks.indexOf('^'), marks.lastIndexOf('^') + 1), ';id');
  assert.deepEqual(markedValue({ ...evidence('abc', 'b'), offset: -1 }, terminal, 80), ['abc']);
});

test('wording of numbers', () => {
  assert.deepEqual([0.854, 12.4, 3210, 125_000].map(durationText), [
    '0.85 ms',
    '12 ms',
    '3.2 s',
    '2 min 5 s',
  ]);
  assert.deepEqual([512, 3_355_443].map(sizeText), ['512 B', '3.2 MiB']);
  assert.deepEqual([0, 127, 139].map(exitText), ['exit 0', 'exit 127', 'exit 139 (SIGSEGV)']);
});
