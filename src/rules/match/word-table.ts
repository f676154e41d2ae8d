import type { ByteString } from '../../base/bytes.ts';
import { byteClasses, MAX_CELLS, reversed, wordTest } from './automaton.ts';
import { cleanPath } from './path-prefix.ts';

/** Where a word stands in a text: all of it, its beginning, its beginning in components of a path, its end, anywhere. */
export type Where = 'equal' | 'prefix' | 'path' | 'suffix' | 'inside';

/** Gives the items whose words a text has, in one pass over it, however many words there are. */
export type WordTable<Item> = (text: ByteString, found: (items: readonly Item[]) => void) => void;

const DEAD = -1;
/** Added to a state in which a word ends, in the cells that lead to it. */
const ENDS = 1 << 30;
const SLASH = 47;

/** null: the words need more memory than a table may have. Words are not empty. */
export function wordTable<Item>(
  where: Where,
  itemsOf: ReadonlyMap<ByteString, readonly Item[]>,
): WordTable<Item> | null {
  if (where === 'equal') return (text, found) => tell(itemsOf.get(text), found);
  const [only] = itemsOf;
  if (where === 'inside' && only !== undefined && itemsOf.size === 1) return search(...only);
  const words = [...itemsOf].map(
    ([word, items]) => [where === 'suffix' ? reversed(word) : word, items] as const,
  );
  const trie = buildTrie(words);
  if (trie === null) return null;
  if (where === 'inside') linkFailures(trie);
  markEnds(trie);
  const { classes, next, items, width } = trie;
  switch (where) {
    case 'prefix':
      return (text, found) => {
        let state = 0;
        for (let at = 0; at < text.length; at++) {
          state = next[state + (classes[text.charCodeAt(at) & 0xff] as number)] as number;
          if (state >= ENDS) tell(items[(state -= ENDS) / width], found);
          else if (state === DEAD) return;
        }
      };
    case 'path': {
      const slash = classes[SLASH] ?? 0;
      return (text, found) => {
        const path = cleanPath(text);
        let state = 0;
        for (let at = 0; at < path.length; at++) {
          state = next[state + (classes[path.charCodeAt(at) & 0xff] as number)] as number;
          if (state >= ENDS) tell(items[(state -= ENDS) / width], found);
          else if (state === DEAD) return;
        }
        state = next[state + slash] as number;
        if (state >= ENDS) tell(items[(state - ENDS) / width], found);
      };
    }
    case 'suffix':
      return (text, found) => {
        let state = 0;
        for (let at = text.length - 1; at >= 0; at--) {
          state = next[state + (classes[text.charCodeAt(at) & 0xff] as number)] as number;
          if (state >= ENDS) tell(items[(state -= ENDS) / width], found);
          else if (state === DEAD) return;
        }
      };
    case 'inside': {
      // Mostly none is there, which is known without looking at each byte.
      const isThere = wordTest([...itemsOf.keys()], 'inside');
      return (text, found) => {
        if (!isThere(text)) return;
        let state = 0;
        for (let at = 0; at < text.length; at++) {
          state = next[state + (classes[text.charCodeAt(at) & 0xff] as number)] as number;
          if (state >= ENDS) tell(items[(state -= ENDS) / width], found);
        }
      };
    }
  }
}

/** V8 searches for one word many bytes at a time. */
function search<Item>(word: ByteString, items: readonly Item[]): WordTable<Item> {
  return (text, found) => {
    if (text.includes(word)) found(items);
  };
}

function tell<Item>(items: readonly Item[] | undefined, found: (items: readonly Item[]) => void): void {
  if (items !== undefined) found(items);
}

interface Trie<Item> {
  readonly classes: Uint8Array;
  readonly width: number;
  readonly size: number;
  /** Next state for state plus class. A state is the index of its row, a multiple of the width. */
  readonly next: Int32Array;
  /** By number of the row. */
  readonly items: (readonly Item[] | undefined)[];
}

function buildTrie<Item>(words: readonly (readonly [ByteString, readonly Item[]])[]): Trie<Item> | null {
  const byteTable = byteClasses(words.map(([word]) => word));
  if (byteTable === null) return null;
  const { classes, width } = byteTable;
  const states = words.reduce((sum, [word]) => sum + word.length, 1);
  if (states * width > MAX_CELLS) return null;
  const next = new Int32Array(states * width).fill(DEAD);
  const items: (readonly Item[] | undefined)[] = [];
  let size = width;
  for (const [word, itemsOfWord] of words) {
    let state = 0;
    for (let at = 0; at < word.length; at++) {
      const cell = state + (classes[word.charCodeAt(at) & 0xff] ?? 0);
      const known = next[cell] ?? DEAD;
      state = known;
      if (known !== DEAD) continue;
      next[cell] = state = size;
      size += width;
    }
    items[state / width] = itemsOfWord;
  }
  return { classes, width, size, next, items };
}

/** Turns the trie into an automaton (Aho-Corasick): a state has the items of all words that end there. */
function linkFailures<Item>({ width, size, next, items }: Trie<Item>): void {
  const failure = new Int32Array(size / width);
  const queue: number[] = [0];
  for (let head = 0; head < queue.length; head++) {
    const state = queue[head] ?? 0;
    const fallbackState = failure[state / width] ?? 0;
    const shorter = state === 0 ? undefined : items[fallbackState / width];
    if (shorter !== undefined) items[state / width] = [...(items[state / width] ?? []), ...shorter];
    for (let index = 0; index < width; index++) {
      const cell = state + index;
      const target = next[cell] ?? DEAD;
      const fallback = state === 0 ? 0 : (next[fallbackState + index] ?? 0);
      if (target === DEAD) {
        next[cell] = fallback;
      } else {
        failure[target / width] = fallback;
        queue.push(target);
      }
    }
  }
}

function markEnds<Item>({ width, next, items }: Trie<Item>): void {
  for (let cell = 0; cell < next.length; cell++) {
    const state = next[cell] ?? DEAD;
    if (state !== DEAD && items[state / width] !== undefined) next[cell] = state + ENDS;
  }
}
