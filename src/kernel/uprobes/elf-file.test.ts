import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { ElfFile, probeOffset, type ByteSource } from './elf-file.ts';
import { OpenFile } from './mapped-files.ts';

/** Reads beyond its end are null, and counted: the reader may ask, and must take the answer. */
class Bytes implements ByteSource {
  readonly sizeBytes: number;
  largestRead = 0;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.sizeBytes = bytes.length;
  }

  read(offset: number, length: number): Uint8Array | null {
    if (offset + length > this.sizeBytes) return null;
    this.largestRead = Math.max(this.largestRead, length);
    return this.#bytes.subarray(offset, offset + length);
  }
}

interface MadeSymbol {
  readonly name: string;
  readonly address: number;
  readonly type?: number;
  readonly section?: number;
}

const TEXT_ADDRESS = 0x401000;
const TEXT_OFFSET = 0x200;
const FUNC = 2;

function findFunctions(source: ByteSource, names: readonly string[]): ReadonlyMap<string, number> {
  return ElfFile.open(source)?.functions(names) ?? new Map();
}

/** A small ELF file: one executable segment, a dynamic symbol table and its names. */
function makeElf(symbols: readonly MadeSymbol[], tableType = 11): Uint8Array {
  const names = Buffer.from(`\0${symbols.map(({ name }) => `${name}\0`).join('')}`);
  const bytes = Buffer.alloc(0x1000);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  bytes.writeBigUInt64LE(64n, 32); // program headers
  bytes.writeBigUInt64LE(0x100n, 40); // section headers
  bytes.writeUInt16LE(56, 54);
  bytes.writeUInt16LE(1, 56);
  bytes.writeUInt16LE(64, 58);
  bytes.writeUInt16LE(3, 60);
  bytes.writeUInt32LE(1, 64); // PT_LOAD
  bytes.writeUInt32LE(5, 68); // readable, executable
  bytes.writeBigUInt64LE(BigInt(TEXT_OFFSET), 72);
  bytes.writeBigUInt64LE(BigInt(TEXT_ADDRESS), 80);
  bytes.writeBigUInt64LE(0x100n, 96);
  const section = (index: number, type: number, offset: number, size: number, link: number): void => {
    const at = 0x100 + index * 64;
    bytes.writeUInt32LE(type, at + 4);
    bytes.writeBigUInt64LE(BigInt(offset), at + 24);
    bytes.writeBigUInt64LE(BigInt(size), at + 32);
    bytes.writeUInt32LE(link, at + 40);
  };
  section(1, tableType, 0x400, symbols.length * 24, 2);
  section(2, 3, 0x800, names.length, 0);
  names.copy(bytes, 0x800);
  let place = 1;
  symbols.forEach(({ name, address, type = FUNC, section: index = 1 }, number) => {
    const at = 0x400 + number * 24;
    bytes.writeUInt32LE(place, at);
    bytes.writeUInt8(0x10 | type, at + 4);
    bytes.writeUInt16LE(index, at + 6);
    bytes.writeBigUInt64LE(BigInt(address), at + 8);
    place += name.length + 1;
  });
  return bytes;
}

function find(bytes: Uint8Array, names: readonly string[]): Record<string, number> {
  return Object.fromEntries(findFunctions(new Bytes(bytes), names));
}

describe('functions of a made file', () => {
  test('an address becomes an offset in the file', () => {
    const elf = makeElf([
      { name: 'other', address: TEXT_ADDRESS },
      { name: 'SSL_read', address: TEXT_ADDRESS + 0x20 },
    ]);
    assert.deepEqual(find(elf, ['SSL_read', 'SSL_write']), { SSL_read: TEXT_OFFSET + 0x20 });
  });

  test('of a table that is not exported, too', () => {
    const elf = makeElf([{ name: 'SSL_read', address: TEXT_ADDRESS }], 2);
    assert.deepEqual(find(elf, ['SSL_read']), { SSL_read: TEXT_OFFSET });
  });

  test('a name may be the end of a longer one, as linkers share them', () => {
    const elf = makeElf([{ name: 'my_SSL_read', address: TEXT_ADDRESS + 8 }]);
    assert.deepEqual(find(elf, ['SSL_read']), {});
    Buffer.from(elf.buffer).writeUInt32LE(1 + 'my_'.length, 0x400);
    assert.deepEqual(find(elf, ['SSL_read']), { SSL_read: TEXT_OFFSET + 8 });
  });

  const refused: readonly (readonly [why: string, symbol: MadeSymbol])[] = [
    ['defined elsewhere', { name: 'f', address: 0, section: 0 }],
    ['data', { name: 'f', address: TEXT_ADDRESS, type: 1 }],
    [
      'an indirect function, whose address is that of its resolver',
      { name: 'f', address: TEXT_ADDRESS, type: 10 },
    ],
    ['outside of what is executable', { name: 'f', address: TEXT_ADDRESS + 0x100 }],
    ['before it', { name: 'f', address: TEXT_ADDRESS - 1 }],
  ];
  for (const [why, symbol] of refused)
    test(`none that is ${why}`, () => assert.deepEqual(find(makeElf([symbol]), ['f']), {}));

  test('none in a file of another kind', () => {
    const elf = makeElf([{ name: 'f', address: TEXT_ADDRESS }]);
    for (const [at, byte] of [
      [0, 0],
      [4, 1], // 32 bits
      [5, 2], // big endian
    ] as const) {
      const other = Uint8Array.from(elf);
      other[at] = byte;
      assert.deepEqual(find(other, ['f']), {});
    }
    assert.deepEqual(find(new Uint8Array(0), ['f']), {});
  });
});

describe('hostile files', () => {
  const elf = makeElf([
    { name: 'SSL_read', address: TEXT_ADDRESS },
    { name: 'SSL_write', address: TEXT_ADDRESS + 1 },
  ]);

  test('damaged anywhere: no exception, and every answer lies in the file', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(0x900), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 12 }),
        fc.nat(0x1000),
        (changes, length) => {
          const damaged = Uint8Array.from(elf);
          for (const [at, byte] of changes) damaged[at] = byte;
          for (const bytes of [damaged, damaged.subarray(0, length)])
            for (const offset of findFunctions(new Bytes(bytes), ['SSL_read', 'SSL_write']).values())
              assert.ok(offset >= 0);
        },
      ),
    );
  });

  test('tables that claim to be enormous are not read', () => {
    for (const field of [0x100 + 64 + 32, 0x100 + 128 + 32]) {
      const huge = Buffer.from(elf);
      huge.writeBigUInt64LE(2n ** 40n, field);
      const source = new Bytes(huge);
      assert.deepEqual([...findFunctions(source, ['SSL_read'])], []);
      assert.ok(source.largestRead < 4096);
    }
  });

  test('a name that is repeated without end costs no more than a few places', () => {
    const many = Buffer.concat([elf, Buffer.from('SSL_read\0'.repeat(100_000))]);
    many.writeBigUInt64LE(0x800n, 0x100 + 128 + 24);
    many.writeBigUInt64LE(BigInt(many.length - 0x800), 0x100 + 128 + 32);
    assert.deepEqual(find(many, ['SSL_read']), { SSL_read: TEXT_OFFSET });
  });
});

test('the probe goes behind ENDBR64, where there is one', () => {
  const bytes = new Bytes(Uint8Array.of(0x55, 0xf3, 0x0f, 0x1e, 0xfa, 0x55));
  assert.equal(probeOffset(bytes, 0), 0);
  assert.equal(probeOffset(bytes, 1), 5);
  assert.equal(probeOffset(bytes, 4), 4);
});

describe('real files', () => {
  test('the Node.js that runs this has OpenSSL built in, where it is no shared build', (t) => {
    using file = new OpenFile(process.execPath);
    const functions = findFunctions(file, ['SSL_read', 'SSL_write', 'SSL_free', 'no_such_function']);
    if (functions.size === 0) {
      t.skip('a shared build');
      return;
    }
    assert.deepEqual([...functions.keys()].toSorted(), ['SSL_free', 'SSL_read', 'SSL_write']);
    for (const offset of functions.values()) assert.ok(offset > 0 && offset < file.sizeBytes);
  });

  const directories = ['/usr/lib/x86_64-linux-gnu', '/usr/lib/aarch64-linux-gnu', '/usr/lib64', '/usr/lib'];
  const wanted: readonly (readonly [file: RegExp, names: readonly string[]])[] = [
    [/^libssl\.so\.\d/, ['SSL_read', 'SSL_write', 'SSL_do_handshake']],
    [/^libgnutls\.so\.\d+$/, ['gnutls_record_recv', 'gnutls_record_send', 'gnutls_deinit']],
    [/^libc\.so\.6$/, ['malloc', 'read']],
  ];
  for (const [pattern, names] of wanted)
    test(`${pattern.source}`, (t) => {
      const paths = directories
        .filter((directory) => existsSync(directory))
        .flatMap((directory) => readdirSync(directory).map((name) => join(directory, name)))
        .filter((path) => pattern.test(path.slice(path.lastIndexOf('/') + 1)));
      if (paths.length === 0) t.skip('not on this machine');
      for (const path of paths) {
        const functions = findFunctions(new Bytes(readFileSync(path)), names);
        assert.deepEqual([...functions.keys()].toSorted(), names.toSorted(), path);
      }
    });
});
