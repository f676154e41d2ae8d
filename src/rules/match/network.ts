/** An IPv4 address has one word, an IPv6 address four, of 32 bits each. */
type AddressWords = readonly number[];

const MAPPED_PREFIX = 0xffff;

/** An address or, with a prefix length, a network. */
interface Network {
  readonly words: AddressWords;
  readonly prefixBits: number;
}

/**
 * An address as it is compared: the family is part of it. An IPv4 address inside of an IPv6 one (::ffff:1.2.3.4) is
 * the IPv4 address. null for what is none.
 */
export function parseAddress(text: string): AddressWords | null {
  if (!text.includes(':')) return parseIpv4(text);
  const words = parseIpv6(text);
  if (words === null) return null;
  const [first, second, third, fourth = 0] = words;
  return first === 0 && second === 0 && third === MAPPED_PREFIX ? [fourth] : words;
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

export function isInNetwork(address: AddressWords, { words, prefixBits }: Network): boolean {
  if (address.length !== words.length) return false;
  for (let index = 0; index * 32 < prefixBits; index++) {
    const bits = Math.min(32, prefixBits - index * 32);
    // A shift by 32 would be one by 0.
    const difference = ((address[index] ?? 0) ^ (words[index] ?? 0)) >>> (32 - bits);
    if (difference !== 0) return false;
  }
  return true;
}

export function equalAddresses(a: AddressWords, b: AddressWords): boolean {
  return a.length === b.length && a.every((word, index) => word === b[index]);
}

function parseIpv4(text: string): [number] | null {
  let value = 0;
  let octet = -1;
  let dots = 0;
  for (let at = 0; at < text.length; at++) {
    const digit = text.charCodeAt(at) - 48;
    if (digit >= 0 && digit <= 9) {
      octet = octet === -1 ? digit : octet * 10 + digit;
      if (octet > 255) return null;
    } else {
      if (text[at] !== '.' || octet === -1 || dots === 3) return null;
      value = value * 256 + octet;
      octet = -1;
      dots++;
    }
  }
  return dots === 3 && octet !== -1 ? [(value * 256 + octet) >>> 0] : null;
}

function parseIpv6(text: string): number[] | null {
  const halves = text.split('::');
  if (halves.length > 2) return null;
  const head = groupsOf(halves[0] ?? '', halves.length === 1);
  const tail = groupsOf(halves[1] ?? '', true);
  if (head === null || tail === null) return null;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return null;
  const groups = [...head, ...Array.from({ length: missing }, () => 0), ...tail];
  const words: number[] = [];
  for (let index = 0; index < 8; index += 2)
    words.push(((groups[index] ?? 0) * 65536 + (groups[index + 1] ?? 0)) >>> 0);
  return words;
}

/** Groups of 16 bits; an IPv4 address at the end of the whole is two of them. */
function groupsOf(text: string, isEnd: boolean): number[] | null {
  if (text === '') return [];
  const groups: number[] = [];
  const parts = text.split(':');
  for (const [index, part] of parts.entries()) {
    const ipv4 = isEnd && index === parts.length - 1 && part.includes('.') ? parseIpv4(part) : null;
    if (ipv4 !== null) groups.push(ipv4[0] >>> 16, ipv4[0] & 0xffff);
    else if (/^[0-9a-fA-F]{1,4}$/.test(part)) groups.push(parseInt(part, 16));
    else return null;
  }
  return groups.length <= 8 ? groups : null;
}

const MAX_KNOWN = 1024;
const known = new Map<string, AddressWords | null>();

/** The same as parseAddress, for addresses that come again and again. */
export function parseKnownAddress(text: string): AddressWords | null {
  let words = known.get(text);
  if (words === undefined) {
    if (known.size >= MAX_KNOWN) known.clear();
    words = parseAddress(text);
    known.set(text, words);
  }
  return words;
}
