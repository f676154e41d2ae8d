import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { byteString, bytesOf, byteStringFromText, textFromByteString } from './bytes.ts';

test('bytes and byte strings are the same thing', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      const text = byteString(bytes);
      assert.equal(text.length, bytes.length);
      assert.deepEqual([...bytesOf(text)], [...bytes]);
    }),
  );
});

test('a byte string is of its range only, and does not change with its source', () => {
  const memory = Uint8Array.from({ length: 20 }, (_, index) => 65 + index);
  const part = memory.subarray(5, 15);
  const text = byteString(part, 1, 4);
  assert.equal(text, 'GHI');
  memory.fill(0);
  assert.equal(text, 'GHI');
  assert.equal(byteString(part, 8, 4), '');
  assert.equal(byteString(new Uint8Array(0)), '');
});

test('what is no byte is cut to one', () => {
  assert.deepEqual([...bytesOf('aŁ')], [0x61, 0x41]);
});

test('text goes through UTF-8 and back', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const wellFormed = text.toWellFormed();
      assert.equal(textFromByteString(byteStringFromText(wellFormed)), wellFormed);
    }),
  );
  assert.equal(byteStringFromText('ä'), '\xc3\xa4');
});

test('bytes that are no UTF-8 are one character each, and none is lost', () => {
  for (const bytes of ['\xff', 'a\xc3', '\xc0\xaf', '\xed\xa0\x80', '\xf8\x88\x80\x80\x80'])
    assert.equal(textFromByteString(bytes), bytes);
});
