import { parseAddress } from './address.ts';

/** An address with a prefix length. */
export interface Network {
  /** One word of 32 bits, not negative, for IPv4, four for IPv6. */
  readonly words: readonly number[];
  readonly prefixBits: number;
}

/** 10.0.0.0/8; without a prefix length, the network of one address. null for what is none. */
export function parseNetwork(text: string): Network | null {
  const slash = text.indexOf('/');
  const words = parseAddress(slash === -1 ? text : text.slice(0, slash));
  if (words === null) return null;
  const length = slash === -1 ? String(words.length * 32) : text.slice(slash + 1);
  if (!/^\d{1,3}$/.test(length)) return null;
  const prefixBits = Number(length);
  return prefixBits <= words.length * 32 ? { words, prefixBits } : null;
}

/** An address as the network that nothing but it is in. null for what is none. */
export function parseSingleAddress(text: string): Network | null {
  const words = parseAddress(text);
  return words && { words, prefixBits: words.length * 32 };
}
