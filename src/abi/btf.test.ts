import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { ABI_HASH, COUNTER, EVENT_HEADER, EXEC_EVENT } from './abi.gen.ts';
import { CONTRACT_ENUMS, contractLayout, elfSection, elfVariables, layoutHash, readBtf } from './btf.ts';

const OBJECT = join(import.meta.dirname, '../../build/throughline.bpf.o');
const skip = existsSync(OBJECT) ? false : 'the BPF object is not built';

describe('the compiled object', { skip }, () => {
  const object = skip === false ? readFileSync(OBJECT) : new Uint8Array(0);

  test('has the layout that the decoders were generated for', () => {
    assert.equal(layoutHash(contractLayout(readBtf(object))), ABI_HASH);
  });

  test('its structures are those of the generated offsets', () => {
    const { structs, enums } = readBtf(object);
    const header = structs.get('event_header');
    assert.equal(header?.size, EVENT_HEADER.SIZE);
    assert.deepEqual(
      header?.members.find(({ name }) => name === 'time_ns'),
      { name: 'time_ns', offset: EVENT_HEADER.time_ns, size: 8 },
    );
    const comm = structs.get('exec_event')?.members.find(({ name }) => name === 'comm');
    assert.deepEqual(comm, { name: 'comm', offset: EXEC_EVENT.comm, size: 16 });
    assert.deepEqual(enums.get('counter')?.at(-1), ['COUNTER_MAX', COUNTER.MAX]);
    for (const name of CONTRACT_ENUMS.keys()) assert.ok(enums.has(name), name);
  });

  test('every event is aligned to 8 bytes and begins with the header', () => {
    for (const [name, struct] of readBtf(object).structs) {
      if (!name.endsWith('_event')) continue;
      assert.equal(struct.size % 8, 0, name);
      assert.deepEqual(struct.members[0], { name: 'header', offset: 0, size: EVENT_HEADER.SIZE }, name);
    }
  });

  test('its variables and sections are found', () => {
    assert.ok(elfVariables(object, '.bss').has('agent_pid'));
    assert.equal(elfVariables(object, '.nothing').size, 0);
    assert.equal(elfSection(object, '.nothing'), null);
    assert.ok((elfSection(object, 'license') ?? []).length > 0);
  });

  test('an object that is cut throws an Error, and nothing else', () => {
    for (let size = 0; size < object.length; size += 997)
      assert.throws(() => contractLayout(readBtf(object.subarray(0, size))), Error);
  });
});

interface Section {
  readonly name: string;
  readonly content: Uint8Array;
  readonly link?: number;
}

/** A minimal ELF64: header, contents, section headers. */
function elf(sections: readonly Section[]): Uint8Array {
  const all: Section[] = [{ name: '', content: new Uint8Array(0) }, ...sections];
  const names = Buffer.from([...all.map(({ name }) => name), '.shstrtab', ''].join('\0'));
  all.push({ name: '.shstrtab', content: names });
  const contents = Buffer.concat(all.map(({ content }) => content));
  const header = Buffer.alloc(64);
  header.writeUInt32BE(0x7f454c46, 0);
  header.writeBigUInt64LE(BigInt(64 + contents.length), 40);
  header.writeUInt16LE(64, 58);
  header.writeUInt16LE(all.length, 60);
  header.writeUInt16LE(all.length - 1, 62);
  let offset = 64;
  const headers = all.map(({ name, content, link = 0 }) => {
    const entry = Buffer.alloc(64);
    entry.writeUInt32LE(names.indexOf(`${name}\0`), 0);
    entry.writeBigUInt64LE(BigInt(offset), 24);
    entry.writeBigUInt64LE(BigInt(content.length), 32);
    entry.writeUInt32LE(link, 40);
    offset += content.length;
    return entry;
  });
  return Buffer.concat([header, contents, ...headers]);
}

const STRINGS = ['', 'int', 'pair', 'first', 'second', 'color', 'RED', 'BLUE', 'typed', 'sock'];

/** Offset of a name in the string section. */
function at(name: string): number {
  return Buffer.from(STRINGS.join('\0') + '\0').indexOf(`${name}\0`);
}

function words(...values: number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  values.forEach((value, index) => bytes.writeInt32LE(value | 0, index * 4));
  return bytes;
}

const info = (kind: number, length = 0): number => (kind << 24) | length;

function btf(types: Buffer, magic = 0xeb9f): Uint8Array {
  const strings = Buffer.from(STRINGS.join('\0') + '\0');
  const header = Buffer.alloc(24);
  header.writeUInt16LE(magic, 0);
  header.writeUInt8(1, 2);
  header.writeUInt32LE(24, 4);
  header.writeUInt32LE(0, 8);
  header.writeUInt32LE(types.length, 12);
  header.writeUInt32LE(types.length, 16);
  header.writeUInt32LE(strings.length, 20);
  return elf([{ name: '.BTF', content: Buffer.concat([header, types, strings]) }]);
}

describe('type information', () => {
  test('arrays, typedefs, qualifiers and pointers have the size of what they hold', () => {
    const types = readBtf(
      btf(
        Buffer.concat([
          words(at('int'), info(1), 4, 32), // 1: int
          words(0, info(3), 0, 1, 1, 5), // 2: int[5]
          words(at('typed'), info(8), 2), // 3: typedef of 2
          words(0, info(10), 3), // 4: const 3
          words(0, info(2), 1), // 5: pointer to int
          words(at('pair'), info(4, 2), 32, at('first'), 4, 0, at('second'), 5, 192), // 6
          words(0, info(13, 2), 1, at('first'), 1, at('second'), 1), // 7: function
          words(at('color'), info(6, 2), 4, at('RED'), -1, at('BLUE'), 7), // 8
          words(at('sock'), info(7), 0), // 9: forward
        ]),
      ),
    );
    assert.deepEqual(types.structs.get('pair'), {
      size: 32,
      members: [
        { name: 'first', offset: 0, size: 20 },
        { name: 'second', offset: 24, size: 8 },
      ],
    });
    assert.deepEqual(types.enums.get('color'), [
      ['RED', -1],
      ['BLUE', 7],
    ]);
    assert.equal(types.structs.size, 1);
  });

  test('what is no object, or has no types, says so', () => {
    assert.throws(() => readBtf(Buffer.alloc(64)), /not an ELF file/);
    assert.throws(() => readBtf(elf([])), /no \.BTF section/);
    assert.throws(() => readBtf(btf(Buffer.alloc(0), 0x9feb)), /not a little-endian BTF section/);
    assert.throws(() => readBtf(new Uint8Array(0)), RangeError);
  });
});

test('only what both sides share is part of the layout, in an order of its own', () => {
  const struct = { size: 8, members: [{ name: 'a', offset: 0, size: 8 }] };
  const types = {
    structs: new Map([
      ['open_event', struct],
      ['task_struct', struct],
      ['event_header', struct],
    ]),
    enums: new Map([
      ['direction', [['DIRECTION_IN', 1]] as const],
      ['other', [['OTHER', 1]] as const],
    ]),
  };
  const layout = contractLayout(types);
  assert.equal(
    layout,
    'struct event_header 8\n  a 0 8\nstruct open_event 8\n  a 0 8\nenum direction\n  DIRECTION_IN 1',
  );
  assert.match(layoutHash(layout), /^[0-9a-f]{16}$/);
  assert.notEqual(layoutHash(layout), layoutHash(layout.replace('a 0 8', 'a 0 4')));
  assert.notEqual(layoutHash(''), layoutHash(' '));
});
