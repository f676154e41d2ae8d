import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { findGoMakers } from './go-makers.ts';

const MEMBER_OFFSET = 160;
const PARENT_OFFSET = 280;
const CACHE_OFFSET = 376;
const CODE = 0x40_1000;
const ADDRESSES = {
  'runtime.allgs': 0x80_0000,
  'runtime.allp': 0x80_0100,
  'runtime.sched': 0x80_0200,
  'runtime.text': 0x40_0000,
  'runtime.etext': 0x60_0000,
} as const;

type Range = readonly [next: number, end: number];

/** Memory of a Go program; what it has handed out may grow while it is read. */
class FakeGo {
  readonly #words = new Map<number, number>();
  taken: number;
  ranges: Range[] = [];
  /** Called before each read of a structure. */
  beforeRead: () => void = () => {};

  /** @param goroutines number and maker of each */
  constructor(
    goroutines: readonly (readonly [id: number, parent: number])[],
    taken: number,
    ranges: readonly Range[],
  ) {
    this.taken = taken;
    this.#slice(ADDRESSES['runtime.allgs'], 0x10_0000, goroutines.length, 0x1000);
    for (const [index, [id, parent]] of goroutines.entries()) {
      const address = 0x10_0000 + 0x10_000 + index * 0x1000;
      this.#words.set(address + MEMBER_OFFSET, id);
      this.#words.set(address + PARENT_OFFSET, parent);
      this.#words.set(address + PARENT_OFFSET + 8, CODE + index);
      this.#words.set(address + PARENT_OFFSET + 24, CODE + 0x100 + index);
    }
    this.#slice(ADDRESSES['runtime.allp'], 0x20_0000, ranges.length, 0x1000);
    this.setRanges(ranges);
  }

  setRanges(ranges: readonly Range[]): void {
    for (const [index, [next, end]] of ranges.entries()) {
      const address = 0x20_0000 + 0x10_000 + index * 0x1000;
      this.#words.set(address + CACHE_OFFSET, next);
      this.#words.set(address + CACHE_OFFSET + 8, end);
    }
  }

  #slice(at: number, elements: number, length: number, distance: number): void {
    this.#words.set(at, elements);
    this.#words.set(at + 8, length);
    for (let index = 0; index < length; index++)
      this.#words.set(elements + 8 * index, elements + 0x10_000 + distance * index);
  }

  words(address: number, count: number): number[] {
    this.beforeRead();
    return Array.from({ length: count }, (_, index) => this.#words.get(address + 8 * index) ?? 0);
  }

  word(address: number): number | null {
    return address === ADDRESSES['runtime.sched'] ? this.taken : (this.words(address, 1)[0] ?? null);
  }

  find(minor = 24): ReturnType<typeof findGoMakers> {
    const symbols = (names: readonly string[]) =>
      new Map(
        names.map((name) => [
          name,
          { address: ADDRESSES[name as keyof typeof ADDRESSES], sizeBytes: 8, isFunction: false },
        ]),
      );
    return findGoMakers(this, { symbols }, minor, MEMBER_OFFSET);
  }
}

const FOUND = {
  parentOffset: PARENT_OFFSET,
  cacheOffset: CACHE_OFFSET,
  processors: ADDRESSES['runtime.allp'],
  taken: ADDRESSES['runtime.sched'],
};

describe('who made goroutines', () => {
  test('is found by what must be true', () => {
    const go = new FakeGo(
      [
        [1, 0],
        [2, 1],
        [17, 1],
      ],
      32,
      [
        [5, 17],
        [19, 33],
      ],
    );
    assert.deepEqual(go.find(), FOUND);
    assert.equal(go.find(20), null);
  });

  test('a maker may have a higher number than what it has made: another processor handed that out', () => {
    const go = new FakeGo(
      [
        [1, 0],
        [17, 1],
        [7, 17],
      ],
      32,
      [
        [8, 17],
        [18, 33],
      ],
    );
    assert.deepEqual(go.find(), FOUND);
  });

  test('amid a load: a processor takes its next batch while this is read', () => {
    const go = new FakeGo(
      [
        [1, 0],
        [2, 1],
      ],
      32,
      [
        [5, 17],
        [19, 33],
      ],
    );
    go.beforeRead = () => {
      go.taken += 16;
      go.setRanges([
        [5, 17],
        [go.taken - 12, go.taken + 1],
      ]);
    };
    assert.deepEqual(go.find(), FOUND);
  });

  test('before any goroutine was made by another one, it is to be looked at later', () => {
    assert.equal(new FakeGo([[1, 0]], 16, [[2, 17]]).find(), 'later');
    assert.equal(
      new FakeGo(
        [
          [1, 0],
          [2, 1],
        ],
        16,
        [[0, 0]],
      ).find(),
      'later',
    );
  });
});
