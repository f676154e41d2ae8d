/**
 * ELF files of other people (System V ABI, ELF-64, little endian): where their functions and variables are. Whatever the
 * file holds, nothing here throws or reads more than it says: a file that makes no sense has nothing.
 */
export interface ByteSource {
  readonly sizeBytes: number;
  /** Exactly these bytes, or null where the source does not have them. */
  read(offset: number, length: number): Uint8Array | null;
}

const HEADER_BYTES = 64;
const PROGRAM_HEADER_BYTES = 56;
const SECTION_HEADER_BYTES = 64;
const SYMBOL_BYTES = 24;
const MAX_PROGRAM_HEADERS = 256;
const MAX_SECTIONS = 4096;
/** A browser has some 50 MiB of symbols; ours are found in less. */
const MAX_SYMBOL_BYTES = 64 * 1024 * 1024;
const MAX_NAME_BYTES = 128 * 1024 * 1024;
/** A name stands once in a table of names; hostile ones may repeat it. */
const MAX_NAME_PLACES = 16;

const ELF64_LITTLE_ENDIAN = Uint8Array.of(0x7f, 0x45, 0x4c, 0x46, 2, 1, 1);
const PAGE_BYTES = 4096;
const PT_LOAD = 1;
const PT_TLS = 7;
const PF_X = 1;
const SHT_SYMTAB = 2;
const SHT_RELA = 4;
const SHT_DYNSYM = 11;
const RELOCATION_BYTES = 24;
const MAX_RELOCATION_BYTES = 16 * 1024 * 1024;
const R_X86_64_RELATIVE = 8;
const R_AARCH64_RELATIVE = 1027;
const STT_OBJECT = 1;
const STT_FUNC = 2;
const STT_TLS = 6;
/** Names of sections are short, and few. */
const MAX_SECTION_NAME_BYTES = 1024 * 1024;

interface Segment {
  readonly type: number;
  readonly isExecutable: boolean;
  readonly fileOffset: number;
  readonly address: number;
  readonly fileBytes: number;
  readonly memoryBytes: number;
  readonly alignment: number;
}

export interface Section {
  readonly nameOffset: number;
  readonly type: number;
  readonly offset: number;
  readonly sizeBytes: number;
  readonly link: number;
}

/** A function or variable that the file defines. */
export interface ElfSymbol {
  /** As the file was linked; where it is in memory depends on where it was loaded. */
  readonly address: number;
  readonly sizeBytes: number;
  readonly isFunction: boolean;
}

/** One ELF file, of which headers are read at once and tables when they are asked for. */
export class ElfFile {
  readonly #source: ByteSource;
  readonly #segments: readonly Segment[];
  readonly #sections: readonly Section[];
  readonly #sectionNames: Section | undefined;
  #relocations: ReadonlyMap<number, number> | null = null;

  private constructor(source: ByteSource, header: DataView) {
    this.#source = source;
    this.#segments = readSegments(source, header);
    this.#sections = readSections(source, header);
    this.#sectionNames = this.#sections[header.getUint16(62, true)];
  }

  /** @returns null when it is no such file */
  static open(source: ByteSource): ElfFile | null {
    const header = source.read(0, HEADER_BYTES);
    if (header === null || ELF64_LITTLE_ENDIAN.some((byte, index) => header[index] !== byte)) return null;
    return new ElfFile(source, viewOf(header));
  }

  /** What the file defines of these names. */
  symbols(names: readonly string[]): ReadonlyMap<string, ElfSymbol> {
    const found = new Map<string, ElfSymbol>();
    // The exported names first: they are few, and survive stripping.
    for (const type of [SHT_DYNSYM, SHT_SYMTAB]) {
      for (const section of this.#sections) {
        if (section.type !== type || found.size === names.length) continue;
        const missing = names.filter((name) => !found.has(name));
        for (const [name, symbol] of symbolsIn(this.#source, section, this.#sections[section.link], missing))
          found.set(name, symbol);
      }
    }
    return found;
  }

  /** File offsets of the named functions, which is what a uprobe wants. */
  functions(names: readonly string[]): ReadonlyMap<string, number> {
    const found = new Map<string, number>();
    for (const [name, { address, isFunction }] of this.symbols(names)) {
      const offset = isFunction ? this.codeOffset(address) : null;
      if (offset !== null) found.set(name, offset);
    }
    return found;
  }

  /** Where in the file the code for an address is; null for none. */
  codeOffset(address: number): number | null {
    for (const segment of this.#code()) {
      const inside = address - segment.address;
      if (inside >= 0 && inside < segment.fileBytes) return segment.fileOffset + inside;
    }
    return null;
  }

  /** The address that the code at an offset was linked for; null for none. */
  codeAddress(fileOffset: number): number | null {
    for (const segment of this.#code()) {
      // A mapping begins at the page in which its segment begins.
      const inside = fileOffset - segment.fileOffset;
      if (inside > -PAGE_BYTES && inside < segment.fileBytes) return segment.address + inside;
    }
    return null;
  }

  /** Size of the program's own thread-local variables, with what aligns them; null where it has none. */
  get threadLocalBytes(): number | null {
    const segment = this.#segments.find(({ type }) => type === PT_TLS);
    if (segment === undefined) return null;
    const alignment = Math.max(segment.alignment, 1);
    return Math.ceil((segment.memoryBytes + (segment.address % alignment)) / alignment) * alignment;
  }

  /** The bytes of a section, at most so many; null where there is none of that name. */
  section(name: string, maxBytes: number): Uint8Array | null {
    const names = this.#sectionNames;
    if (names === undefined || names.sizeBytes > MAX_SECTION_NAME_BYTES) return null;
    const text = this.#source.read(names.offset, names.sizeBytes);
    if (text === null) return null;
    const places = placesOf(text, name);
    const section = this.#sections.find(({ nameOffset }) => places.includes(nameOffset));
    return section === undefined
      ? null
      : this.#source.read(section.offset, Math.min(section.sizeBytes, maxBytes));
  }

  /**
   * The address that a variable holds when the program begins. A file that can be loaded anywhere keeps it as a relocation
   * (SysV ABI: R_X86_64_RELATIVE, R_AARCH64_RELATIVE), unless that is packed and stands in place.
   */
  pointerAt(address: number): number | null {
    const bytes = this.#bytesAt(address, 8);
    if (bytes === null) return null;
    return u64(viewOf(bytes), 0) || (this.#relocated().get(address) ?? null);
  }

  /** Whether this text, ended by NUL, stands there. */
  hasText(address: number, text: string): boolean {
    const wanted = Buffer.from(`${text}\0`, 'latin1');
    const bytes = this.#bytesAt(address, wanted.length);
    return bytes !== null && wanted.equals(bytes);
  }

  #bytesAt(address: number, length: number): Uint8Array | null {
    for (const { type, address: start, fileBytes, fileOffset } of this.#segments) {
      const inside = address - start;
      if (type !== PT_LOAD || inside < 0 || inside + length > fileBytes) continue;
      return this.#source.read(fileOffset + inside, length);
    }
    return null;
  }

  #relocated(): ReadonlyMap<number, number> {
    if (this.#relocations !== null) return this.#relocations;
    const found = new Map<number, number>();
    for (const { type, offset, sizeBytes } of this.#sections) {
      if (type !== SHT_RELA || sizeBytes > MAX_RELOCATION_BYTES) continue;
      const table = this.#source.read(offset, sizeBytes - (sizeBytes % RELOCATION_BYTES));
      if (table === null) continue;
      const view = viewOf(table);
      for (let at = 0; at < table.byteLength; at += RELOCATION_BYTES) {
        const kind = view.getUint32(at + 8, true);
        if (kind === R_X86_64_RELATIVE || kind === R_AARCH64_RELATIVE)
          found.set(u64(view, at), u64(view, at + 16));
      }
    }
    this.#relocations = found;
    return found;
  }

  #code(): Segment[] {
    return this.#segments.filter(({ type, isExecutable }) => type === PT_LOAD && isExecutable);
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Beyond 2^53 a number is rounded, and lies outside of any file. */
function u64(view: DataView, offset: number): number {
  return view.getUint32(offset, true) + view.getUint32(offset + 4, true) * 4294967296;
}

function readTable(
  source: ByteSource,
  offset: number,
  entryBytes: number,
  count: number,
  limit: number,
  wantedBytes: number,
): DataView | null {
  if (entryBytes !== wantedBytes || count === 0 || count > limit) return null;
  const bytes = source.read(offset, count * entryBytes);
  return bytes === null ? null : viewOf(bytes);
}

function readSegments(source: ByteSource, header: DataView): Segment[] {
  const count = header.getUint16(56, true);
  const table = readTable(
    source,
    u64(header, 32),
    header.getUint16(54, true),
    count,
    MAX_PROGRAM_HEADERS,
    PROGRAM_HEADER_BYTES,
  );
  const segments: Segment[] = [];
  if (table === null) return segments;
  for (let at = 0; at < table.byteLength; at += PROGRAM_HEADER_BYTES) {
    segments.push({
      type: table.getUint32(at, true),
      isExecutable: (table.getUint32(at + 4, true) & PF_X) !== 0,
      fileOffset: u64(table, at + 8),
      address: u64(table, at + 16),
      fileBytes: u64(table, at + 32),
      memoryBytes: u64(table, at + 40),
      alignment: u64(table, at + 48),
    });
  }
  return segments;
}

function readSections(source: ByteSource, header: DataView): Section[] {
  const count = header.getUint16(60, true);
  const table = readTable(
    source,
    u64(header, 40),
    header.getUint16(58, true),
    count,
    MAX_SECTIONS,
    SECTION_HEADER_BYTES,
  );
  const sections: Section[] = [];
  if (table === null) return sections;
  for (let at = 0; at < table.byteLength; at += SECTION_HEADER_BYTES)
    sections.push({
      nameOffset: table.getUint32(at, true),
      type: table.getUint32(at + 4, true),
      offset: u64(table, at + 24),
      sizeBytes: u64(table, at + 32),
      link: table.getUint32(at + 40, true),
    });
  return sections;
}

function* symbolsIn(
  source: ByteSource,
  symbols: Section,
  strings: Section | undefined,
  wanted: readonly string[],
): Generator<[name: string, symbol: ElfSymbol]> {
  if (strings === undefined || symbols.sizeBytes > MAX_SYMBOL_BYTES || strings.sizeBytes > MAX_NAME_BYTES)
    return;
  const text = source.read(strings.offset, strings.sizeBytes);
  if (text === null) return;
  const table = source.read(symbols.offset, symbols.sizeBytes - (symbols.sizeBytes % SYMBOL_BYTES));
  if (table === null) return;
  const view = viewOf(table);
  const names = new NameTable(text, wanted);
  for (let at = 0; at < table.byteLength; at += SYMBOL_BYTES) {
    const name = names.wantedAt(view.getUint32(at, true));
    if (name === null) continue;
    const type = view.getUint8(at + 4) & 0xf;
    const address = u64(view, at + 8);
    // No indirect functions (their address is that of a resolver), and nothing that is defined elsewhere.
    const isFunction = type === STT_FUNC;
    if ((!isFunction && type > STT_OBJECT && type !== STT_TLS) || view.getUint16(at + 6, true) === 0)
      continue;
    if (address === 0 && type !== STT_TLS) continue;
    yield [name, { address, sizeBytes: u64(view, at + 16), isFunction }];
  }
}

/**
 * Which wanted name stands at a place of a table of names. There are some 200,000 places to ask for, so most are told apart
 * by two bytes, and no string is made.
 */
class NameTable {
  readonly #text: Uint8Array;
  readonly #byBeginning = new Map<number, { readonly name: string; readonly bytes: Uint8Array }[]>();

  constructor(text: Uint8Array, wanted: readonly string[]) {
    this.#text = text;
    for (const name of wanted) {
      const bytes = Buffer.from(`${name}\0`, 'latin1');
      const beginning = beginningAt(bytes, 0);
      const others = this.#byBeginning.get(beginning) ?? [];
      this.#byBeginning.set(beginning, [...others, { name, bytes }]);
    }
  }

  wantedAt(place: number): string | null {
    const candidates = this.#byBeginning.get(beginningAt(this.#text, place));
    if (candidates === undefined) return null;
    for (const { name, bytes } of candidates) if (this.#stands(bytes, place)) return name;
    return null;
  }

  #stands(bytes: Uint8Array, place: number): boolean {
    // The NUL at the end first: names of C++ begin alike.
    for (let index = bytes.length - 1; index >= 0; index--)
      if (this.#text[place + index] !== bytes[index]) return false;
    return true;
  }
}

/** Two bytes as a number; -1 behind the end. */
function beginningAt(bytes: Uint8Array, place: number): number {
  const first = bytes[place];
  const second = bytes[place + 1];
  return first === undefined || second === undefined ? -1 : first | (second << 8);
}

/** Where the name stands, ended by NUL; also as the end of a longer one, since linkers share endings. */
function placesOf(text: Uint8Array, name: string): number[] {
  const places: number[] = [];
  const needle = Buffer.from(`${name}\0`, 'latin1');
  const haystack = Buffer.from(text.buffer, text.byteOffset, text.byteLength);
  for (let at = haystack.indexOf(needle); at >= 0; at = haystack.indexOf(needle, at + 1)) {
    if (places.push(at) === MAX_NAME_PLACES) break;
  }
  return places;
}

const ENDBR64 = Uint8Array.of(0xf3, 0x0f, 0x1e, 0xfa);

/**
 * Where to put the probe of a function that begins at `offset`: behind ENDBR64, if there is one. That instruction is
 * executed out of line, which costs a second trap, while the one that follows is mostly a push, which the kernel
 * emulates. Nobody jumps in between. On other architectures the four bytes are nothing that begins a function.
 */
export function probeOffset(source: ByteSource, offset: number): number {
  const first = source.read(offset, ENDBR64.length);
  return first !== null && ENDBR64.every((byte, index) => first[index] === byte)
    ? offset + ENDBR64.length
    : offset;
}
