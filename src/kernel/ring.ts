/**
 * Reads a BPF ring buffer through its memory mapping: no call, no copy and no allocation for an event. The layout is
 * that of kernel/bpf/ringbuf.c: a page with the consumer's position, a page with the producer's, then the data, whose
 * beginning is mapped once more behind it so that records never wrap. A record is a 32-bit length with two flag bits, 4 bytes of the kernel's
 * own, then the event.
 */
const BUSY = 0x80000000;
const DISCARDED = 0x40000000;
const LENGTH_MASK = 0x3fffffff;
const RECORD_HEADER_BYTES = 8;
const PAGE_BYTES = 4096;
/** How much of the data is mapped twice: more than the largest event (SCRATCH_SIZE in bpf/lib/state.h, and its details). */
const OVERLAP_BYTES = 128 * 1024;
/** The kernel gets its room back at least this often while a long drain goes on. */
const COMMIT_BYTES = 512 * 1024;

/**
 * What has to be mapped of a ring: the producer's page, the data, and behind it as much of its beginning as one event may need.
 * Every mapped page counts as the agent's memory, so it is not all of the data twice.
 */
export function producerMappingBytes(dataBytes: number): number {
  return PAGE_BYTES + dataBytes + Math.min(dataBytes, OVERLAP_BYTES);
}

export class Ring {
  /** Data area; events stand at `offset`. */
  readonly bytes: Uint8Array;
  readonly view: DataView;
  /** Of the current event; valid after peek() said true. */
  offset = 0;
  size = 0;
  /** peek() has found a record that is reserved and not yet written. */
  isBusy = false;

  readonly #words: Int32Array;
  readonly #unsignedWords: Uint32Array;
  readonly #producer: Int32Array;
  readonly #consumer: BigUint64Array;
  readonly #mask: number;
  #position: number;
  #committed: number;
  #end: number;
  #recordBytes = 0;

  /**
   * @param consumer mapping of the consumer page, writable
   * @param producer mapping of producerMappingBytes(dataBytes)
   * @param dataBytes size of the data area, a power of two
   */
  constructor(consumer: ArrayBuffer, producer: ArrayBuffer, dataBytes: number) {
    this.bytes = new Uint8Array(producer, PAGE_BYTES);
    this.view = new DataView(producer, PAGE_BYTES);
    this.#words = new Int32Array(producer, PAGE_BYTES);
    this.#unsignedWords = new Uint32Array(producer, PAGE_BYTES);
    this.#producer = new Int32Array(producer, 0, 2);
    this.#consumer = new BigUint64Array(consumer, 0, 1);
    this.#mask = dataBytes - 1;
    this.#position = Number(Atomics.load(this.#consumer, 0));
    this.#committed = this.#position;
    this.#end = this.#position;
  }

  /** Of the next record, in all that the ring has ever held. */
  get position(): number {
    return this.#position;
  }

  get sizeBytes(): number {
    return this.#mask + 1;
  }

  /** What the kernel has written and nobody has read. */
  get waitingBytes(): number {
    return (Atomics.load(this.#producer, 0) - (this.#position | 0)) >>> 0;
  }

  /** Looks how far the kernel has come. Events that come later wait for the next call. */
  refresh(): void {
    const low = Atomics.load(this.#producer, 0);
    // Positions only grow; the low words suffice, since the distance is less than 4 GiB.
    this.#end = this.#position + ((low - (this.#position | 0)) >>> 0);
  }

  /** Moves to the next finished event; false when there is none up to the last refresh. */
  peek(): boolean {
    this.isBusy = false;
    while (this.#position < this.#end) {
      const at = (this.#position & this.#mask) >>> 0;
      const header = Atomics.load(this.#words, at >>> 2);
      // Reserved but not yet written: everything behind waits, so that the order stays.
      if ((header & BUSY) !== 0) {
        this.isBusy = true;
        return false;
      }
      const length = header & LENGTH_MASK;
      this.#recordBytes = (length + RECORD_HEADER_BYTES + 7) & ~7;
      if ((header & DISCARDED) === 0) {
        this.offset = at + RECORD_HEADER_BYTES;
        this.size = length;
        return true;
      }
      this.#position += this.#recordBytes;
    }
    return false;
  }

  /** Boot time of the current event; every event has it behind 8 bytes of size, kind and flags. */
  timeNs(): number {
    const word = (this.offset >>> 2) + 2;
    return (this.#unsignedWords[word] ?? 0) + (this.#unsignedWords[word + 1] ?? 0) * 4294967296;
  }

  /** The current event is done with. */
  advance(): void {
    this.#position += this.#recordBytes;
    if (this.#position - this.#committed >= COMMIT_BYTES) this.commit();
  }

  /** Gives the room of all events done with back to the kernel. */
  commit(): void {
    if (this.#position === this.#committed) return;
    Atomics.store(this.#consumer, 0, BigInt(this.#position));
    this.#committed = this.#position;
  }
}

/**
 * So long a record that is reserved and not yet written holds back the other ring. Programs of the kernel side write within
 * microseconds and are not interrupted, unless a hypervisor takes their processor away.
 */
const HOLD_NS = 20_000_000;
/** Looks at such a record in a row, some ten microseconds: mostly it is written meanwhile. */
const BUSY_LOOKS = 500;

/** Two rings, read in the order of their events' times. */
export class MergedRings {
  readonly #first: Ring;
  readonly #second: Ring;
  /** The last drain ended at a record that was not yet written: there may be more up to its horizon. */
  isHeldBack = false;
  /** Where each ring has such a record, and since when it is known. */
  readonly #holds = new Map<Ring, { position: number; sinceNs: number }>();

  constructor(first: Ring, second: Ring) {
    this.#first = first;
    this.#second = second;
  }

  /**
   * Hands the events of both to `handle`, up to `horizonNs`: an event of the other ring that is younger than the horizon may not
   * be visible yet. What stands behind a record that is not yet written is older than what the other ring has, so that one
   * waits as well, for a while.
   * @returns how many there were
   */
  drain(horizonNs: number, handle: (ring: Ring) => void, limit = Infinity): number {
    const [first, second] = [this.#first, this.#second];
    first.refresh();
    second.refresh();
    this.isHeldBack = false;
    let count = 0;
    let firstTime = this.#timeOf(first, horizonNs);
    let secondTime = this.#timeOf(second, horizonNs);
    while (count < limit && !this.isHeldBack && (firstTime !== Infinity || secondTime !== Infinity)) {
      if (firstTime <= secondTime) {
        if (firstTime > horizonNs) break;
        handle(first);
        first.advance();
        firstTime = this.#timeOf(first, horizonNs);
      } else {
        if (secondTime > horizonNs) break;
        handle(second);
        second.advance();
        secondTime = this.#timeOf(second, horizonNs);
      }
      count++;
    }
    first.commit();
    second.commit();
    return count;
  }

  /** Of the ring's next event; Infinity where there is none. */
  #timeOf(ring: Ring, nowNs: number): number {
    if (ring.peek()) return ring.timeNs();
    if (ring.isBusy) this.#wait(ring, nowNs);
    return ring.isBusy || !ring.peek() ? Infinity : ring.timeNs();
  }

  #wait(ring: Ring, nowNs: number): void {
    let hold = this.#holds.get(ring);
    if (hold === undefined) this.#holds.set(ring, (hold = { position: -1, sinceNs: 0 }));
    if (hold.position !== ring.position) {
      for (let look = 0; look < BUSY_LOOKS && ring.isBusy; look++) ring.peek();
      if (!ring.isBusy) return;
      hold.position = ring.position;
      hold.sinceNs = nowNs;
    }
    if (nowNs - hold.sinceNs < HOLD_NS) this.isHeldBack = true;
  }
}
