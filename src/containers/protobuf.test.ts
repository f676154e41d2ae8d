import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { UnreadableAnswer } from './answer.ts';
import { encodeField, Message } from './protobuf.ts';
import { labels, message } from './testing.ts';

const bytes = (hex: string): Uint8Array => Buffer.from(hex.replaceAll(' ', ''), 'hex');

test('texts, messages and maps are read, numbers passed over', () => {
  // The example of the encoding guide (field 2, "testing"), with each other wire type around it.
  const read = new Message(bytes('08 9601  12 07 74657374696e67  19 0102030405060708  25 01020304'));
  assert.equal(read.text(2), 'testing');
  assert.ok(read.has(2) && !read.has(1));
  assert.equal(read.text(9), '');
  const nested = new Message(message({ 300: message({ 1: 'a', 2: 'grüße' }), 8: labels({ x: '1', y: '' }) }));
  assert.deepEqual([nested.message(300).text(2), nested.message(7).text(1)], ['grüße', '']);
  assert.deepEqual(
    [...nested.entries(8)],
    [
      ['x', '1'],
      ['y', ''],
    ],
  );
  assert.equal(new Message(message({ 1: [bytes('61'), bytes('62')] })).text(1), 'b', 'the last one counts');
});

test('what is written is what is read', () => {
  assert.deepEqual(encodeField(2, 'testing'), Buffer.from(bytes('12 07 74657374696e67')));
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 536_870_911 }),
      fc.string({ unit: 'grapheme', maxLength: 300 }),
      (field, text) => {
        assert.equal(new Message(encodeField(field, text)).text(field), text);
      },
    ),
  );
});

test('bytes that are no message are told, whatever they are', () => {
  for (const hex of [
    '12',
    '12 05 61',
    '80',
    '09 01',
    '0d 01',
    '0b',
    'ff'.repeat(11),
    '12 ffffffffffffffff7f 61',
  ])
    assert.throws(() => new Message(bytes(hex)), UnreadableAnswer, hex);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (input) => {
      try {
        const read = new Message(input);
        for (let field = 1; field < 16; field++)
          for (const [key] of read.entries(field)) assert.ok(key !== null);
      } catch (error) {
        assert.ok(error instanceof UnreadableAnswer);
      }
    }),
    { numRuns: 2000 },
  );
});
