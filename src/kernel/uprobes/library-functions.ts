import { LoadedFile, ProcessMemory } from '../runtimes/process-memory.ts';
import { probeOffset } from './elf-file.ts';
import type { Library } from './libraries.ts';
import type { MappedFile, OpenFile } from './mapped-files.ts';

/** Where in a file a program is to run. */
export interface FunctionProbe {
  readonly program: string;
  /** When the function that begins there returns, instead of when it is entered. */
  readonly isReturn: boolean;
  readonly offset: number;
}

/** File offsets of functions, by symbol; those that the file does not have are left out. */
export type FoundFunctions = ReadonlyMap<string, number>;

/** Functions of all these libraries with one search: the symbols of Node.js are 20 MB. */
export function findFunctions(
  file: OpenFile,
  mapped: MappedFile,
  pid: number,
  libraries: readonly Library[],
): FoundFunctions {
  const loaded = LoadedFile.of(file, mapped);
  if (loaded === null) return new Map();
  const functions = libraries.flatMap((library) => library.functions);
  const symbols = loaded.elf.symbols([...new Set(functions.map(({ symbol }) => symbol))]);
  const found = new Map<string, number>();
  const pointers = functions.filter(({ pointerAt }) => pointerAt !== undefined);
  using memory = pointers.some(({ symbol }) => symbols.has(symbol)) ? new ProcessMemory(pid) : null;
  for (const { symbol, pointerAt } of functions) {
    const at = symbols.get(symbol);
    if (at === undefined) continue;
    let address: number | null = at.isFunction ? at.address : null;
    if (pointerAt !== undefined) {
      const pointer = memory?.word(at.address + loaded.bias + pointerAt) ?? null;
      address = pointer === null ? null : pointer - loaded.bias;
    }
    const offset = address === null ? null : loaded.elf.codeOffset(address);
    if (offset !== null) found.set(symbol, offset);
  }
  return found;
}

/** All probes of the library in the file; null when the file lacks what makes it this library. */
export function probesOf(library: Library, found: FoundFunctions, file: OpenFile): FunctionProbe[] | null {
  if (!library.needs.every((names) => names.some((name) => found.has(name)))) return null;
  const probes: FunctionProbe[] = [];
  for (const { symbol, enter, exit, unless } of library.functions) {
    const at = found.get(symbol);
    if (at === undefined || (unless !== undefined && found.has(unless))) continue;
    const offset = probeOffset(file, at);
    if (enter !== undefined) probes.push({ program: enter, isReturn: false, offset });
    if (exit !== undefined) probes.push({ program: exit, isReturn: true, offset });
  }
  return probes;
}
