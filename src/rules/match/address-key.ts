import { parseAddress } from './address.ts';

/** By text. They are forgotten all at once when there are too many. */
const keys = new Map<string, string>();
const MAX_KEYS = 4096;

/** A text that is the same for all ways to write an address, and for no other one; null for what is none. */
export function addressKey(text: string): string | null {
  const known = keys.get(text);
  if (known !== undefined) return known;
  const words = parseAddress(text);
  if (words === null) return null;
  const key = words.join(':');
  if (keys.size === MAX_KEYS) keys.clear();
  keys.set(text, key);
  return key;
}
