import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { bytesOf } from '../../base/bytes.ts';
import { HpackDecoder, MAX_BLOCK_BYTES } from './hpack.ts';
import type { HeaderList } from './header-list.ts';
import { decodeHuffman } from './huffman.ts';
import { literal } from './testing.ts';

function huffman(hex: string): string | null {
  const bytes = Buffer.from(hex.replaceAll(' ', ''), 'hex');
  const target = Buffer.alloc(bytes.length * 2);
  const count = decodeHuffman(bytes, 0, bytes.length, target);
  return count === -1 ? null : target.toString('latin1', 0, count);
}

function decode(decoder: HpackDecoder, block: string | Buffer, isCut = false): HeaderList {
  const bytes = typeof block === 'string' ? bytesOf(block) : block;
  return decoder.decode(bytes, 0, bytes.length, isCut);
}

const texts = (list: HeaderList): string[] => list.fields.map(([name, value]) => `${name}: ${value}`);
const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');

describe('Huffman code', () => {
  it('reads the strings of RFC 7541, Appendix C', () => {
    assert.equal(huffman('f1e3 c2e5 f23a 6ba0 ab90 f4ff'), 'www.example.com');
    assert.equal(huffman('a8eb 1064 9cbf'), 'no-cache');
    assert.equal(
      huffman('d07a be94 1054 d444 a820 0595 040b 8166 e082 a62d 1bff'),
      'Mon, 21 Oct 2013 20:13:21 GMT',
    );
    assert.equal(
      huffman(
        '94e7 821d d7f2 e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07',
      ),
      'foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1',
    );
  });

  it('reads the longest codes: 0x0a, 0x16, 0xff, 0xf9', () => {
    // 30 bits of 0x3ffffffc and two of padding; 26 bits of 0x3ffffee; 28 bits of 0xffffffe.
    assert.equal(huffman('ff ff ff f3'), '\n');
    assert.equal(huffman('ff ff ff fb'), '\x16');
    assert.equal(huffman('ff ff fb bf'), '\xff');
    assert.equal(huffman('ff ff ff ef'), '\xf9');
  });

  it('refuses padding that is too long, that has a zero, and the end of the string inside', () => {
    assert.equal(huffman('1f'), 'a');
    assert.equal(huffman('1fff'), null);
    assert.equal(huffman('1e'), null);
    assert.equal(huffman('ffff ffff'), null);
    assert.equal(huffman(''), '');
  });
});

describe('header blocks of RFC 7541', () => {
  it('C.2.1 to C.2.4: each representation', () => {
    assert.deepEqual(
      texts(
        decode(new HpackDecoder(), hex('400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572')),
      ),
      ['custom-key: custom-header'],
    );
    assert.deepEqual(texts(decode(new HpackDecoder(), hex('040c 2f73 616d 706c 652f 7061 7468'))), [
      ':path: /sample/path',
    ]);
    assert.deepEqual(texts(decode(new HpackDecoder(), hex('1008 7061 7373 776f 7264 0673 6563 7265 74'))), [
      'password: secret',
    ]);
    assert.deepEqual(texts(decode(new HpackDecoder(), hex('82'))), [':method: GET']);
  });

  it('C.4: requests on one connection', () => {
    const decoder = new HpackDecoder();
    const first = [':method: GET', ':scheme: http', ':path: /', ':authority: www.example.com'];
    assert.deepEqual(texts(decode(decoder, hex('8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff'))), first);
    assert.deepEqual(texts(decode(decoder, hex('8286 84be 5886 a8eb 1064 9cbf'))), [
      ...first,
      'cache-control: no-cache',
    ]);
    assert.deepEqual(
      texts(decode(decoder, hex('8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf'))),
      [
        ':method: GET',
        ':scheme: https',
        ':path: /index.html',
        ':authority: www.example.com',
        'custom-key: custom-value',
      ],
    );
  });

  it('C.5: replies through a table of 256 bytes, with evictions', () => {
    const decoder = new HpackDecoder();
    decode(decoder, '\x3f\xe1\x01');
    const first = [
      ':status: 302',
      'cache-control: private',
      'date: Mon, 21 Oct 2013 20:13:21 GMT',
      'location: https://www.example.com',
    ];
    assert.deepEqual(
      texts(
        decode(
          decoder,
          hex(
            '4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3120 474d 546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70 6c65 2e63 6f6d',
          ),
        ),
      ),
      first,
    );
    assert.deepEqual(texts(decode(decoder, hex('4803 3330 37c1 c0bf'))), [':status: 307', ...first.slice(1)]);
    // :status: 302 is gone by now.
    assert.equal(decode(decoder, '\xc2').isMalformed, true);
  });
});

describe('what is not there', () => {
  it('is told as unknown after a gap, and what came since is known', () => {
    const decoder = new HpackDecoder();
    decode(decoder, literal('x-old', 'before', true));
    decoder.lose();
    decode(decoder, literal('x-new', 'after', true));
    const list = decode(decoder, '\xbe\xbf\x82');
    assert.deepEqual(texts(list), ['x-new: after', ':method: GET']);
    assert.equal(list.hasUnknown, true);
    assert.equal(list.isMalformed, false);
  });

  it('leaves the value where only the name is unknown', () => {
    const decoder = new HpackDecoder();
    decoder.lose();
    const list = decode(decoder, '\x7e\x03one\xbe');
    assert.deepEqual(list.fields, [
      ['', 'one'],
      ['', 'one'],
    ]);
    assert.equal(list.hasUnknown, true);
  });

  it('ends with a block that empties the table', () => {
    const decoder = new HpackDecoder();
    decoder.lose();
    decode(decoder, `\x20\x3f\xe1\x1f${literal('x-a', '1', true)}`);
    assert.deepEqual(texts(decode(decoder, '\xbe')), ['x-a: 1']);
    assert.equal(decode(decoder, '\xbf').isMalformed, true);
  });

  it('in a cut block: what stands before the cut, also the beginning of a plain value', () => {
    const decoder = new HpackDecoder();
    const list = decode(decoder, `\x82${literal('x-a', 'a value of some length').slice(0, -2)}`, true);
    assert.deepEqual(texts(list), [':method: GET', 'x-a: a value of some leng']);
    assert.deepEqual(decode(decoder, literal(':method', 'PUT').slice(0, -1), true).fields, []);
    assert.equal(list.isCut, true);
    assert.equal(list.isMalformed, false);
    assert.equal(decode(decoder, '\xbe').hasUnknown, true);
  });

  it('is malformed where nothing was missed', () => {
    for (const block of [
      '\x80',
      '\xbe',
      '\x7e\x01a',
      '\x40\x00\x01a',
      '\xff\xff\xff\xff\xff\x01',
      '\x40\x05ab',
      '\x00',
    ]) {
      assert.equal(decode(new HpackDecoder(), block).isMalformed, true, JSON.stringify(block));
    }
  });
});

describe('bounds', () => {
  it('of one list: fields and bytes', () => {
    const many = decode(new HpackDecoder(), '\x82'.repeat(5000));
    assert.equal(many.fields.length, 264);
    assert.equal(many.isOversized, true);
    const decoder = new HpackDecoder();
    decode(decoder, literal('x', 'v'.repeat(3000), true));
    const bomb = decode(decoder, '\xbe'.repeat(200));
    assert.equal(bomb.fields.length, 5);
    assert.equal(bomb.isOversized, true);
  });

  it('of a table larger than what is kept: its older part is unknown, not wrong', () => {
    const decoder = new HpackDecoder();
    decode(decoder, '\x3f\xe1\xff\x03');
    for (let index = 0; index < 40; index++)
      decode(decoder, literal('x', `${index}`.padEnd(1000, '.'), true));
    assert.equal(decode(decoder, '\xbe').fields[0]?.[1].startsWith('39.'), true);
    const old = decode(decoder, '\xe0');
    assert.deepEqual([old.fields.length, old.hasUnknown, old.isMalformed], [0, true, false]);
  });

  it('whatever the bytes are', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 8 }),
        fc.boolean(),
        (blocks, isCut) => {
          const decoder = new HpackDecoder();
          for (const block of blocks) decoder.decode(block, 0, block.length, isCut);
        },
      ),
      { numRuns: 300 },
    );
    assert.doesNotThrow(() => decode(new HpackDecoder(), Buffer.alloc(MAX_BLOCK_BYTES, 0xaa)));
  });
});
