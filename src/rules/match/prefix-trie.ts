import type { Network } from './network.ts';

/** Bits that a node of the trie decides. */
const STRIDE = 4;
const WIDTH = 1 << STRIDE;

/**
 * Prefixes of addresses, as a trie of half bytes without the ways that do not part (Morrison, PATRICIA, 1968): a node says which
 * half byte it decides, and its last cell names the one prefix that is possible, with which the whole address is compared. So
 * 50,000 addresses take some 4 MiB, and a look-up passes few nodes, of IPv6 as of IPv4, however much the prefixes have in common.
 */
export class PrefixTrie {
  /** Words of 32 bits of an address. */
  readonly #size: number;
  /** Of each prefix how many bits it has, its words, and of each word which bits count. None lies in another. */
  readonly #bits: Uint8Array;
  readonly #words: Int32Array;
  readonly #masks: Int32Array;
  /** What stands for all of them. A cell is 0 for nothing, n > 0 for the node n, -n for the prefix n - 1. */
  readonly #root: number;
  /** Of each node the bit that it begins at, and its cells; there is no node 0. */
  #starts = new Uint8Array(64);
  #cells = new Int32Array(64 * WIDTH);
  #nodes = 1;

  /** @param size words of an address: of all networks the same */
  constructor(networks: readonly Network[], size: number) {
    this.#size = size;
    const apart = withoutContained(networks);
    this.#bits = Uint8Array.from(apart, ({ prefixBits }) => prefixBits);
    this.#words = Int32Array.from(apart.flatMap(({ words }) => words));
    this.#masks = Int32Array.from(
      apart.flatMap(({ words, prefixBits }) => words.map((_, word) => maskOf(prefixBits - 32 * word))),
    );
    this.#root = this.#add(0, apart.length);
  }

  /** @param address its words */
  has(address: Int32Array): boolean {
    const cells = this.#cells;
    let cell = this.#root;
    while (cell > 0) {
      const bit = this.#starts[cell] as number;
      const digit = ((address[bit >> 5] as number) >>> (28 - (bit & 31))) & (WIDTH - 1);
      cell = cells[cell * WIDTH + digit] as number;
    }
    return cell !== 0 && this.#isIn(address, -cell - 1);
  }

  /** Whether an address lies in a prefix. */
  #isIn(address: Int32Array, prefix: number): boolean {
    const size = this.#size;
    for (let word = 0; word < size; word++) {
      const at = prefix * size + word;
      const difference = (address[word] as number) ^ (this.#words[at] as number);
      if ((difference & (this.#masks[at] as number)) !== 0) return false;
    }
    return true;
  }

  /** @returns the cell that stands for some prefixes that follow each other */
  #add(from: number, to: number): number {
    if (to - from < 2) return to > from ? -from - 1 : 0;
    // They are in order: what the first and the last have in common, all have; and no prefix ends there.
    const bit = this.#firstDifference(from, to - 1) & -STRIDE;
    const node = this.#newNode(bit);
    for (let first = from; first < to;) {
      const digit = this.#digit(first, bit);
      const free = bit + STRIDE - (this.#bits[first] as number);
      if (free > 0) {
        // It ends inside of the half byte, and has several cells.
        this.#cells.fill(-first - 1, node * WIDTH + digit, node * WIDTH + digit + (1 << free));
        first++;
        continue;
      }
      let last = first + 1;
      while (last < to && this.#digit(last, bit) === digit) last++;
      const cell = this.#add(first, last);
      this.#cells[node * WIDTH + digit] = cell;
      first = last;
    }
    return node;
  }

  #firstDifference(one: number, other: number): number {
    for (let word = 0; ; word++) {
      const first = this.#words[one * this.#size + word] as number;
      const difference = first ^ (this.#words[other * this.#size + word] as number);
      if (difference !== 0) return 32 * word + Math.clz32(difference);
    }
  }

  #digit(prefix: number, bit: number): number {
    const word = this.#words[prefix * this.#size + (bit >> 5)] as number;
    return (word >>> (28 - (bit & 31))) & (WIDTH - 1);
  }

  #newNode(bit: number): number {
    const node = this.#nodes++;
    if (node === this.#starts.length) {
      const [starts, cells] = [this.#starts, this.#cells];
      this.#starts = new Uint8Array(2 * starts.length);
      this.#starts.set(starts);
      this.#cells = new Int32Array(2 * cells.length);
      this.#cells.set(cells);
    }
    this.#starts[node] = bit;
    return node;
  }
}

/** In order, with noughts behind the prefix, and without those that lie in another. */
function withoutContained(networks: readonly Network[]): Network[] {
  const apart: Network[] = [];
  for (const network of networks.map(masked).toSorted(compare)) {
    const last = apart.at(-1);
    if (last === undefined || !isInside(network, last)) apart.push(network);
  }
  return apart;
}

function masked({ words, prefixBits }: Network): Network {
  return { words: words.map((value, word) => (value & maskOf(prefixBits - 32 * word)) >>> 0), prefixBits };
}

/** The larger network before what lies in it. */
function compare(a: Network, b: Network): number {
  for (const [word, value] of a.words.entries()) {
    const difference = value - (b.words[word] as number);
    if (difference !== 0) return difference;
  }
  return a.prefixBits - b.prefixBits;
}

function isInside(inner: Network, outer: Network): boolean {
  return outer.words.every((value, word) => {
    const mask = maskOf(outer.prefixBits - 32 * word);
    return (((inner.words[word] as number) ^ value) & mask) === 0;
  });
}

/** The first bits of a word. */
function maskOf(bits: number): number {
  if (bits <= 0) return 0;
  // A shift by 32 would be one by 0.
  return bits >= 32 ? -1 : -1 << (32 - bits);
}
