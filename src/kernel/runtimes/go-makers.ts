import type { LoadedFile, ProcessMemory } from './process-memory.ts';
import type { MakerLayout } from './unit-layout.ts';

type Memory = Pick<ProcessMemory, 'word' | 'words'>;

/**
 * Go, 1.21 and later: a goroutine has the number of the one that made it, and each of the scheduler's processors (runtime.p)
 * the range of numbers that it hands out next. Where these stand differs from version to version, so it is found by what
 * must be true of them. All of that changes while it is read: where it is not found, it may be a moment later.
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

/** @returns null where it will never be known; 'later' where it was not to be seen now */
export function findGoMakers(
  memory: Memory,
  file: Pick<LoadedFile, 'symbols'>,
  minor: number,
  memberOffset: number,
): MakerLayout | 'later' | null {
  if (minor < FIRST_MINOR) return null;
  const symbols = file.symbols(VARIABLES);
  const [goroutines, processors, taken, text, textEnd] = VARIABLES.map((name) => symbols.get(name)?.address);
  if (goroutines === undefined || processors === undefined || taken === undefined) return null;
  if (text === undefined || textEnd === undefined) return null;
  const parentOffset = findParent(memory, goroutines, memberOffset, taken, { from: text, to: textEnd });
  const cacheOffset = findCache(memory, processors, taken);
  if (parentOffset === null || cacheOffset === null) return 'later';
  return { parentOffset, cacheOffset, processors, taken };
}

/**
 * The last number that was handed out to any processor: the first word of runtime.schedt, kept there for its alignment, and a
 * multiple, since whole batches are taken. It grows, so it is read after all that it limits.
 */
function lastTaken(memory: Memory, taken: number): number {
  const last = memory.word(taken) ?? 0;
  return last % BATCH === 0 ? last : 0;
}

/**
 * The number of the maker, behind which stand the address of the statement that made it, a pointer that is seldom set, and the
 * address of its function. A maker may have a higher number than what it makes: each processor has a batch of its own.
 */
function findParent(
  memory: Memory,
  slice: number,
  memberOffset: number,
  taken: number,
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
  const last = lastTaken(memory, taken);
  const found: number[] = [];
  for (let at = memberOffset / WORD_BYTES + 1; at < GOROUTINE_WORDS - 3; at++) {
    const parents = alive.map(({ words }) => words[at] ?? 0);
    const isParent = alive.every(
      ({ words, id }, index) =>
        parents[index] !== id &&
        (parents[index] ?? 0) <= last &&
        isCode(words[at + 1]) &&
        isCode(words[at + 3]),
    );
    if (isParent && parents.some((parent) => parent > 0)) found.push(at * WORD_BYTES);
  }
  return found.length === 1 ? (found[0] ?? null) : null;
}

/** The next number that the processor hands out, and the one behind its last: both in one batch that was taken. */
function findCache(memory: Memory, slice: number, taken: number): number | null {
  const all = pointersIn(memory, slice, CHECKED_PROCESSORS)
    .map((address) => memory.words(address, PROCESSOR_WORDS))
    .filter((words) => words !== null);
  const last = lastTaken(memory, taken);
  const found: number[] = [];
  for (let at = 0; at < PROCESSOR_WORDS - 1; at++) {
    const ranges = all
      .map((words) => ({ next: words[at] ?? 0, end: words[at + 1] ?? 0 }))
      .filter(({ next, end }) => next !== 0 || end !== 0);
    const isRange = ranges.every(
      ({ next, end }) =>
        end % BATCH === 1 && end <= last + 1 && next <= end && next >= end - BATCH && next > 0,
    );
    if (isRange && ranges.length > 0) found.push(at * WORD_BYTES);
  }
  return found.length === 1 ? (found[0] ?? null) : null;
}

/** The first elements of a slice of pointers. */
function pointersIn(memory: Memory, address: number, limit: number): number[] {
  const [first = 0, length = 0] = memory.words(address, 2) ?? [];
  return memory.words(first, Math.min(length, limit)) ?? [];
}
