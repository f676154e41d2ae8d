import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { ElfFile, type ByteSource } from './elf-file.ts';
import { goFunctions } from './go-functions.ts';

class Bytes implements ByteSource {
  readonly sizeBytes: number;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.sizeBytes = bytes.length;
  }

  read(offset: number, length: number): Uint8Array | null {
    return offset + length > this.sizeBytes ? null : this.#bytes.subarray(offset, offset + length);
  }
}

const TEXT_ADDRESS = 0x401000;
const TEXT_OFFSET = 0x1000;
const TABLE_OFFSET = 0x400;
const NAMES = ['go.buildid', 'main.main', 'crypto/tls.(*Conn).Write', 'crypto/tls.(*Conn).Write.func1'];

/** What the linker writes of functions 32 bytes apart, in the order of the names. */
function makeTable(magic: number, names: readonly string[]): Buffer {
  const text = Buffer.from(`\0${names.map((name) => `${name}\0`).join('')}`, 'latin1');
  const namesEnd = 72 + text.length;
  const functions = Math.ceil(namesEnd / 8) * 8;
  const information = names.length * 8 + 4;
  const table = Buffer.alloc(functions + information + names.length * 8);
  table.writeUInt32LE(magic, 0);
  table.writeUInt8(1, 6);
  table.writeUInt8(8, 7);
  [names.length, 0, TEXT_ADDRESS, 72, namesEnd, namesEnd, namesEnd, functions].forEach((value, index) =>
    table.writeBigUInt64LE(BigInt(value), 8 + index * 8),
  );
  text.copy(table, 72);
  let place = 1;
  names.forEach((name, index) => {
    table.writeUInt32LE(index * 32, functions + index * 8);
    table.writeUInt32LE(information + index * 8, functions + index * 8 + 4);
    table.writeUInt32LE(index * 32, functions + information + index * 8);
    table.writeInt32LE(place, functions + information + index * 8 + 4);
    place += name.length + 1;
  });
  return table;
}

/** A file of one segment with code, and the table in a section of this name. */
function makeElf(table: Buffer, sectionName = '.gopclntab'): Buffer {
  const bytes = Buffer.alloc(0x2000);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  bytes.writeBigUInt64LE(64n, 32);
  bytes.writeBigUInt64LE(0x100n, 40);
  bytes.writeUInt16LE(56, 54);
  bytes.writeUInt16LE(1, 56);
  bytes.writeUInt16LE(64, 58);
  bytes.writeUInt16LE(3, 60);
  bytes.writeUInt16LE(2, 62);
  bytes.writeUInt32LE(1, 64);
  bytes.writeUInt32LE(5, 68);
  bytes.writeBigUInt64LE(BigInt(TEXT_OFFSET), 72);
  bytes.writeBigUInt64LE(BigInt(TEXT_ADDRESS), 80);
  bytes.writeBigUInt64LE(0x1000n, 96);
  const names = Buffer.from(`\0${sectionName}\0.shstrtab\0`, 'latin1');
  const section = (index: number, name: number, offset: number, size: number): void => {
    bytes.writeUInt32LE(name, 0x100 + index * 64);
    bytes.writeUInt32LE(1, 0x100 + index * 64 + 4);
    bytes.writeBigUInt64LE(BigInt(offset), 0x100 + index * 64 + 24);
    bytes.writeBigUInt64LE(BigInt(size), 0x100 + index * 64 + 32);
  };
  section(1, 1, TABLE_OFFSET, table.length);
  section(2, sectionName.length + 2, 0x200, names.length);
  names.copy(bytes, 0x200);
  table.copy(bytes, TABLE_OFFSET);
  return bytes;
}

function find(bytes: Uint8Array, names: readonly string[] = NAMES): ReadonlyMap<string, number> {
  const elf = ElfFile.open(new Bytes(bytes));
  return elf === null ? new Map() : goFunctions(elf, names);
}

describe('functions of Go programs', () => {
  const expected = new Map(NAMES.map((name, index) => [name, TEXT_OFFSET + index * 32]));
  for (const [version, magic] of [
    ['1.18', 0xfffffff0],
    ['1.20', 0xfffffff1],
  ] as const)
    for (const section of ['.gopclntab', '.data.rel.ro.gopclntab'])
      test(`${section} of Go ${version}`, () => {
        assert.deepEqual(find(makeElf(makeTable(magic, NAMES), section)), expected);
      });

  test('only whole names: neither an ending nor a beginning of a longer one', () => {
    const elf = makeElf(makeTable(0xfffffff1, ['x.main.main', 'main.main.func1']));
    assert.deepEqual(find(elf), new Map());
  });

  test('nothing in tables of other versions, for other machines, or without a table', () => {
    const table = makeTable(0xfffffffb, NAMES);
    assert.deepEqual(find(makeElf(table)), new Map());
    const narrow = makeTable(0xfffffff1, NAMES);
    narrow.writeUInt8(4, 7);
    assert.deepEqual(find(makeElf(narrow)), new Map());
    assert.deepEqual(find(makeElf(makeTable(0xfffffff1, NAMES), '.other')), new Map());
  });

  test('a damaged table: it does not throw, and finds nothing outside of the code', () => {
    const table = makeTable(0xfffffff1, NAMES);
    const damage = fc.array(fc.tuple(fc.nat(table.length - 1), fc.nat(255)), { maxLength: 12 });
    fc.assert(
      fc.property(damage, fc.nat(table.length), (places, cut) => {
        const copy = Buffer.from(table);
        for (const [at, value] of places) copy[at] = value;
        for (const one of [copy, copy.subarray(0, cut)])
          for (const offset of find(makeElf(one)).values())
            assert.ok(offset >= TEXT_OFFSET && offset < TEXT_OFFSET + 0x1000);
      }),
      { numRuns: 2000 },
    );
  });

  test('numbers of any size in the header', () => {
    const table = makeTable(0xfffffff1, NAMES);
    const word = fc.oneof(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), fc.nat(table.length).map(BigInt));
    fc.assert(
      fc.property(fc.nat(7), word, fc.nat(7), word, (first, one, second, other) => {
        const copy = Buffer.from(table);
        copy.writeBigUInt64LE(one, 8 + first * 8);
        copy.writeBigUInt64LE(other, 8 + second * 8);
        for (const offset of find(makeElf(copy)).values())
          assert.ok(offset >= TEXT_OFFSET && offset < TEXT_OFFSET + 0x1000);
      }),
      { numRuns: 2000 },
    );
  });
});
