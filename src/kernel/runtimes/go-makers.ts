import type { LoadedFile, ProcessMemory } from './process-memory.ts';
import type { MakerLayout } from './unit-layout.ts';

/**
 * Go, 1.21 and later: a goroutine has the number of the one that made it, and each of the scheduler's processors (runtime.p)
 * the range of numbers that it hands out next. Where these stand differs from version to version, so it is found by what
 * must be true of them; without the variables' symbols, and before other goroutines run, nothing is said.
 */

/** The first that has runtime.g.parentGoid. */
const FIRST_MINOR = 21;
/** runtime._GoidCacheBatch. */
const BATCH = 16;
const CHECKED_GOROUTINES = 64;
const CHECKED_PROCESSORS = 16;
/** runtime.g has some 55 words, and what we look for stands behind its number. */
const GOROUTINE_WORDS = 64;
/** runtime.p.goidcache stands behind its pool of deferred calls: some 50 words. Before that there are no such ranges. */
const PROCESSOR_WORDS = 128;
const WORD_BYTES = 8;
const VARIABLES = ['runtime.allgs', 'runtime.allp', 'runtime.sched', 'runtime.text', 'runtime.etext'];

/** @returns null where it is not known */
export function findGoMakers(
  memory: ProcessMemory,
  file: LoadedFile,
  minor: number,
  memberOffset: number,
): MakerLayout | null {
  if (minor < FIRST_MINOR) return null;
  const symbols = file.symbols(VARIABLES);
  const [goroutines, processors, taken, text, textEnd] = VARIABLES.map((name) => symbols.get(name)?.address);
  if (goroutines === undefined || processors === undefined || taken === undefined) return null;
  if (text === undefined || textEnd === undefined) return null;
  const parentOffset = findParent(memory, goroutines, memberOffset, { from: text, to: textEnd });
  // The first word of runtime.schedt, kept there for its alignment: a multiple, since whole batches are taken.
  const last = memory.word(taken);
  if (parentOffset === null || last === null || last === 0 || last % BATCH !== 0) return null;
  const cacheOffset = findCache(memory, processors, last);
  return cacheOffset === null ? null : { parentOffset, cacheOffset, processors, taken };
}

/**
 * The number of the maker, behind which stand the address of the statement that made it, a pointer that is seldom set, and the
 * address of its function. The first goroutine was made by none, every other one by one with a lower number or by none.
 */
function findParent(
  memory: ProcessMemory,
  slice: number,
  memberOffset: number,
  code: { readonly from: number; readonly to: number },
): number | null {
  const isCode = (word: number | undefined): boolean =>
    word !== undefined && word >= code.from && word < code.to;
  const alive = pointersIn(memory, slice, CHECKED_GOROUTINES)
    .map((address) => memory.words(address, GOROUTINE_WORDS))
    .filter((words) => words !== null)
    .map((words) => ({ words, id: words[memberOffset / WORD_BYTES] ?? 0 }))
    .filter(({ id }) => id > 0);
  if (!alive.some(({ id }) => id === 1)) return null;
  const found: number[] = [];
  for (let at = memberOffset / WORD_BYTES + 1; at < GOROUTINE_WORDS - 3; at++) {
    const parents = alive.map(({ words }) => words[at] ?? 0);
    const isParent = alive.every(
      ({ words, id }, index) => (parents[index] ?? 0) < id && isCode(words[at + 1]) && isCode(words[at + 3]),
    );
    if (isParent && parents.some((parent) => parent > 0)) found.push(at * WORD_BYTES);
  }
  return found.length === 1 ? (found[0] ?? null) : null;
}

/** The next number that the processor hands out, and the one behind its last: both in one batch that was taken. */
function findCache(memory: ProcessMemory, slice: number, taken: number): number | null {
  const all = pointersIn(memory, slice, CHECKED_PROCESSORS)
    .map((address) => memory.words(address, PROCESSOR_WORDS))
    .filter((words) => words !== null);
  const found: number[] = [];
  for (let at = 0; at < PROCESSOR_WORDS - 1; at++) {
    const ranges = all
      .map((words) => ({ next: words[at] ?? 0, end: words[at + 1] ?? 0 }))
      .filter(({ next, end }) => next !== 0 || end !== 0);
    const isRange = ranges.every(
      ({ next, end }) =>
        end % BATCH === 1 && end <= taken + 1 && next <= end && next >= end - BATCH && next > 0,
    );
    if (isRange && ranges.length > 0) found.push(at * WORD_BYTES);
  }
  return found.length === 1 ? (found[0] ?? null) : null;
}

/** The first elements of a slice of pointers. */
function pointersIn(memory: ProcessMemory, address: number, limit: number): number[] {
  const [first = 0, length = 0] = memory.words(address, 2) ?? [];
  return memory.words(first, Math.min(length, limit)) ?? [];
}
