import { addressWords, readAddress } from './address.ts';
import type { Network } from './network.ts';
import { PrefixTrie } from './prefix-trie.ts';

/**
 * Whether an address is in one of some networks, in a time that does not grow with their number. Addresses of one family are
 * in no network of the other.
 */
export function networkTest(networks: readonly Network[]): (address: string) => boolean {
  // Most are made to see whether a rule is right, and never run.
  let tries: readonly [PrefixTrie, PrefixTrie] | null = null;
  return (address) => {
    tries ??= [ofFamily(networks, 1), ofFamily(networks, 4)];
    const family = readAddress(address);
    if (family === 4) return tries[0].has(addressWords);
    return family === 6 && tries[1].has(addressWords);
  };
}

function ofFamily(networks: readonly Network[], words: number): PrefixTrie {
  return new PrefixTrie(
    networks.filter((network) => network.words.length === words),
    words,
  );
}
