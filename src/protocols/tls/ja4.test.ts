import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { loadFixtures } from '../testing.ts';
import { ja4 } from './ja4.ts';
import { parseClientHello } from './parser.ts';
import {
  alpn,
  empty,
  firstRecord,
  hello,
  serverName,
  signatureAlgorithms,
  supportedVersions,
  type HelloFields,
} from './testing/hello.ts';

function fingerprint(fields: HelloFields): string {
  const parsed = parseClientHello(hello(fields), false);
  assert.ok(parsed?.isWhole);
  return ja4(parsed);
}

// The worked example of the specification.
const SUITES = [
  0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013, 0xc014, 0x009c, 0x009d,
  0x002f, 0x0035,
];
const ALGORITHMS = [0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601];
const versions = supportedVersions(0x3a3a, 0x0304, 0x0303);
const algorithms = signatureAlgorithms(...ALGORITHMS);
const extensionsOf = (signatures: typeof algorithms, first: string) => [
  empty(0x001b),
  serverName('a.test'),
  empty(0x0033),
  alpn(first, 'http/1.1'),
  ...[0x4469, 0x0017, 0x002d].map(empty),
  signatures,
  ...[0x0005, 0x0023, 0x0012].map(empty),
  versions,
  ...[0xff01, 0x000b, 0x000a, 0x0015].map(empty),
];
const EXTENSIONS = extensionsOf(algorithms, 'h2');

describe('JA4', () => {
  it('is what the specification works out', () => {
    const published = 't13d1516h2_8daaf6152771_e5627efa2ab1';
    assert.equal(fingerprint({ cipherSuites: SUITES, extensions: EXTENSIONS }), published);
    const reordered = {
      cipherSuites: SUITES.toReversed(),
      extensions: EXTENSIONS.toReversed(),
    };
    assert.equal(fingerprint(reordered), published);
  });

  it('ignores GREASE everywhere', () => {
    const greased = {
      cipherSuites: [0x0a0a, ...SUITES, 0xfafa],
      extensions: [
        empty(0x2a2a),
        ...EXTENSIONS.map((extension) =>
          extension === algorithms ? signatureAlgorithms(0x1a1a, ...ALGORITHMS, 0xcaca) : extension,
        ),
        [0xdada, Uint8Array.of(0)] as const,
      ],
    };
    assert.equal(fingerprint(greased), 't13d1516h2_8daaf6152771_e5627efa2ab1');
    assert.equal(fingerprint({ extensions: [alpn('\x5a\x5a', 'h2')] }).slice(0, 10), 't12i0101h2');
  });

  it('keeps the order of signature algorithms, and needs none', () => {
    const swapped = signatureAlgorithms(...ALGORITHMS.toReversed());
    const other = fingerprint({ cipherSuites: SUITES, extensions: extensionsOf(swapped, 'h2') });
    assert.match(other, /^t13d1516h2_8daaf6152771_/);
    assert.notEqual(other, 't13d1516h2_8daaf6152771_e5627efa2ab1');
    const none = fingerprint({ cipherSuites: SUITES, extensions: extensionsOf(empty(0x000d), 'h2') });
    assert.equal(none, 't13d1516h2_8daaf6152771_6d807ffa2a79');
  });

  it('prints the ends of the first application protocol', () => {
    const ends: readonly (readonly [string, string])[] = [
      ['h2', 'h2'],
      ['http/1.1', 'h1'],
      ['x', 'xx'],
      ['', '00'],
      ['\xab', 'ab'],
      ['\xab\xcd', 'ad'],
      ['\x30\xab', '3b'],
      ['\x30\x31\xab\xcd', '3d'],
      ['\x30\xab\xcd\x31', '01'],
      ['a_', '6f'],
    ];
    for (const [first, expected] of ends)
      assert.equal(fingerprint({ extensions: [alpn(first)] }).slice(8, 10), expected, first);
  });

  it('prints versions, and zeros for empty lists', () => {
    const version = (value: number, ...supported: number[]) =>
      fingerprint({
        version: value,
        extensions: supported.length > 0 ? [supportedVersions(...supported)] : null,
      }).slice(0, 3);
    assert.deepEqual(
      [0x0304, 0x0303, 0x0302, 0x0301, 0x0300, 0x0002, 0x0399].map((value) => version(value)),
      ['t13', 't12', 't11', 't10', 'ts3', 'ts2', 't00'],
    );
    assert.equal(version(0x0303, 0x0302, 0x0304, 0x0303), 't13');
    assert.equal(version(0x0303, 0x7a7a, 0x0303), 't12');
    assert.equal(version(0x0303, 0x7f1c, 0x0303), 't00');
    assert.equal(
      fingerprint({ cipherSuites: [0x0a0a], extensions: [serverName('a.test')] }),
      't12d000100_000000000000_000000000000',
    );
    assert.equal(fingerprint({ extensions: null }).slice(0, 10), 't12i010000');
  });

  it('counts to 99', () => {
    const many = Array.from({ length: 120 }, (_, index) => 0x1000 + index);
    const start = fingerprint({ cipherSuites: many, extensions: many.map(empty) }).slice(0, 8);
    assert.equal(start, 't12i9999');
  });

  for (const fixture of loadFixtures(join(import.meta.dirname, 'fixtures'))) {
    it(`is the same as worked out another way: ${fixture.client}`, () => {
      const told = fixture.expected[0] ?? '';
      const { fingerprint: ours } = JSON.parse(told.slice('described '.length)) as { fingerprint: string };
      assert.equal(ours, secondOpinion(firstRecord(fixture).toString('hex')));
    });
  }
});

/** JA4 over a record's hex digits: written from the specification, with nothing of the leaf. */
function secondOpinion(record: string): string {
  let rest = record.slice(2 * (5 + 4 + 2 + 32));
  const take = (digits: number): string => {
    const taken = rest.slice(0, digits);
    rest = rest.slice(digits);
    return taken;
  };
  const counted = (digits: number): string => take(2 * Number.parseInt(take(digits), 16));
  const isReal = (value: string) => !/^(.)a\1a$/.test(value);
  const inFours = (text: string) => (text.match(/.{4}/g) ?? []).filter(isReal);
  const hash = (text: string) =>
    text === '' ? '0'.repeat(12) : createHash('sha256').update(text).digest('hex').slice(0, 12);
  const twoDigits = (list: readonly string[]) => `${list.length}`.padStart(2, '0');

  counted(2);
  const suites = inFours(counted(4));
  counted(2);
  take(4);
  const extensions = new Map<string, string>();
  while (rest !== '') {
    const type = take(4);
    extensions.set(type, counted(4));
  }
  const types = [...extensions.keys()].filter(isReal);
  const offered = inFours((extensions.get('002b') ?? '').slice(2)).toSorted();
  const version = offered.at(-1) ?? record.slice(18, 22);
  const protocols = Buffer.from((extensions.get('0010') ?? '').slice(4), 'hex');
  const first = protocols.subarray(1, 1 + (protocols[0] ?? 0)).toString('latin1');
  const algorithmList = inFours((extensions.get('000d') ?? '').slice(4)).join(',');
  const sorted = types
    .filter((type) => type !== '0000' && type !== '0010')
    .toSorted()
    .join(',');
  return [
    `t1${Number.parseInt(version.slice(2), 16) - 1}`,
    types.includes('0000') ? 'd' : 'i',
    twoDigits(suites),
    twoDigits(types),
    first === '' ? '00' : `${first.at(0)}${first.at(-1)}`,
    `_${hash(suites.toSorted().join(','))}`,
    `_${hash(algorithmList === '' ? sorted : `${sorted}_${algorithmList}`)}`,
  ].join('');
}
