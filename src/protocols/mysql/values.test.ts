import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { bytesOf } from '../../base/bytes.ts';
import { countPlaceholders } from './parameters.ts';
import { Reader } from './parser.ts';
import { readValue } from './values.ts';

describe('values', () => {
  const CASES: readonly (readonly [type: number, bytes: string, expected: string | null])[] = [
    [0x01, '\xff', '-1'],
    [0x8001, '\xff', '255'],
    [0x02, '\x00\x80', '-32768'],
    [0x03, '\xfe\xff\xff\xff', '-2'],
    [0x8003, '\xfe\xff\xff\xff', '4294967294'],
    [0x08, '\xff\xff\xff\xff\xff\xff\xff\xff', '-1'],
    [0x8008, '\xff\xff\xff\xff\xff\xff\xff\xff', '18446744073709551615'],
    [0x04, '\xcd\xcc\xcc\x3d', '0.1'],
    [0x05, '\x9a\x99\x99\x99\x99\x99\xb9\x3f', '0.1'],
    [0x06, '', 'NULL'],
    [0x0a, '\x04\xe8\x07\x02\x1d', '2024-02-29'],
    [0x0c, '\x00', '0000-00-00'],
    [0x07, '\x07\xe8\x07\x02\x1d\x01\x02\x03', '2024-02-29 01:02:03'],
    [0x0b, '\x0c\x01\x01\x00\x00\x00\x02\x03\x04\x20\xa1\x07\x00', '-26:03:04.500000'],
    [0x0b, '\x00', '00:00:00'],
    [0xf6, '\x0412.5', '12.5'],
    [0xfd, '\xfc\x03\x00abc', 'abc'],
    [0xf3, 'abc', null],
  ];
  for (const [type, text, expected] of CASES)
    it(`type ${type.toString(16)} as ${expected}`, () => {
      const bytes = bytesOf(text);
      assert.equal(readValue(new Reader(bytes, 0, bytes.length), type), expected);
    });

  it('placeholders are counted outside of texts and comments', () => {
    assert.equal(countPlaceholders('select ?, \'?\', "\\"?", `?` /* ? */ -- ?\n, ? # ?'), 2);
    assert.equal(countPlaceholders("'"), 0);
  });
});
