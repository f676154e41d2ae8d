import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { MergedRings, producerMappingBytes, Ring } from './ring.ts';

const PAGE_BYTES = 4096;
const BUSY = 0x80000000;
const DISCARDED = 0x40000000;
/** An event is at least its size, kind and time. */
const EVENT_BYTES = 16;

/** The kernel's side of a ring, in ordinary memory: what is written to the data area shows in its second mapping too. */
class SimulatedRing {
  readonly ring: Ring;
  readonly #consumer = new ArrayBuffer(PAGE_BYTES);
  readonly #producer: ArrayBuffer;
  readonly #data: DataView;
  readonly #dataBytes: number;
  #position: bigint;

  constructor(dataBytes = 4096, start = 0n) {
    this.#dataBytes = dataBytes;
    this.#producer = new ArrayBuffer(producerMappingBytes(dataBytes));
    this.#data = new DataView(this.#producer, PAGE_BYTES);
    this.#position = start;
    new DataView(this.#consumer).setBigUint64(0, start, true);
    this.#publish();
    this.ring = new Ring(this.#consumer, this.#producer, dataBytes);
  }

  get consumed(): bigint {
    return new DataView(this.#consumer).getBigUint64(0, true);
  }

  get freeBytes(): number {
    return this.#dataBytes - Number(this.#position - this.consumed);
  }

  /** Reserves a record and writes an event of that time; the flags are the kernel's. Returns its offset. */
  write(timeNs: number, flags = 0, size = EVENT_BYTES): number {
    const recordBytes = (size + 8 + 7) & ~7;
    assert.ok(recordBytes <= this.freeBytes, 'the simulated ring is full');
    const offset = Number(this.#position % BigInt(this.#dataBytes));
    this.#u32(offset, size | flags);
    this.#u32(offset + 8, size);
    this.#u32(offset + 16, timeNs >>> 0);
    this.#u32(offset + 20, Math.floor(timeNs / 2 ** 32));
    for (let at = 16; at < size; at++) this.#u8(offset + 8 + at, at & 0xff);
    this.#position += BigInt(recordBytes);
    this.#publish();
    return offset;
  }

  /** Ends a record that was busy. */
  submit(offset: number, size = EVENT_BYTES): void {
    this.#u32(offset, size);
  }

  discard(offset: number, size = EVENT_BYTES): void {
    this.#u32(offset, size | DISCARDED);
  }

  #publish(): void {
    new DataView(this.#producer).setBigUint64(0, this.#position, true);
  }

  #u32(offset: number, value: number): void {
    for (let byte = 0; byte < 4; byte++) this.#u8(offset + byte, (value >>> (8 * byte)) & 0xff);
  }

  #u8(offset: number, value: number): void {
    const at = offset % this.#dataBytes;
    this.#data.setUint8(at, value);
    const again = at + this.#dataBytes;
    if (again < this.#data.byteLength) this.#data.setUint8(again, value);
  }
}

/** Times of all events that are there. */
function take({ ring }: SimulatedRing): number[] {
  const times: number[] = [];
  ring.refresh();
  while (ring.peek()) {
    times.push(ring.timeNs());
    ring.advance();
  }
  ring.commit();
  return times;
}

describe('one ring', () => {
  test('an empty one has nothing', () => {
    const simulated = new SimulatedRing();
    assert.deepEqual(take(simulated), []);
    assert.equal(simulated.consumed, 0n);
  });

  test('events come in order, once, and their room is given back', () => {
    const simulated = new SimulatedRing();
    simulated.write(10);
    simulated.write(20);
    assert.deepEqual(take(simulated), [10, 20]);
    assert.equal(simulated.consumed, 48n);
    assert.deepEqual(take(simulated), []);
    simulated.write(30);
    assert.deepEqual(take(simulated), [30]);
  });

  test('size and offset are those of the event, whatever its length', () => {
    const simulated = new SimulatedRing();
    for (const size of [16, 17, 23, 24, 25, 100]) {
      simulated.write(size, 0, size);
      const { ring } = simulated;
      ring.refresh();
      assert.ok(ring.peek());
      assert.equal(ring.size, size);
      assert.equal(ring.view.getUint32(ring.offset, true), size);
      for (let at = 16; at < size; at++) assert.equal(ring.bytes[ring.offset + at], at);
      ring.advance();
    }
    assert.equal(simulated.ring.peek(), false);
  });

  test('events that came after the last look wait for the next', () => {
    const simulated = new SimulatedRing();
    simulated.write(1);
    simulated.ring.refresh();
    simulated.write(2);
    assert.ok(simulated.ring.peek());
    simulated.ring.advance();
    assert.equal(simulated.ring.peek(), false);
    assert.deepEqual(take(simulated), [2]);
  });

  test('a record that is being written holds back what is behind it', () => {
    const simulated = new SimulatedRing();
    simulated.write(1);
    const busy = simulated.write(2, BUSY);
    simulated.write(3);
    assert.deepEqual(take(simulated), [1]);
    assert.equal(simulated.consumed, 24n);
    simulated.submit(busy);
    assert.deepEqual(take(simulated), [2, 3]);
  });

  test('discarded records are passed over, and their room is given back', () => {
    const simulated = new SimulatedRing();
    simulated.write(1, DISCARDED);
    simulated.write(2);
    simulated.write(3, DISCARDED, 64);
    const busy = simulated.write(4, BUSY);
    simulated.discard(busy);
    assert.deepEqual(take(simulated), [2]);
    assert.equal(simulated.consumed, 24n + 24n + 72n + 24n);
  });

  test('records that wrap around read as one piece', () => {
    const simulated = new SimulatedRing(4096);
    for (let round = 0; round < 200; round++) {
      simulated.write(round, 0, 1000);
      const { ring } = simulated;
      ring.refresh();
      assert.ok(ring.peek());
      assert.equal(ring.timeNs(), round);
      assert.equal(ring.bytes[ring.offset + 999], 999 & 0xff);
      ring.advance();
      ring.commit();
    }
    assert.equal(simulated.consumed, BigInt(200 * 1008));
  });

  test('the largest events wrap around in a ring that is not mapped twice as a whole', () => {
    const simulated = new SimulatedRing(512 * 1024);
    for (let round = 0; round < 20; round++) {
      simulated.write(round, 0, 70_000);
      const { ring } = simulated;
      ring.refresh();
      assert.ok(ring.peek());
      for (const at of [16, 4096, 65_535, 69_999]) assert.equal(ring.bytes[ring.offset + at], at & 0xff);
      ring.advance();
      ring.commit();
    }
  });

  for (const [name, start] of [
    ['just below 2^31', 2n ** 31n - 48n],
    ['just below 2^32', 2n ** 32n - 48n],
    ['far above 2^32', 2n ** 45n + 2n ** 32n - 48n],
  ] as const)
    test(`positions ${name}`, () => {
      const simulated = new SimulatedRing(4096, start);
      for (let round = 0; round < 20; round++) {
        simulated.write(round);
        simulated.write(1000 + round, DISCARDED);
        simulated.write(2000 + round);
        assert.deepEqual(take(simulated), [round, 2000 + round]);
        assert.equal(simulated.consumed, start + BigInt(72 * (round + 1)));
      }
    });

  test('a full ring', () => {
    const simulated = new SimulatedRing(4096, 2n ** 32n - 2048n);
    let count = 0;
    while (simulated.freeBytes >= 24) simulated.write(count++);
    assert.deepEqual(
      take(simulated),
      Array.from({ length: count }, (_, index) => index),
    );
  });

  test('times above 2^32', () => {
    const simulated = new SimulatedRing();
    simulated.write(2 ** 51 + 2 ** 31 + 7);
    assert.deepEqual(take(simulated), [2 ** 51 + 2 ** 31 + 7]);
  });

  test('a long drain gives room back on its way', () => {
    const simulated = new SimulatedRing(1024 * 1024);
    for (let index = 0; index < 600; index++) simulated.write(index, 0, 1016);
    const { ring } = simulated;
    ring.refresh();
    for (let index = 0; index < 600; index++) {
      assert.ok(ring.peek());
      ring.advance();
    }
    assert.equal(simulated.consumed, 512n * 1024n);
    ring.commit();
    assert.equal(simulated.consumed, 600n * 1024n);
  });

  test('whatever is written comes out, in order', () => {
    const step = fc.oneof(
      fc.record({ size: fc.integer({ min: 16, max: 300 }), flags: fc.constantFrom(0, 0, 0, DISCARDED) }),
      fc.constant('take' as const),
    );
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 80 }),
        fc.bigInt({ min: 0n, max: 2n ** 40n }),
        (steps, start) => {
          const simulated = new SimulatedRing(4096, start * 8n);
          const expected: number[] = [];
          const taken: number[] = [];
          steps.forEach((one, index) => {
            if (one === 'take' || simulated.freeBytes < 320) taken.push(...take(simulated));
            if (one === 'take') return;
            simulated.write(index, one.flags, one.size);
            if (one.flags === 0) expected.push(index);
          });
          taken.push(...take(simulated));
          assert.deepEqual(taken, expected);
        },
      ),
      { numRuns: 100 },
    );
  });
});

/** Two rings, and what comes out of them. */
class Pair {
  readonly first = new SimulatedRing();
  readonly second = new SimulatedRing();
  readonly rings = new MergedRings(this.first.ring, this.second.ring);

  drain(horizonNs = Number.MAX_SAFE_INTEGER): string[] {
    const seen: string[] = [];
    const count = this.rings.drain(horizonNs, (ring) => {
      seen.push(`${ring === this.first.ring ? 'first' : 'second'} ${ring.timeNs()}`);
    });
    assert.equal(count, seen.length);
    return seen;
  }
}

describe('two rings merged', () => {
  test('events are handed over in the order of their times; at the same time the first ring leads', () => {
    const pair = new Pair();
    const { first, second } = pair;
    for (const time of [10, 30, 30, 70]) first.write(time);
    for (const time of [20, 30, 40, 80]) second.write(time);
    assert.deepEqual(pair.drain(), [
      'first 10',
      'second 20',
      'first 30',
      'first 30',
      'second 30',
      'second 40',
      'first 70',
      'second 80',
    ]);
    assert.equal(first.consumed, 96n);
    assert.equal(second.consumed, 96n);
  });

  test('one of them may be empty, or both', () => {
    const pair = new Pair();
    const { first, second } = pair;
    assert.deepEqual(pair.drain(), []);
    second.write(5);
    assert.deepEqual(pair.drain(), ['second 5']);
    first.write(6);
    assert.deepEqual(pair.drain(), ['first 6']);
  });

  test('what is younger than the horizon stays, since older events of the other ring may still come', () => {
    const pair = new Pair();
    const { first, second } = pair;
    first.write(10);
    first.write(21);
    second.write(20);
    second.write(30);
    assert.deepEqual(pair.drain(20), ['first 10', 'second 20']);
    second.write(40);
    assert.deepEqual(pair.drain(35), ['first 21', 'second 30']);
    assert.deepEqual(pair.drain(40), ['second 40']);
    assert.deepEqual(pair.drain(1000), []);
  });

  test('a record that is never written holds back the other ring once, whatever is being written there', () => {
    const pair = new Pair();
    const { first, second } = pair;
    const STEP_NS = 1e6;
    first.write(1, BUSY);
    let busy = second.write(2, BUSY);
    for (let step = 1; step <= 60; step++) {
      second.submit(busy);
      busy = second.write(step * STEP_NS, BUSY);
      const seen = pair.drain((step + 1) * STEP_NS);
      if (step > 30) assert.deepEqual(seen, [`second ${(step - 1) * STEP_NS}`]);
    }
  });

  test('a record that is not yet written holds back both: what stands behind it comes before what the other has', () => {
    for (const end of ['submit', 'discard'] as const) {
      const pair = new Pair();
      const { first, second, rings } = pair;
      first.write(5);
      const busy = first.write(10, BUSY);
      first.write(20); // of another processor: who was started
      second.write(7);
      second.write(30); // what it did
      assert.deepEqual(pair.drain(100), ['first 5']);
      assert.ok(rings.isHeldBack);
      assert.deepEqual(pair.drain(100), []);
      first[end](busy);
      const own = end === 'submit' ? ['first 10'] : [];
      assert.deepEqual(pair.drain(100), ['second 7', ...own, 'first 20', 'second 30']);
      assert.ok(!rings.isHeldBack);
    }
  });

  test('likewise where the other ring has it', () => {
    const pair = new Pair();
    const { first, second } = pair;
    const busy = second.write(10, BUSY);
    first.write(20);
    assert.deepEqual(pair.drain(100), []);
    second.submit(busy);
    assert.deepEqual(pair.drain(100), ['second 10', 'first 20']);
  });

  test('but not for ever: after a while only its own ring waits, until it is written', () => {
    const pair = new Pair();
    const { first, second, rings } = pair;
    const busy = first.write(1e9, BUSY);
    first.write(1e9 + 5);
    second.write(1e9 + 9);
    assert.deepEqual(pair.drain(2e9), []);
    assert.deepEqual(pair.drain(2e9 + 19e6), []);
    assert.deepEqual(pair.drain(2e9 + 20e6), ['second 1000000009']);
    assert.ok(!rings.isHeldBack);
    second.write(2e9 + 30e6);
    assert.deepEqual(pair.drain(2e9 + 40e6), ['second 2030000000']);
    first.submit(busy);
    assert.deepEqual(pair.drain(2e9 + 50e6), ['first 1000000000', 'first 1000000005']);
    // The next one holds back anew.
    const next = first.write(2e9 + 60e6, BUSY);
    second.write(2e9 + 61e6);
    assert.deepEqual(pair.drain(2e9 + 70e6), []);
    first.submit(next);
    assert.deepEqual(pair.drain(2e9 + 70e6), ['first 2060000000', 'second 2061000000']);
  });
});
