import { findGoMakers } from './go-makers.ts';
import type { LoadedFile, ProcessMemory } from './process-memory.ts';
import type { UnitLayout } from './unit-layout.ts';

/**
 * Go, 1.17 and later: a thread has a pointer to its goroutine (runtime.g) in its thread-local storage, and the goroutine has
 * a number that is never used again.
 */

const BUILD_INFO_MAGIC = Buffer.from('\xff Go buildinf:', 'latin1');
/** debug/buildinfo: the version stands in the section itself since Go 1.18. */
const FLAGS_OFFSET = 15;
const FLAG_INLINE_STRINGS = 2;
const STRINGS_OFFSET = 32;
const BUILD_INFO_BYTES = 64;
const POINTER_BYTES = 8;
/** Goroutines that are looked at to see that the numbers are where we think. */
const CHECKED_GOROUTINES = 8;
/** Go 1.25: the newest of which the place is known. */
const NEWEST_MINOR = 25;
const MAX_GOROUTINE_ID = 2 ** 48;

/** Where runtime.g.goid is: Go 1.23 put syscallbp before it, Go 1.25 took a word out of gobuf. */
function goidOffset(minor: number): number | null {
  if (minor < 17) return null;
  return minor === 23 || minor === 24 ? 160 : 152;
}

/** @returns 'other' where it is no Go program, null where it is one that we do not know */
export function findGoUnits(memory: ProcessMemory, file: LoadedFile): UnitLayout | 'other' | null {
  const minor = goVersion(file);
  if (minor === null) return 'other';
  const memberOffset = goidOffset(minor);
  if (memberOffset === null) return null;
  const symbols = file.symbols(['runtime.tlsg', 'runtime.allgs']);
  const threadOffset = goroutineOffset(file, symbols.get('runtime.tlsg')?.address ?? null);
  if (threadOffset === null) return null;
  const all = symbols.get('runtime.allgs');
  // Without that, of a version that came after this was written nobody knows.
  if (all === undefined ? minor > NEWEST_MINOR : !areGoroutines(memory, all.address, memberOffset))
    return null;
  const makers = findGoMakers(memory, file, minor, memberOffset);
  if (makers === 'later') return { kind: 'go', threadOffset, memberOffset, isUnfinished: true };
  return { kind: 'go', threadOffset, memberOffset, ...(makers === null ? {} : { makers }) };
}

/** The 19 of go1.19.8. */
function goVersion(file: LoadedFile): number | null {
  const info = file.elf.section('.go.buildinfo', BUILD_INFO_BYTES);
  if (info === null || info.length < BUILD_INFO_BYTES) return null;
  if (BUILD_INFO_MAGIC.some((byte, index) => info[index] !== byte)) return null;
  if (((info[FLAGS_OFFSET] ?? 0) & FLAG_INLINE_STRINGS) === 0) return null;
  const length = info[STRINGS_OFFSET] ?? 0;
  const text = Buffer.from(
    info.buffer,
    info.byteOffset + STRINGS_OFFSET + 1,
    BUILD_INFO_BYTES - STRINGS_OFFSET - 1,
  );
  const match = /^(?:devel )?go1\.(\d{1,3})/.exec(text.toString('latin1', 0, length));
  return match === null ? null : Number(match[1]);
}

/**
 * The variable is the last word of the program's thread-local storage, which ends at the thread's base (variant II of the
 * ELF TLS layouts); beside those of C libraries that were linked in, it stands where its symbol says.
 */
function goroutineOffset(file: LoadedFile, symbolAddress: number | null): number | null {
  const bytes = file.elf.threadLocalBytes;
  if (bytes === null || bytes === POINTER_BYTES) return -POINTER_BYTES;
  return symbolAddress === null ? null : symbolAddress - file.bias - bytes;
}

/** runtime.allgs is a slice of pointers; the first is the main goroutine, whose number is 1, and no two have the same. */
function areGoroutines(memory: ProcessMemory, address: number, memberOffset: number): boolean {
  const [first, length] = memory.words(address, 2) ?? [];
  if (first === undefined || length === undefined || length === 0) return false;
  const goroutines = memory.words(first, Math.min(length, CHECKED_GOROUTINES)) ?? [];
  const ids = goroutines.map((goroutine) => memory.word(goroutine + memberOffset));
  return (
    ids[0] === 1 &&
    ids.every((id) => id !== null && id < MAX_GOROUTINE_ID) &&
    new Set(ids.filter((id) => id !== 0)).size === ids.filter((id) => id !== 0).length
  );
}
