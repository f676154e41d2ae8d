import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { ElfFile, type ElfSymbol } from '../uprobes/elf-file.ts';
import { OpenFile, type MappedFile } from '../uprobes/mapped-files.ts';

/** User addresses of x86-64 without five-level tables; others are not followed. */
const MAX_ADDRESS = 2 ** 47;
const POINTER_BYTES = 8;

/** Whether the word can be the address of something that is aligned like a pointer. */
export function isPlausibleAddress(value: number): boolean {
  return value >= 4096 && value < MAX_ADDRESS && value % POINTER_BYTES === 0;
}

/** Memory of another process, which changes while it is read. Dispose it. */
export class ProcessMemory implements Disposable {
  readonly #fd: number;

  /** @throws Error of node:fs when the process is gone, or may not be read */
  constructor(pid: number) {
    this.#fd = openSync(`/proc/${pid}/mem`, 'r');
  }

  /** The words there, as numbers: those above 2^53 are rounded, and are no addresses. */
  words(address: number, count: number): number[] | null {
    const view = isPlausibleAddress(address) ? this.#read(address, count * POINTER_BYTES) : null;
    if (view === null) return null;
    return Array.from({ length: count }, (_, index) => wordAt(view, index * POINTER_BYTES));
  }

  word(address: number): number | null {
    return this.words(address, 1)?.[0] ?? null;
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }

  #read(address: number, length: number): DataView | null {
    const bytes = new Uint8Array(length);
    try {
      if (address <= 0 || address >= MAX_ADDRESS) return null;
      if (readSync(this.#fd, bytes, 0, length, address) !== length) return null;
    } catch {
      return null;
    }
    return new DataView(bytes.buffer);
  }
}

function wordAt(view: DataView, offset: number): number {
  return view.getUint32(offset, true) + view.getUint32(offset + 4, true) * 4294967296;
}

/** A file as one process has it in its memory. Dispose it. */
export class LoadedFile implements Disposable {
  readonly elf: ElfFile;
  readonly file: OpenFile;
  /** What is added to the file's own addresses. */
  readonly bias: number;

  private constructor(file: OpenFile, elf: ElfFile, bias: number) {
    this.file = file;
    this.elf = elf;
    this.bias = bias;
  }

  /**
   * @returns null when it is no ELF file that makes sense
   * @throws Error of node:fs when it cannot be opened: the process may have gone
   */
  static open(mapped: MappedFile): LoadedFile | null {
    const file = new OpenFile(mapped.handle);
    const loaded = LoadedFile.of(file, mapped);
    if (loaded === null) file[Symbol.dispose]();
    return loaded;
  }

  /** Of a file that is open already. Whoever opened it disposes it, or this. */
  static of(file: OpenFile, mapped: MappedFile): LoadedFile | null {
    const elf = ElfFile.open(file);
    const address = elf?.codeAddress(mapped.fileOffset) ?? null;
    return elf === null || address === null ? null : new LoadedFile(file, elf, mapped.address - address);
  }

  /** Symbols with their addresses in the process. */
  symbols(names: readonly string[]): ReadonlyMap<string, ElfSymbol> {
    const found = new Map<string, ElfSymbol>();
    for (const [name, symbol] of this.elf.symbols(names))
      found.set(name, { ...symbol, address: symbol.address + this.bias });
    return found;
  }

  [Symbol.dispose](): void {
    this.file[Symbol.dispose]();
  }
}

/** When the process began, in clock ticks since boot, as in /proc/PID/stat (proc(5), field 22); null when it is gone. */
export function startTicksOf(pid: number): number | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const ticks = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]);
    return Number.isInteger(ticks) && ticks >= 0 ? ticks : null;
  } catch {
    return null;
  }
}
