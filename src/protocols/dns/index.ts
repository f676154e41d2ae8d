import type { Confidence, Protocol } from '../contract.ts';
import { judgeMessage, judgeReplyDatagram } from './recognition.ts';
import { DnsDatagrams, DnsStream } from './stream.ts';

/** Longer questions over TCP than this are none: one name, and options of EDNS. */
const MAX_QUERY_BYTES = 4096;

/** DNS over UDP (RFC 1035), mDNS (RFC 6762) and LLMNR (RFC 4795). */
export const dns: Protocol = {
  name: 'dns',
  transport: 'datagram',
  recognise({ fromClient, fromServer }) {
    if (fromClient.length > 0) {
      const carrier = { isDatagram: true, length: fromClient.length };
      return judgeMessage(fromClient, 0, fromClient.length, true, carrier);
    }
    return fromServer.length > 0 ? judgeReplyDatagram(fromServer) : 'maybe';
  },
  open: (sink) => new DnsDatagrams(sink),
};

/** DNS over TCP (RFC 7766): the same messages, with two bytes of length before each. */
export const dnsTcp: Protocol = {
  name: 'dns-tcp',
  transport: 'stream',
  recognise({ fromClient, fromServer, isBeginning }) {
    if (fromClient.length === 0) {
      // A server never speaks first.
      if (fromServer.length === 0) return 'maybe';
      return isBeginning ? 'no' : judgeFrame(fromServer, false);
    }
    const query = judgeFrame(fromClient, true);
    if (query === 'no' || fromServer.length === 0) return query;
    const reply = judgeFrame(fromServer, false);
    return reply === 'no' ? 'no' : query;
  },
  open: (sink) => new DnsStream(sink),
};

function judgeFrame(bytes: Uint8Array, isFromClient: boolean): Confidence {
  const first = bytes[0] ?? 0;
  if (isFromClient && first > MAX_QUERY_BYTES >> 8) return 'no';
  if (bytes.length < 2) return 'maybe';
  const length = (first << 8) | (bytes[1] ?? 0);
  if (isFromClient && length > MAX_QUERY_BYTES) return 'no';
  const end = Math.min(bytes.length, 2 + length);
  return judgeMessage(bytes, 2, end, isFromClient, { isDatagram: false, length });
}
