import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import fc from 'fast-check';
import { areSameAddress, parseAddress } from './address.ts';
import { networkTest } from './network-set.ts';
import { parseNetwork, parseSingleAddress } from './network.ts';

const read = (text: string) => parseNetwork(text) ?? assert.fail(text);

test('addresses: ways to write the same one, families, and what is none', () => {
  assert.ok(areSameAddress('192.0.2.1', '::ffff:192.0.2.1'));
  assert.ok(areSameAddress('192.0.2.1', '::ffff:c000:201'));
  assert.ok(areSameAddress('::1', '0:0:0:0:0:0:0:1'));
  assert.ok(areSameAddress('2001:db8::', '2001:0DB8:0:0::0'));
  assert.ok(!areSameAddress('0.0.0.1', '::1'));
  assert.ok(!areSameAddress('x', 'x'));
  assert.ok(!areSameAddress('2001:db8::1', '2001:db8::2'));
  assert.deepEqual(parseAddress('255.255.255.255'), [0xffffffff]);
  assert.deepEqual(parseAddress('1:2:3:4:5:6:7.8.9.255'), [0x10002, 0x30004, 0x50006, 0x70809ff]);
  for (const wrong of [
    '',
    '1.2.3',
    '1.2.3.4.5',
    '256.1.1.1',
    '1..2.3',
    ':',
    ':::',
    ':1::',
    '1:',
    '1::2:',
    '1::2::3',
    '12345::',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7:8::',
    '1:2:3:4:5:6:7:1.2.3.4',
    '::1.2.3.4:5',
    '::1.2.3',
    'g::',
    '1.2.3.4::',
    'fe80::1%eth0',
  ])
    assert.equal(parseAddress(wrong), null, wrong);
  for (const wrong of ['10.0.0.0/33', '10.0.0.0/', '::/129', '10.0.0.0/-1', '10.0.0.0/8/8', 'x/8'])
    assert.equal(parseNetwork(wrong), null, wrong);
});

/** The address as the bits of its family. */
function bitsOf(groups: readonly number[], width: number): string {
  return groups.map((one) => one.toString(2).padStart(width, '0')).join('');
}

interface Written {
  readonly text: string;
  readonly bits: string;
}

/** Few values, so that addresses share beginnings of all lengths. */
const part = fc.constantFrom(0, 1, 2, 3, 128, 192, 255);
const ipv4: fc.Arbitrary<Written> = fc
  .tuple(fc.array(part, { minLength: 4, maxLength: 4 }), fc.constantFrom('', '::ffff:', '0:0::FFFF:'))
  .map(([octets, mapped]) => ({ text: mapped + octets.join('.'), bits: bitsOf(octets, 8) }));
const group = fc.constantFrom(0, 0, 0, 1, 0x8000, 0x2001, 0xffff);
const ipv6: fc.Arbitrary<Written> = fc
  .tuple(fc.array(group, { minLength: 8, maxLength: 8 }), fc.nat(8), fc.nat(8), fc.boolean(), fc.boolean())
  .map(([groups, from, to, isLong, endsAsIpv4]) => {
    const texts = groups.map((one) => (isLong ? one.toString(16).padStart(4, '0') : one.toString(16)));
    const [sixth = 0, seventh = 0] = groups.slice(6);
    const tail = [sixth >> 8, sixth & 255, seventh >> 8, seventh & 255].join('.');
    const written = endsAsIpv4 ? [...texts.slice(0, 6), tail] : texts;
    // Zeros in a row are left out, wherever they are.
    const areZeros = from < to && to <= 6 && groups.slice(from, to).every((one) => one === 0);
    const text = areZeros
      ? `${written.slice(0, from).join(':')}::${written.slice(to).join(':')}`
      : written.join(':');
    return { text, bits: bitsOf(groups, 16) };
  })
  .filter(({ bits }) => !bits.startsWith('0'.repeat(80) + '1'.repeat(16)));
const address = fc.oneof(ipv4, ipv6);
const network = fc.tuple(address, fc.nat(128)).map(([{ text, bits }, length]) => {
  const prefixBits = Math.min(bits.length, length);
  return { text: `${text}/${prefixBits}`, bits, prefixBits };
});

test('an address is in a set of networks where its first bits are those of one', () => {
  let inside = 0;
  fc.assert(
    fc.property(
      fc.array(network, { maxLength: 40 }),
      fc.array(address, { minLength: 1, maxLength: 20 }),
      (networks, addresses) => {
        const isIn = networkTest(networks.map(({ text }) => read(text)));
        for (const { text, bits } of addresses) {
          const expected = networks.some(
            (one) => one.bits.length === bits.length && bits.startsWith(one.bits.slice(0, one.prefixBits)),
          );
          assert.equal(isIn(text), expected, text);
          if (expected) inside++;
        }
      },
    ),
    { numRuns: 2000 },
  );
  assert.ok(inside > 1000, 'the test has seen too little');
});

test('an address is in a set of addresses where it is one of them', () => {
  fc.assert(
    fc.property(
      fc.array(address, { maxLength: 60 }),
      fc.array(address, { minLength: 1, maxLength: 20 }),
      (wanted, addresses) => {
        const isIn = networkTest(wanted.map(({ text }) => parseSingleAddress(text) ?? assert.fail(text)));
        for (const { text, bits } of [...addresses, ...wanted])
          assert.equal(
            isIn(text),
            wanted.some((one) => one.bits === bits),
            text,
          );
      },
    ),
    { numRuns: 500 },
  );
});

test('what is no address is in no network, and all of a family are in that of no bits', () => {
  const isIn = networkTest([read('0.0.0.0/0'), read('::/0')]);
  for (const wrong of ['', 'x', '1.2.3', '::1::', '/run/x.sock']) assert.equal(isIn(wrong), false, wrong);
  for (const right of ['0.0.0.0', '255.255.255.255', '::', 'ffff::', '::ffff:1.2.3.4'])
    assert.equal(isIn(right), true, right);
  assert.equal(networkTest([read('::/0')])('::ffff:1.2.3.4'), false);
  assert.equal(networkTest([])('1.2.3.4'), false);
});

test('fifty thousand networks are a set in no time, which finds each of them and nothing else', () => {
  const random = seeded(7);
  const texts = Array.from({ length: 50_000 }, (_, index) => {
    if (index % 5 === 0)
      return `2001:db8:${(random() * 65536) | 0}::${index.toString(16)}`.replace(/:\d{5}/, ':1');
    const octets = [1 + random() * 200, random() * 256, random() * 256, random() * 256].map(Math.floor);
    return index % 5 === 1 ? `${octets.join('.')}/${16 + (index % 16)}` : octets.join('.');
  });
  const networks = texts.map(read);
  const start = performance.now();
  const isIn = networkTest(networks);
  isIn('1.2.3.4');
  assert.ok(performance.now() - start < 1000, 'it took more than a second');
  for (const text of texts) assert.ok(isIn(text.replace(/\/.*/, '')), text);
  for (let index = 0; index < 1000; index++) {
    assert.ok(!isIn(`240.${index % 256}.${index >> 8}.1`));
    assert.ok(!isIn(`2001:db9::${index.toString(16)}`));
  }
});

/** Numbers from 0 to 1 that are the same each time. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

test('more addresses than are kept are read as the first ones are', () => {
  const isIn = networkTest([read('10.0.0.0/9'), read('2001:db8::/33')]);
  const texts = Array.from({ length: 10_000 }, (_, index) => [
    `10.${index % 256}.${index >> 8}.7`,
    `2001:db8:${index % 2 === 1 ? '8000' : '7fff'}::${index.toString(16)}`,
    `none ${index}`,
  ]);
  // Twice: in the second round some are known, and some have lost their places.
  for (const round of [1, 2]) {
    for (const [index, [first = '', second = '', none = '']] of texts.entries()) {
      assert.equal(isIn(first), index % 256 < 128, `${round} ${first}`);
      assert.equal(isIn(second), index % 2 === 0, `${round} ${second}`);
      assert.equal(isIn(none), false);
    }
  }
});
