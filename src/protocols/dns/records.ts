import { addressText } from '../../base/addresses.ts';
import { byteString, type ByteString } from '../../base/bytes.ts';
import { TYPE_A, TYPE_AAAA, TYPE_CNAME, TYPE_SRV } from './codes.ts';
import { readName } from './names.ts';

/** So much of a TXT record is kept: SPF and DKIM records fit, what is smuggled in many of them does not. */
const MAX_TEXT_BYTES = 1024;

/**
 * What a record says, as zone files have it: the address, the name, '10 mail.example' for MX, 'priority weight port
 * target' for SRV, the strings of TXT joined. null for other types and for data that does not fit its type.
 * @param start of the message, @param end of the record's data
 */
export function recordText(
  type: number,
  bytes: Uint8Array,
  data: number,
  start: number,
  end: number,
): ByteString | null {
  const length = end - data;
  switch (type) {
    case TYPE_A:
      return length === 4 ? addressText('ipv4', byteString(bytes, data, end)) : null;
    case TYPE_AAAA:
      return length === 16 ? addressText('ipv6', byteString(bytes, data, end)) : null;
    case TYPE_CNAME:
    case 2: // NS
    case 12: // PTR
    case 39: // DNAME
      return readName(bytes, data, start, end);
    case 15: // MX
      return numbersAndName(bytes, data, 1, start, end);
    case TYPE_SRV:
      return numbersAndName(bytes, data, 3, start, end);
    // SVCB and HTTPS (RFC 9460, 2.2): priority and target; their parameters are left out.
    case 64:
    case 65:
      return numbersAndName(bytes, data, 1, start, end);
    case 16: // TXT
    case 99: // SPF
      return joinStrings(bytes, data, end);
    default:
      return null;
  }
}

function numbersAndName(
  bytes: Uint8Array,
  data: number,
  count: number,
  start: number,
  end: number,
): ByteString | null {
  const nameAt = data + 2 * count;
  if (nameAt >= end) return null;
  const name = readName(bytes, nameAt, start, end);
  if (name === null) return null;
  let text = '';
  for (let at = data; at < nameAt; at += 2) text += `${((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0)} `;
  return text + name;
}

/** The strings of a TXT record are one text in pieces of at most 255 octets (RFC 7208, 3.3). */
function joinStrings(bytes: Uint8Array, data: number, end: number): ByteString | null {
  let text = '';
  let at = data;
  while (at < end && text.length < MAX_TEXT_BYTES) {
    const next = at + 1 + (bytes[at] ?? 0);
    if (next > end) return null;
    text += byteString(bytes, at + 1, next);
    at = next;
  }
  return text.length > MAX_TEXT_BYTES ? text.slice(0, MAX_TEXT_BYTES) : text;
}
