import { textFromByteString, type ByteString } from './bytes.ts';

/** Text of a raw address: dotted IPv4, RFC 5952 IPv6, or the path of a unix socket ('@' for an abstract name). */
export function addressText(family: 'ipv4' | 'ipv6' | 'unix', bytes: ByteString): string {
  switch (family) {
    case 'ipv4':
      return ipv4Text(bytes, 0);
    case 'ipv6':
      return ipv6Text(bytes);
    case 'unix':
      return textFromByteString(bytes.startsWith('\0') ? '@' + bytes.slice(1) : bytes);
  }
}

function ipv4Text(bytes: ByteString, start: number): string {
  return [0, 1, 2, 3].map((index) => byteAt(bytes, start + index)).join('.');
}

function ipv6Text(bytes: ByteString): string {
  if (bytes.startsWith('\0\0\0\0\0\0\0\0\0\0\xff\xff')) return `::ffff:${ipv4Text(bytes, 12)}`;
  const groups: number[] = [];
  for (let index = 0; index < 16; index += 2)
    groups.push(byteAt(bytes, index) * 256 + byteAt(bytes, index + 1));
  const { start, length } = longestZeroRun(groups);
  const hex = groups.map((group) => group.toString(16));
  if (length < 2) return hex.join(':');
  return `${hex.slice(0, start).join(':')}::${hex.slice(start + length).join(':')}`;
}

function longestZeroRun(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  let start = 0;
  groups.forEach((group, index) => {
    if (group !== 0) start = index + 1;
    else if (index + 1 - start > best.length) best = { start, length: index + 1 - start };
  });
  return best;
}

/** The byte at an index; 0 beyond the end, so that a cut address still has a text. */
function byteAt(bytes: ByteString, index: number): number {
  return index < bytes.length ? bytes.charCodeAt(index) & 0xff : 0;
}

/** Address and port as people write them: 10.0.0.1:80, [::1]:80, unix:/run/x.sock. */
export function endpointText(address: string, port: number, family?: 'ipv4' | 'ipv6' | 'unix'): string {
  if (
    family === 'unix' ||
    (port === 0 && (address === '' || address.startsWith('/') || address.startsWith('@')))
  ) {
    return address === '' ? 'unix socket' : `unix:${address}`;
  }
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}
