import { LoadedFile, ProcessMemory } from '../runtimes/process-memory.ts';
import type { ProbedFunction, Variable } from './libraries.ts';
import type { MappedFile } from './mapped-files.ts';

/** PyTypeObject and PyMethodDef: the same since Python 3.0. */
const TYPE_METHODS = 232;
const METHOD_BYTES = 32;
const METHOD_FUNCTION = 8;
const MAX_METHODS = 64;

/**
 * Where a library's functions are in its file, by the names that the catalogue gives them; those that it does not have are left
 * out. Some have no symbol, but their address stands in a variable that has one: that is read in the process.
 * @throws Error of node:fs when the process is gone
 */
export function findFunctions(
  mapped: MappedFile,
  pid: number,
  functions: readonly ProbedFunction[],
): ReadonlyMap<string, number> {
  using file = LoadedFile.open(mapped);
  if (file === null) return new Map();
  const named = functions.filter(({ within }) => within === undefined);
  const found = new Map(file.elf.functions(named.map(({ symbol }) => symbol)));
  const variables = file.symbols(functions.flatMap(({ within }) => within?.symbol ?? []));
  if (variables.size === 0) return found;
  using memory = new ProcessMemory(pid);
  for (const { symbol, within } of functions) {
    const variable = within === undefined ? undefined : variables.get(within.symbol);
    if (within === undefined || variable === undefined) continue;
    const address = addressIn(memory, variable.address, within);
    const offset = address === null ? null : file.elf.codeOffset(address - file.bias);
    if (offset !== null) found.set(symbol, offset);
  }
  return found;
}

function addressIn(memory: ProcessMemory, address: number, within: Variable): number | null {
  if ('at' in within) return memory.word(address + within.at);
  const methods = memory.word(address + TYPE_METHODS);
  for (let index = 0; methods !== null && index < MAX_METHODS; index++) {
    const method = methods + index * METHOD_BYTES;
    const name = memory.word(method);
    if (name === null || name === 0) return null;
    if (memory.hasText(name, within.method)) return memory.word(method + METHOD_FUNCTION);
  }
  return null;
}
