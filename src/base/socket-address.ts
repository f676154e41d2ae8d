import { addressText } from './addresses.ts';
import type { ByteString } from './bytes.ts';

// include/linux/socket.h
const AF_UNIX = 1;
const AF_INET = 2;
const AF_INET6 = 10;

export interface SocketAddress {
  readonly family: 'ipv4' | 'ipv6' | 'unix';
  /** As people write it; the path of a unix socket, as bytes. */
  readonly address: string;
  /** 0 for unix sockets. */
  readonly port: number;
}

/** What struct sockaddr says; null for one of another family, or that was cut. */
export function socketAddressOf(raw: ByteString): SocketAddress | null {
  const family = raw.charCodeAt(0) | (raw.charCodeAt(1) << 8);
  const port = (raw.charCodeAt(2) << 8) | raw.charCodeAt(3);
  if (family === AF_UNIX) return { family: 'unix', address: raw.slice(2).replace(/\0+$/, ''), port: 0 };
  if (family === AF_INET && raw.length >= 8)
    return { family: 'ipv4', address: addressText('ipv4', raw.slice(4, 8)), port };
  if (family === AF_INET6 && raw.length >= 24)
    return { family: 'ipv6', address: addressText('ipv6', raw.slice(8, 24)), port };
  return null;
}
