import type { ElfFile } from './elf-file.ts';

/**
 * Names and places of functions in programs of Go, which have them for stack traces, also where the symbol table was
 * stripped: the table .gopclntab, in the formats of Go 1.18 and of 1.20 and later (runtime/symtab.go, debug/gosym).
 * Whatever the file holds, nothing here throws or reads beyond its bytes.
 */

/** Position-independent programs have it among what is relocated. */
const SECTIONS = ['.gopclntab', '.data.rel.ro.gopclntab'];
/** Some 400,000 functions. */
const MAX_TABLE_BYTES = 128 * 1024 * 1024;
const MAGICS: readonly number[] = [0xfffffff0, 0xfffffff1];
const HEADER_BYTES = 72;
const POINTER_BYTES = 8;
/** Of the header: the number of functions, the address from which theirs count, and where names and functions are. */
const COUNT_OFFSET = 8;
const TEXT_OFFSET = 24;
const NAMES_OFFSET = 32;
const NAMES_END_OFFSET = 40;
const FUNCTIONS_OFFSET = 64;
/** An entry is an address and the place of what there is to know of the function: address, name, and more. */
const ENTRY_BYTES = 8;
const NAME_PLACE = 4;

/** File offsets of the named functions; none for a file that is not of Go, or of a version that we do not know. */
export function goFunctions(elf: ElfFile, names: readonly string[]): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  for (const section of SECTIONS) {
    const bytes = elf.section(section, MAX_TABLE_BYTES);
    if (bytes === null) continue;
    for (const [name, address] of addressesIn(bytes, names)) {
      const offset = elf.codeOffset(address);
      if (offset !== null) found.set(name, offset);
    }
    return found;
  }
  return found;
}

function* addressesIn(
  bytes: Uint8Array,
  names: readonly string[],
): Generator<[name: string, address: number]> {
  const table = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (table.byteLength < HEADER_BYTES || !MAGICS.includes(table.getUint32(0, true))) return;
  if (table.getUint8(7) !== POINTER_BYTES) return;
  const count = word(table, COUNT_OFFSET);
  const text = word(table, TEXT_OFFSET);
  const functions = word(table, FUNCTIONS_OFFSET);
  if (functions + count * ENTRY_BYTES > table.byteLength) return;
  const places = namePlaces(bytes, word(table, NAMES_OFFSET), word(table, NAMES_END_OFFSET), names);
  if (places.size === 0) return;
  for (let entry = functions; entry < functions + count * ENTRY_BYTES; entry += ENTRY_BYTES) {
    const information = functions + table.getUint32(entry + 4, true);
    if (information + NAME_PLACE + 4 > table.byteLength) continue;
    const name = places.get(table.getUint32(information + NAME_PLACE, true));
    if (name !== undefined) yield [name, text + table.getUint32(entry, true)];
  }
}

/** Beyond 2^53 a number is rounded, and lies outside of any table. */
function word(table: DataView, offset: number): number {
  return table.getUint32(offset, true) + table.getUint32(offset + 4, true) * 4294967296;
}

/** Where the names stand, each between two NULs, counted from the first name. */
function namePlaces(
  bytes: Uint8Array,
  start: number,
  end: number,
  names: readonly string[],
): ReadonlyMap<number, string> {
  const places = new Map<number, string>();
  if (start >= end || end > bytes.length) return places;
  const text = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start);
  for (const name of names) {
    const at = text.indexOf(Buffer.from(`\0${name}\0`, 'latin1'));
    if (at >= 0) places.set(at + 1, name);
  }
  return places;
}
