/**
 * The Huffman code of HPACK (RFC 7541, Appendix B). The code is canonical: its lengths define it, shorter codes first
 * and the symbols of one length in their order, so the lengths are all that is written down here.
 */
const SYMBOLS_BY_LENGTH: readonly (readonly [length: number, symbols: string])[] = [
  [5, '48-50 97 99 101 105 111 115-116'],
  [6, '32 37 45-47 51-57 61 65 95 98 100 102-104 108-110 112 114 117'],
  [7, '58 66-87 89 106-107 113 118-122'],
  [8, '38 42 44 59 88 90'],
  [10, '33-34 40-41 63'],
  [11, '39 43 124'],
  [12, '35 62'],
  [13, '0 36 64 91 93 126'],
  [14, '94 125'],
  [15, '60 96 123'],
  [19, '92 195 208'],
  [20, '128 130-131 162 184 194 224 226'],
  [21, '153 161 167 172 176-177 179 209 216-217 227 229-230'],
  [22, '129 132-134 136 146 154 156 160 163-164 169-170 173 178 181 185-187 189-190 196 198 228 232-233'],
  [23, '1 135 137-141 143 147 149-152 155 157-158 165-166 168 174-175 180 182-183 188 191 197 231 239'],
  [24, '9 142 144-145 148 159 171 206 215 225 236-237'],
  [25, '199 207 234-235'],
  [26, '192-193 200-202 205 210 213 218-219 238 240 242-243 255'],
  [27, '203-204 211-212 214 221-223 241 244-248 250-254'],
  [28, '2-8 11-12 14-21 23-31 127 220 249'],
  [30, '10 13 22 256'],
];
const END_OF_STRING = 256;
/** Inner nodes of a complete binary tree with 257 leaves. */
const STATES = 256;
const FAILED = 0xffff;

/**
 * One step for each state (an inner node of the code's tree) and half a byte: no code is shorter than five bits, so
 * that four bring one symbol at most.
 */
interface Steps {
  /** The state after the step; FAILED inside of the end-of-string code. */
  readonly next: Uint16Array;
  /** The symbol that came out, plus one; 0 for none. */
  readonly symbol: Uint16Array;
  /** States in which a string may end: fewer than eight bits, all of them ones (RFC 7541, 5.2). */
  readonly isEnd: Uint8Array;
}

const { next, symbol, isEnd } = buildSteps();

/**
 * Decodes a string. @returns how many bytes were written to `target`, which must have room for 8/5 of the source; -1
 * for bits that are no string
 */
export function decodeHuffman(bytes: Uint8Array, start: number, end: number, target: Uint8Array): number {
  let state = 0;
  let length = 0;
  for (let index = start; index < end; index++) {
    const byte = bytes[index] as number;
    let step = (state << 4) | (byte >> 4);
    let found = symbol[step] as number;
    if (found !== 0) target[length++] = found - 1;
    state = next[step] as number;
    if (state === FAILED) return -1;
    step = (state << 4) | (byte & 15);
    found = symbol[step] as number;
    if (found !== 0) target[length++] = found - 1;
    state = next[step] as number;
    if (state === FAILED) return -1;
  }
  return isEnd[state] === 1 ? length : -1;
}

function buildSteps(): Steps {
  const children = buildTree();
  const steps = {
    next: new Uint16Array(STATES * 16),
    symbol: new Uint16Array(STATES * 16),
    isEnd: new Uint8Array(STATES),
  };
  for (let state = 0; state < STATES; state++) {
    for (let bits = 0; bits < 16; bits++) {
      let node = state;
      for (let bit = 3; bit >= 0 && node !== FAILED; bit--) {
        const child = children[node * 2 + ((bits >> bit) & 1)] as number;
        if (child >= 0) node = child;
        else {
          const leaf = -1 - child;
          if (leaf !== END_OF_STRING) steps.symbol[state * 16 + bits] = leaf + 1;
          node = leaf === END_OF_STRING ? FAILED : 0;
        }
      }
      steps.next[state * 16 + bits] = node;
    }
  }
  for (let node = 0, depth = 0; depth < 8 && node >= 0; depth++) {
    steps.isEnd[node] = 1;
    node = children[node * 2 + 1] as number;
  }
  return steps;
}

/** Both children of each inner node: another one, or -1 minus the symbol. */
function buildTree(): Int32Array {
  const children = new Int32Array(STATES * 2);
  let nodes = 1;
  let code = 0;
  let codeLength = 0;
  for (const [length, symbols] of SYMBOLS_BY_LENGTH) {
    for (const leaf of expandRanges(symbols)) {
      code *= 2 ** (length - codeLength);
      codeLength = length;
      let node = 0;
      for (let bit = length - 1; bit > 0; bit--) {
        const slot = node * 2 + ((code >> bit) & 1);
        if (children[slot] === 0) children[slot] = nodes++;
        node = children[slot] as number;
      }
      children[node * 2 + (code & 1)] = -1 - leaf;
      code++;
    }
  }
  return children;
}

function expandRanges(text: string): number[] {
  return text.split(' ').flatMap((range) => {
    const [first = 0, last = first] = range.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
}
