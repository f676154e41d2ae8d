/** Of an address: its family, which is part of what it is; 0 for a text that is none. */
export type Family = 0 | 4 | 6;

/** The address that was read last: one word of 32 bits where it is IPv4, four where it is IPv6. */
export const addressWords = new Int32Array(4);

const groups = new Uint16Array(8);
const MAPPED_PREFIX = 0xffff;
const COLON = 58;
const DOT = 46;

/** Value of a character as a hexadecimal digit, -1 where it is none. */
const hexDigits = Int8Array.from({ length: 256 }, (_, code) => {
  const letter = code | 32;
  if (code >= 48 && code <= 57) return code - 48;
  return letter >= 97 && letter <= 102 ? letter - 87 : -1;
});

/**
 * The same addresses come again and again: their places, by text. V8 keeps the hash of a text, so that it is made once for all rules.
 * When all places are taken, they are given away anew.
 */
const places = new Map<string, number>();
const KNOWN = 4096;
const knownFamilies = new Uint8Array(KNOWN);
const knownWords = new Int32Array(KNOWN * 4);
/** Longer texts are no addresses, and are not kept. */
const MAX_LENGTH = 45;

/**
 * Reads an address into `addressWords`, without allocating: rules compare those of each connection. An IPv4 address inside of
 * an IPv6 one (::ffff:1.2.3.4) is the IPv4 address.
 */
export function readAddress(text: string): Family {
  const place = places.get(text);
  if (place === undefined) return readUnknown(text);
  const family = knownFamilies[place] as Family;
  const at = place * 4;
  addressWords[0] = knownWords[at] as number;
  if (family !== 6) return family;
  addressWords[1] = knownWords[at + 1] as number;
  addressWords[2] = knownWords[at + 2] as number;
  addressWords[3] = knownWords[at + 3] as number;
  return 6;
}

function readUnknown(text: string): Family {
  const { length } = text;
  if (length > MAX_LENGTH || length < 2) return 0;
  const family = readIpv4(text, 0) ? 4 : readIpv6(text);
  if (places.size === KNOWN) places.clear();
  const place = places.size;
  places.set(text, place);
  knownFamilies[place] = family;
  knownWords.set(addressWords, place * 4);
  return family;
}

/** What stands from here to the end of the text, into the first word. */
function readIpv4(text: string, start: number): boolean {
  let value = 0;
  let octet = -1;
  let dots = 0;
  for (let at = start; at < text.length; at++) {
    const code = text.charCodeAt(at);
    const digit = code - 48;
    if (digit >= 0 && digit <= 9) {
      octet = octet === -1 ? digit : octet * 10 + digit;
      if (octet > 255) return false;
    } else {
      if (code !== DOT || octet === -1 || dots === 3) return false;
      value = (value << 8) | octet;
      octet = -1;
      dots++;
    }
  }
  if (dots !== 3 || octet === -1) return false;
  addressWords[0] = (value << 8) | octet;
  return true;
}

/** Groups of 16 bits; an IPv4 address at the end of the whole is two of them. RFC 4291, section 2.2. */
function readIpv6(text: string): Family {
  let count = 0;
  /** Number of the group before which the zeros were left out. */
  let gap = -1;
  let at = 0;
  if (text.charCodeAt(0) === COLON) {
    if (text.charCodeAt(1) !== COLON) return 0;
    gap = 0;
    at = 2;
  }
  while (at < text.length) {
    const start = at;
    let group = 0;
    let code = 0;
    for (; at < text.length; at++) {
      code = text.charCodeAt(at);
      const digit = hexDigits[code & 0xff] as number;
      if (digit === -1 || code > 0xff) break;
      group = (group << 4) | digit;
    }
    if (at < text.length && code === DOT) {
      if (count > 6 || !readIpv4(text, start)) return 0;
      const value = addressWords[0] as number;
      groups[count++] = value >>> 16;
      groups[count++] = value;
      break;
    }
    if (at === start || at - start > 4 || count === 8) return 0;
    groups[count++] = group;
    if (at === text.length) break;
    if (code !== COLON) return 0;
    at++;
    if (text.charCodeAt(at) === COLON) {
      if (gap !== -1) return 0;
      gap = count;
      at++;
    } else if (at === text.length) return 0;
  }
  if (gap === -1 ? count !== 8 : count > 7) return 0;
  return joinGroups(count, gap);
}

function joinGroups(count: number, gap: number): Family {
  if (gap !== -1) {
    groups.copyWithin(8 - (count - gap), gap, count);
    groups.fill(0, gap, 8 - (count - gap));
  }
  for (let index = 0; index < 4; index++)
    addressWords[index] = ((groups[2 * index] as number) << 16) | (groups[2 * index + 1] as number);
  if (addressWords[0] !== 0 || addressWords[1] !== 0 || addressWords[2] !== MAPPED_PREFIX) return 6;
  addressWords[0] = addressWords[3] as number;
  return 4;
}

/**
 * An address as its words, not negative, as it is compared: their number is that of its family. null for what is none.
 */
export function parseAddress(text: string): readonly number[] | null {
  const family = readAddress(text);
  if (family === 0) return null;
  return Array.from(addressWords.subarray(0, family === 4 ? 1 : 4), (word) => word >>> 0);
}

/** Whether both are the same address; false where one is none. */
export function areSameAddress(a: string, b: string): boolean {
  const family = readAddress(a);
  if (family === 0) return false;
  const [first, second, third, fourth] = addressWords;
  if (readAddress(b) !== family || addressWords[0] !== first) return false;
  if (family === 4) return true;
  return addressWords[1] === second && addressWords[2] === third && addressWords[3] === fourth;
}
