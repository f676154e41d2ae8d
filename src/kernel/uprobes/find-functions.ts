import { ElfFile, type ByteSource } from './elf-file.ts';
import { goFunctions } from './go-functions.ts';
import type { ProbedFunction, Variable } from './libraries.ts';

/** PyTypeObject and PyMethodDef: the same since Python 3.0. */
const TYPE_METHODS = 232;
const METHOD_BYTES = 32;
const METHOD_FUNCTION = 8;
const MAX_METHODS = 64;

/**
 * Where a library's functions are in its file, by the names that the catalogue gives them; those that it does not have are left
 * out. Some have no symbol, but their address stands in a variable that has one. All is read out of the file, never out of a
 * process: what a process writes into its own memory must not decide where others get a breakpoint.
 * @param goSymbols those of Go programs, which keep the names of their functions when their symbols are stripped
 */
export function findFunctions(
  source: ByteSource,
  functions: readonly ProbedFunction[],
  goSymbols: readonly string[] = [],
): ReadonlyMap<string, number> {
  const elf = ElfFile.open(source);
  if (elf === null) return new Map();
  const named = functions.filter(({ within }) => within === undefined);
  const names = new Set(named.map(({ symbol }) => symbol));
  const found = new Map(elf.functions([...names]));
  const missing = goSymbols.filter((name) => !found.has(name));
  if (missing.length > 0) for (const [name, offset] of goFunctions(elf, missing)) found.set(name, offset);
  const variables = elf.symbols([...new Set(functions.flatMap(({ within }) => within?.symbol ?? []))]);
  for (const { symbol, within } of functions) {
    const variable = within === undefined ? undefined : variables.get(within.symbol);
    if (within === undefined || variable === undefined) continue;
    const address = addressIn(elf, variable.address, within);
    const offset = address === null ? null : elf.codeOffset(address);
    if (offset !== null) found.set(symbol, offset);
  }
  return found;
}

function addressIn(elf: ElfFile, address: number, within: Variable): number | null {
  if ('at' in within) return elf.pointerAt(address + within.at);
  const methods = elf.pointerAt(address + TYPE_METHODS);
  for (let index = 0; methods !== null && index < MAX_METHODS; index++) {
    const method = methods + index * METHOD_BYTES;
    const name = elf.pointerAt(method);
    if (name === null) return null;
    if (elf.hasText(name, within.method)) return elf.pointerAt(method + METHOD_FUNCTION);
  }
  return null;
}
