/**
 * How much stack each BPF program needs, together with the deepest of what it calls. Run by `make check`.
 *
 * Kernels before 6.13 refuse more than 512 bytes; the one that programs are written on may allow more, so that an excess
 * would show elsewhere first. Each function's share is rounded up, to 32 bytes on the oldest kernels
 * (check_max_stack_depth in kernel/bpf/verifier.c).
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const STACK_LIMIT = 512;
const FRAME_ROUNDING = 32;

const SECTION_SYMBOLS = 2;
const SECTION_RELOCATIONS = 9;
const FLAG_EXECUTABLE = 4n;
const SYMBOL_FUNCTION = 2;
const SYMBOL_SECTION = 3;
const INSTRUCTION_BYTES = 8;
// Instructions: classes and operations of include/uapi/linux/bpf.h.
const CLASS_MASK = 0x07;
const CLASS_LOAD = 0x01;
const CLASS_STORE_CONSTANT = 0x02;
const CLASS_STORE = 0x03;
const MOVE_REGISTER = 0xbf;
const ADD_CONSTANT = 0x07;
const CALL = 0x85;
/** Source register of a call to another function of the object, as opposed to a helper. */
const PSEUDO_CALL = 1;
const STACK_POINTER = 10;

export interface BpfFunction {
  readonly name: string;
  /** Bytes below its stack pointer that it reads or writes. */
  readonly ownBytes: number;
  readonly calls: readonly string[];
  /** Not called, but attached: has the stack to itself. */
  readonly isProgram: boolean;
}

export interface StackUse {
  readonly program: string;
  readonly totalBytes: number;
  /** From the program down to what needs most. */
  readonly path: readonly string[];
}

/** What programs and all that they call need, most first. */
export function stackUse(functions: readonly BpfFunction[]): StackUse[] {
  const byName = new Map(functions.map((one) => [one.name, one]));
  const deepest = (name: string): { bytes: number; path: string[] } => {
    const one = byName.get(name);
    if (one === undefined) return { bytes: 0, path: [] }; // of the kernel's own
    const below = one.calls.map(deepest).reduce((most, next) => (next.bytes > most.bytes ? next : most), {
      bytes: 0,
      path: [],
    });
    const own = Math.ceil(Math.max(1, one.ownBytes) / FRAME_ROUNDING) * FRAME_ROUNDING;
    return { bytes: own + below.bytes, path: [`${name} ${own}`, ...below.path] };
  };
  return functions
    .filter(({ isProgram }) => isProgram)
    .map(({ name }) => {
      const { bytes, path } = deepest(name);
      return { program: name, totalBytes: bytes, path };
    })
    .sort((a, b) => b.totalBytes - a.totalBytes);
}

interface Section {
  readonly name: string;
  readonly type: number;
  readonly flags: bigint;
  readonly offset: number;
  readonly size: number;
  readonly link: number;
  readonly info: number;
}

interface ElfSymbol {
  readonly name: string;
  readonly type: number;
  readonly section: number;
  readonly value: number;
  readonly size: number;
}

/** The functions of an object as clang writes it (ELF, 64 bits, little-endian). */
export function readFunctions(object: Buffer): BpfFunction[] {
  const sections = readSections(object);
  const symbols = readSymbols(object, sections);
  const functions = symbols.filter(({ type }) => type === SYMBOL_FUNCTION);
  const nameAt = (section: number, offset: number): string =>
    functions.find((one) => one.section === section && one.value === offset)?.name ?? '';
  const relocations = readRelocations(object, sections);
  return functions
    .filter(({ section }) => ((sections[section]?.flags ?? 0n) & FLAG_EXECUTABLE) !== 0n)
    .map((symbol) => {
      const section = sections[symbol.section];
      const start = (section?.offset ?? 0) + symbol.value;
      const code = object.subarray(start, start + symbol.size);
      const calls = new Set<string>();
      for (let at = 0; at < code.length; at += INSTRUCTION_BYTES) {
        if (code[at] !== CALL || (code[at + 1] ?? 0) >> 4 !== PSEUDO_CALL) continue;
        // A number of instructions: from the next one, or with a section's symbol from its beginning.
        const distance = (code.readInt32LE(at + 4) + 1) * INSTRUCTION_BYTES;
        const target = symbols[relocations.get(symbol.section)?.get(symbol.value + at) ?? -1];
        if (target === undefined) calls.add(nameAt(symbol.section, symbol.value + at + distance));
        else calls.add(target.type === SYMBOL_SECTION ? nameAt(target.section, distance) : target.name);
      }
      return {
        name: symbol.name,
        ownBytes: depthOf(code),
        calls: [...calls],
        isProgram: section?.name !== '.text',
      };
    });
}

/** The lowest byte below the stack pointer that is used, directly or by an address that is made of it. */
function depthOf(code: Buffer): number {
  let depth = 0;
  /** Registers that hold a copy of the stack pointer. */
  const copies = new Set<number>();
  for (let at = 0; at < code.length; at += INSTRUCTION_BYTES) {
    const operation = code[at] ?? 0;
    const [destination, source] = [(code[at + 1] ?? 0) & 0xf, (code[at + 1] ?? 0) >> 4];
    const kind = operation & CLASS_MASK;
    const base = kind === CLASS_LOAD ? source : destination;
    const isAccess = kind === CLASS_LOAD || kind === CLASS_STORE || kind === CLASS_STORE_CONSTANT;
    if (isAccess && base === STACK_POINTER) depth = Math.max(depth, -code.readInt16LE(at + 2));
    if (operation === ADD_CONSTANT && copies.has(destination))
      depth = Math.max(depth, -code.readInt32LE(at + 4));
    if (operation === MOVE_REGISTER && source === STACK_POINTER) copies.add(destination);
    else if (kind !== CLASS_STORE && kind !== CLASS_STORE_CONSTANT) copies.delete(destination);
  }
  return depth;
}

function readSections(object: Buffer): Section[] {
  const table = Number(object.readBigUInt64LE(0x28));
  const [entryBytes, count] = [object.readUInt16LE(0x3a), object.readUInt16LE(0x3c)];
  const raw = Array.from({ length: count }, (_, index) => {
    const at = table + index * entryBytes;
    return {
      nameAt: object.readUInt32LE(at),
      type: object.readUInt32LE(at + 4),
      flags: object.readBigUInt64LE(at + 8),
      offset: Number(object.readBigUInt64LE(at + 24)),
      size: Number(object.readBigUInt64LE(at + 32)),
      link: object.readUInt32LE(at + 40),
      info: object.readUInt32LE(at + 44),
    };
  });
  const names = raw[object.readUInt16LE(0x3e)]?.offset ?? 0;
  return raw.map(({ nameAt, ...section }) => ({ ...section, name: textAt(object, names + nameAt) }));
}

function readSymbols(object: Buffer, sections: readonly Section[]): ElfSymbol[] {
  const table = sections.find(({ type }) => type === SECTION_SYMBOLS);
  if (table === undefined) return [];
  const names = sections[table.link]?.offset ?? 0;
  return Array.from({ length: table.size / 24 }, (_, index) => {
    const at = table.offset + index * 24;
    return {
      name: textAt(object, names + object.readUInt32LE(at)),
      type: (object[at + 4] ?? 0) & 0xf,
      section: object.readUInt16LE(at + 6),
      value: Number(object.readBigUInt64LE(at + 8)),
      size: Number(object.readBigUInt64LE(at + 16)),
    };
  });
}

/** For each section, the symbol that belongs to an instruction, by its offset. */
function readRelocations(object: Buffer, sections: readonly Section[]): Map<number, Map<number, number>> {
  const all = new Map<number, Map<number, number>>();
  for (const { type, offset, size, info } of sections) {
    if (type !== SECTION_RELOCATIONS) continue;
    const one = new Map<number, number>();
    for (let at = offset; at < offset + size; at += 16)
      one.set(Number(object.readBigUInt64LE(at)), object.readUInt32LE(at + 12));
    all.set(info, one);
  }
  return all;
}

function textAt(object: Buffer, start: number): string {
  return object.toString('latin1', start, object.indexOf(0, start));
}

if (import.meta.main) {
  const path = join(import.meta.dirname, '..', 'build', 'throughline.bpf.o');
  const uses = stackUse(readFunctions(readFileSync(path)));
  const tooMuch = uses.filter(({ totalBytes }) => totalBytes > STACK_LIMIT);
  for (const { totalBytes, path: functions } of tooMuch)
    console.error(`${totalBytes} bytes of stack, ${STACK_LIMIT} are allowed: ${functions.join(' > ')}`);
  const [most] = uses;
  console.log(
    `${uses.length} programs, at most ${most?.totalBytes ?? 0} bytes: ${most?.path.join(' > ') ?? ''}`,
  );
  process.exitCode = tooMuch.length > 0 || uses.length === 0 ? 1 : 0;
}
