import type { Network } from './network.ts';

/** Bits that a node of the trie decides. */
const STRIDE = 4;
const WIDTH = 1 << STRIDE;

/**
 * Prefixes of addresses, as a trie of half bytes. A way that leads to one prefix alone is cut off: its last cell names the
 * prefix, with which the address is compared. So 50,000 addresses take some 4 MiB, and a look-up follows few cells: four or five
 * of IPv4, of IPv6 those that the prefixes have in common besides.
 */
export class PrefixTrie {
  /** Words of 32 bits of an address. */
  readonly #size: number;
  /** Of each node its cells: 0 for nothing, n > 0 for the node n, -n for the prefix n - 1. Node 0 is the root. */
  #cells = new Int32Array(64 * WIDTH);
  #nodes = 1;
  readonly #bits: Uint8Array;
  /** Of each prefix its words, and of each word which bits count. */
  readonly #words: Int32Array;
  readonly #masks: Int32Array;

  /** @param size words of an address: of all networks the same */
  constructor(networks: readonly Network[], size: number) {
    this.#size = size;
    this.#bits = new Uint8Array(networks.length);
    this.#words = new Int32Array(networks.length * size);
    this.#masks = new Int32Array(networks.length * size);
    // The larger networks first: what lies inside of one that is there is left out.
    const ordered = networks.toSorted((a, b) => a.prefixBits - b.prefixBits);
    for (const [index, { words, prefixBits }] of ordered.entries()) {
      this.#bits[index] = prefixBits;
      for (let word = 0; word < size; word++) {
        const mask = maskOf(prefixBits - 32 * word);
        this.#masks[index * size + word] = mask;
        this.#words[index * size + word] = (words[word] ?? 0) & mask;
      }
      this.#add(index);
    }
  }

  /** @param address its words */
  has(address: Int32Array): boolean {
    const cells = this.#cells;
    const end = this.#size * 32;
    let node = 0;
    for (let bit = 0; bit < end; bit += STRIDE) {
      const digit = ((address[bit >> 5] as number) >>> (28 - (bit & 31))) & (WIDTH - 1);
      const cell = cells[node * WIDTH + digit] as number;
      if (cell <= 0) return cell !== 0 && this.#isIn(address, 0, -cell - 1);
      node = cell;
    }
    return false;
  }

  /** Whether an address lies in a prefix. */
  #isIn(address: Int32Array, start: number, prefix: number): boolean {
    const size = this.#size;
    for (let word = 0; word < size; word++) {
      const at = prefix * size + word;
      const difference = (address[start + word] as number) ^ (this.#words[at] as number);
      if ((difference & (this.#masks[at] as number)) !== 0) return false;
    }
    return true;
  }

  #add(prefix: number): void {
    const bits = this.#bits[prefix] ?? 0;
    let node = 0;
    for (let bit = 0; ; bit += STRIDE) {
      if (bits <= bit + STRIDE) {
        this.#fill(node, bit, prefix);
        return;
      }
      const at = node * WIDTH + this.#digit(prefix, bit);
      const cell = this.#cells[at] ?? 0;
      if (cell === 0) {
        this.#cells[at] = -prefix - 1;
        return;
      }
      if (cell > 0) {
        node = cell;
        continue;
      }
      const other = -cell - 1;
      if (this.#isIn(this.#words, prefix * this.#size, other)) return;
      // The other prefix moves down: it is longer than the way to here, or this one would lie in it.
      node = this.#newNode();
      this.#cells[at] = node;
      this.#put(node, bit + STRIDE, other);
    }
  }

  /** A prefix that another one has stood in the way of. */
  #put(node: number, bit: number, prefix: number): void {
    if ((this.#bits[prefix] ?? 0) <= bit + STRIDE) this.#fill(node, bit, prefix);
    else this.#cells[node * WIDTH + this.#digit(prefix, bit)] = -prefix - 1;
  }

  /** A prefix that ends inside of a node has several cells. What is there already is at least as large, and around it. */
  #fill(node: number, bit: number, prefix: number): void {
    const free = bit + STRIDE - (this.#bits[prefix] ?? 0);
    const first = node * WIDTH + this.#digit(prefix, bit);
    for (let at = first; at < first + (1 << free); at++)
      if (this.#cells[at] === 0) this.#cells[at] = -prefix - 1;
  }

  #digit(prefix: number, bit: number): number {
    const word = this.#words[prefix * this.#size + (bit >> 5)] ?? 0;
    return (word >>> (28 - (bit & 31))) & (WIDTH - 1);
  }

  #newNode(): number {
    const node = this.#nodes++;
    if (this.#nodes * WIDTH > this.#cells.length) {
      const larger = new Int32Array(this.#cells.length * 2);
      larger.set(this.#cells);
      this.#cells = larger;
    }
    return node;
  }
}

/** The first bits of a word. */
function maskOf(bits: number): number {
  if (bits <= 0) return 0;
  // A shift by 32 would be one by 0.
  return bits >= 32 ? -1 : -1 << (32 - bits);
}
