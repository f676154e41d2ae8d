import { isPlausibleAddress, type LoadedFile, type ProcessMemory } from './process-memory.ts';
import type { UnitLayout } from './unit-layout.ts';

/**
 * CPython, 3.7 and later: the thread's PyThreadState has a pointer to the context that it runs in (PEP 567), and asyncio
 * gives each task a context of its own. Where things are differs from version to version, so nothing is taken from a table:
 * every structure is known by what it must point to.
 */

/** glibc's struct pthread, which begins at the thread's base: the first 32 thread-specific values, with their sequence numbers. */
const SPECIFIC_OFFSET = 0x310;
const SPECIFIC_KEYS = 32;
/** nptl's tcbhead_t: a pointer to itself, twice. */
const SELF_OFFSET = 16;
const MAX_RUNTIME_BYTES = 1024 * 1024;
/** Words of it that are followed: each is a read of the other process's memory. */
const MAX_CANDIDATES = 4096;
/** PyThreadState has some 400 bytes. */
const THREAD_STATE_WORDS = 96;
const TYPE_OFFSET = 8;

/** @returns null where it is none, or where no context is in use yet: a server without asyncio */
export function findPythonUnits(memory: ProcessMemory, file: LoadedFile): UnitLayout | null {
  const symbols = file.symbols(['_PyRuntime', 'PyContext_Type']);
  const runtime = symbols.get('_PyRuntime');
  const contextType = symbols.get('PyContext_Type');
  if (runtime === undefined || contextType === undefined || runtime.sizeBytes > MAX_RUNTIME_BYTES)
    return null;
  const thread = mainThread(memory, runtime.address, runtime.sizeBytes);
  if (thread === null) return null;
  const specific = memory.words(thread + SPECIFIC_OFFSET, 2 * SPECIFIC_KEYS);
  if (specific === null) return null;
  for (let key = 0; key < SPECIFIC_KEYS; key++) {
    const state = memory.words(specific[2 * key + 1] ?? 0, THREAD_STATE_WORDS);
    // It names its thread.
    if (state === null || !state.includes(thread)) continue;
    const contexts = state.flatMap((word, index) =>
      isPlausibleAddress(word) && memory.word(word + TYPE_OFFSET) === contextType.address ? [index * 8] : [],
    );
    const [memberOffset] = contexts;
    if (memberOffset === undefined || contexts.length > 1) continue;
    return { kind: 'python', threadOffset: SPECIFIC_OFFSET + 16 * key + 8, memberOffset };
  }
  return null;
}

/** The base of the main thread stands in the interpreter's global state; its first word and its third point to itself. */
function mainThread(memory: ProcessMemory, address: number, sizeBytes: number): number | null {
  const words = memory.words(address, Math.floor(sizeBytes / 8));
  let left = MAX_CANDIDATES;
  for (const word of new Set(words)) {
    if (!isPlausibleAddress(word) || word % 64 !== 0) continue;
    if (left-- === 0) return null;
    if (memory.word(word) === word && memory.word(word + SELF_OFFSET) === word) return word;
  }
  return null;
}
