import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { byteStringFromText } from './bytes.ts';
import { printable, printableText } from './printable.ts';

test('ordinary text stays as it is', () => {
  assert.equal(printable(byteStringFromText('/srv/größe/写')), '/srv/größe/写');
  assert.equal(printableText('a b'), 'a b');
});

test('controls, reordering and invisible characters are escaped', () => {
  assert.equal(printable('\x1b[2J\r\n\t\x00\x7f'), String.raw`\e[2J\r\n\t\x00\x7f`);
  assert.equal(
    printableText('\u009b1m\u202e\u2066\u200b\ufeff\u2028\u061c\u{e0041}\ud800'),
    String.raw`\x9b1m\u{202e}\u{2066}\u{200b}\u{feff}\u{2028}\u{61c}\u{e0041}\u{d800}`,
  );
});

test('bytes that are no UTF-8 are shown one by one, C1 controls among them escaped', () => {
  assert.equal(printable('\xff\x9b'), String.raw`ÿ\x9b`);
});

test('ASCII-only output escapes everything else, since a Latin-1 terminal reads UTF-8 bytes as controls', () => {
  assert.equal(printableText('Û…', 400, { asciiOnly: true }), String.raw`\xdb\u{2026}`);
});

test('long text is cut between characters', () => {
  assert.equal(printableText('abcdef', 3), 'abc…');
  assert.equal(printableText('abcdef', 3, { asciiOnly: true }), 'abc...');
  assert.equal(printableText('😀😀😀', 2), '😀😀…');
  assert.equal(printableText('😀😀', 2), '😀😀');
  assert.equal(printable('x'.repeat(10_000), 5), 'xxxxx…');
});
