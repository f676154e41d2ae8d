import { byteString, type ByteString } from '../base/bytes.ts';
import type { Provenance } from '../model/event.ts';
import { ADDRESS_FAMILY, EVENT_FLAG, EVENT_HEADER } from './abi.gen.ts';

export type Family = 'ipv4' | 'ipv6' | 'unix';

/** IPv4 in IPv6: RFC 4291, 2.5.5.2. */
const MAPPED_IPV4 = '\0\0\0\0\0\0\0\0\0\0\xff\xff';
const UNIX_PATH_LIMIT = 108;

export function familyOf(value: number): Family {
  if (value === ADDRESS_FAMILY.IPV4) return 'ipv4';
  return value === ADDRESS_FAMILY.IPV6 ? 'ipv6' : 'unix';
}

export function rawAddress(bytes: Uint8Array, start: number, family: Family): ByteString {
  if (family === 'unix') return '';
  return byteString(bytes, start, start + (family === 'ipv4' ? 4 : 16));
}

/** A path of a unix socket: as long as it says; a named one ends at its NUL, an abstract one may hold any byte. */
export function unixPath(bytes: Uint8Array, start: number, size: number): ByteString {
  const path = byteString(bytes, start, start + Math.min(size, UNIX_PATH_LIMIT));
  if (path.startsWith('\0')) return path;
  const end = path.indexOf('\0');
  return end < 0 ? path : path.slice(0, end);
}

/** The address of IPv4 that an address of IPv6 stands for; null for any other. */
export function unmapped(address: ByteString): ByteString | null {
  return address.length === 16 && address.startsWith(MAPPED_IPV4) ? address.slice(12) : null;
}

/** The number of a descriptor, which is told counted from 1; nothing where there is none, or it is not known. */
export function descriptorAt(view: DataView, at: number): { descriptor?: number } {
  const told = view.getUint32(at, true);
  return told === 0 ? {} : { descriptor: told - 1 };
}

/** Which way the event came and what its texts are, out of its flags. */
export function provenance(view: DataView, offset: number): Provenance {
  const flags = view.getUint8(offset + EVENT_HEADER.flags);
  return {
    ...((flags & EVENT_FLAG.USER_MEMORY) !== 0 && { isFromCaller: true }),
    ...((flags & EVENT_FLAG.RING) !== 0 && { isViaRing: true }),
  };
}
