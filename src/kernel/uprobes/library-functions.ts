import { probeOffset } from './elf-file.ts';
import { behindStackCheck } from './go-stack-check.ts';
import type { Library } from './libraries.ts';
import type { OpenFile } from './mapped-files.ts';

/** Where in a file a program is to run. */
export interface FunctionProbe {
  readonly program: string;
  /** When the function that begins there returns, instead of when it is entered. */
  readonly isReturn: boolean;
  readonly offset: number;
}

/** File offsets of functions, by symbol; those that the file does not have are left out. */
export type FoundFunctions = ReadonlyMap<string, number>;

/** All probes of the library in the file; null when the file lacks what makes it this library. */
export function probesOf(library: Library, found: FoundFunctions, file: OpenFile): FunctionProbe[] | null {
  if (!library.needs.every((names) => names.some((name) => found.has(name)))) return null;
  const probes: FunctionProbe[] = [];
  for (const { symbol, enter, exit, unless } of library.functions) {
    const at = found.get(symbol);
    if (at === undefined || (unless !== undefined && found.has(unless))) continue;
    const offset = library.isGo === true ? behindStackCheck(file, at) : probeOffset(file, at);
    if (enter !== undefined) probes.push({ program: enter, isReturn: false, offset });
    if (exit !== undefined) probes.push({ program: exit, isReturn: true, offset });
  }
  return probes;
}
