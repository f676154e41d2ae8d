import type { DatagramEvent, EventHeader, TcpEvent } from '../model/event.ts';
import { DATAGRAM_EVENT, DIRECTION, TCP_EVENT } from './abi.gen.ts';
import { familyOf, provenance, rawAddress, unixPath, unmapped } from './addresses.ts';
import { readNumber } from './sections.ts';

// enum sock_type of include/linux/net.h; the same on x86 and arm64.
const SOCK_DGRAM = 2;
const SOCK_RAW = 3;
const ROLES = [null, 'client', 'server'] as const;

/** What stands behind the header of the first datagram between a socket and a remote. */
export function decodeDatagram(
  bytes: Uint8Array,
  view: DataView,
  offset: number,
): Omit<DatagramEvent, keyof EventHeader> {
  const family = familyOf(view.getUint8(offset + DATAGRAM_EVENT.family));
  const remoteAddress =
    family === 'unix'
      ? unixPath(bytes, offset + DATAGRAM_EVENT.path, view.getUint32(offset + DATAGRAM_EVENT.path_size, true))
      : rawAddress(bytes, offset + DATAGRAM_EVENT.remote_address, family);
  const ipv4 = family === 'ipv6' ? unmapped(remoteAddress) : null;
  const type = view.getUint8(offset + DATAGRAM_EVENT.socket_type);
  return {
    kind: 'datagram',
    direction: view.getUint8(offset + DATAGRAM_EVENT.direction) === DIRECTION.OUT ? 'out' : 'in',
    family: ipv4 === null ? family : 'ipv4',
    transport: type === SOCK_DGRAM ? 'datagram' : type === SOCK_RAW ? 'raw' : 'other',
    localPort: view.getUint16(offset + DATAGRAM_EVENT.local_port, true),
    remoteAddress: ipv4 ?? remoteAddress,
    remotePort: view.getUint16(offset + DATAGRAM_EVENT.remote_port, true),
    ...provenance(view, offset),
  };
}

/** What stands behind the header of the end of a TCP connection. */
export function decodeTcp(
  bytes: Uint8Array,
  view: DataView,
  offset: number,
): Omit<TcpEvent, keyof EventHeader> {
  const u32 = (field: number): number => view.getUint32(offset + field, true);
  const family = familyOf(view.getUint8(offset + TCP_EVENT.family)) === 'ipv4' ? 'ipv4' : 'ipv6';
  const local = rawAddress(bytes, offset + TCP_EVENT.local_address, family);
  const remote = rawAddress(bytes, offset + TCP_EVENT.remote_address, family);
  const localIpv4 = family === 'ipv6' ? unmapped(local) : null;
  const remoteIpv4 = family === 'ipv6' ? unmapped(remote) : null;
  const isMapped = localIpv4 !== null && remoteIpv4 !== null;
  return {
    kind: 'tcp',
    family: isMapped ? 'ipv4' : family,
    role: ROLES[view.getUint8(offset + TCP_EVENT.role)] ?? null,
    localAddress: isMapped ? localIpv4 : local,
    localPort: view.getUint16(offset + TCP_EVENT.local_port, true),
    remoteAddress: isMapped ? remoteIpv4 : remote,
    remotePort: view.getUint16(offset + TCP_EVENT.remote_port, true),
    lastState: view.getUint8(offset + TCP_EVENT.last_state),
    error: u32(TCP_EVENT.error),
    bytesSent: readNumber(view, offset + TCP_EVENT.bytes_sent),
    bytesReceived: readNumber(view, offset + TCP_EVENT.bytes_received),
    bytesAcked: readNumber(view, offset + TCP_EVENT.bytes_acked),
    retransmits: u32(TCP_EVENT.retransmits),
    segmentsOut: u32(TCP_EVENT.segments_out),
    segmentsIn: u32(TCP_EVENT.segments_in),
    durationUs: u32(TCP_EVENT.duration_us),
  };
}
