import assert from 'node:assert/strict';
import { isIPv6 } from 'node:net';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { addressText, endpointText } from './addresses.ts';
import { byteString } from './bytes.ts';

/** The 16 bytes of groups written as hexadecimal digits. */
function ipv6(...groups: number[]): string {
  return groups.map((group) => String.fromCharCode(group >> 8, group & 0xff)).join('');
}

describe('the text of an address', () => {
  const cases: readonly (readonly [family: 'ipv4' | 'ipv6' | 'unix', bytes: string, text: string])[] = [
    ['ipv4', '\x7f\x00\x00\x01', '127.0.0.1'],
    ['ipv4', '\xff\xff\xff\xff', '255.255.255.255'],
    ['ipv4', '\x0a', '10.0.0.0'],
    ['ipv6', ipv6(0, 0, 0, 0, 0, 0, 0, 0), '::'],
    ['ipv6', ipv6(0, 0, 0, 0, 0, 0, 0, 1), '::1'],
    ['ipv6', ipv6(1, 0, 0, 0, 0, 0, 0, 0), '1::'],
    // RFC 5952, section 4: the longest run, the first of equals, no single group, lower case, no leading zeros.
    ['ipv6', ipv6(0x2001, 0xdb8, 0, 0, 1, 0, 0, 1), '2001:db8::1:0:0:1'],
    ['ipv6', ipv6(0x2001, 0xdb8, 0, 1, 1, 1, 1, 1), '2001:db8:0:1:1:1:1:1'],
    ['ipv6', ipv6(0x2001, 0, 0, 1, 0, 0, 0, 1), '2001:0:0:1::1'],
    ['ipv6', ipv6(0xfe80, 0xabc, 1, 2, 3, 4, 5, 6), 'fe80:abc:1:2:3:4:5:6'],
    ['ipv6', ipv6(0, 0, 0, 0, 0, 0xffff, 0xc0a8, 0x0102), '::ffff:192.168.1.2'],
    ['unix', '/run/x.sock', '/run/x.sock'],
    ['unix', '\0name', '@name'],
    ['unix', '', ''],
    ['unix', '/run/\xc3\xa4', '/run/ä'],
  ];
  for (const [family, bytes, text] of cases)
    test(`${family} ${text}`, () => assert.equal(addressText(family, bytes), text));

  test('of any 16 bytes is an address again, the same', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (bytes) => {
        const text = addressText('ipv6', byteString(bytes));
        assert.ok(isIPv6(text), text);
        if (!text.startsWith('::ffff:')) assert.equal(new URL(`http://[${text}]/`).hostname, `[${text}]`);
      }),
    );
  });

  test('bytes that are cut, or too many, have one too', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        for (const family of ['ipv4', 'ipv6', 'unix'] as const) addressText(family, byteString(bytes));
      }),
    );
  });
});

test('endpoints as people write them', () => {
  assert.equal(endpointText('10.0.0.1', 80), '10.0.0.1:80');
  assert.equal(endpointText('::1', 80), '[::1]:80');
  assert.equal(endpointText('/run/x.sock', 0), 'unix:/run/x.sock');
  assert.equal(endpointText('@name', 0), 'unix:@name');
  assert.equal(endpointText('', 0), 'unix socket');
  assert.equal(endpointText('', 0, 'unix'), 'unix socket');
  assert.equal(endpointText('relative', 0, 'unix'), 'unix:relative');
  assert.equal(endpointText('10.0.0.1', 0), '10.0.0.1:0');
});
