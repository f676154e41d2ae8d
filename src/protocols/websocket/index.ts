import type { Confidence, FirstBytes, Protocol } from '../contract.ts';
import { ENOUGH_EVIDENCE, evidenceOf } from './evidence.ts';
import { WebSocketConnection } from './stream.ts';

/**
 * WebSocket (RFC 6455) with permessage-deflate (RFC 7692). HTTP/1.1 hands over to it; by itself it is recognised only on
 * connections that were open before anybody looked.
 */
export const websocket: Protocol = {
  name: 'websocket',
  transport: 'stream',
  recognise,
  open: (sink) => new WebSocketConnection(sink),
};

function recognise({ fromClient, fromServer, isBeginning }: FirstBytes): Confidence {
  // It begins with a handshake of HTTP.
  if (isBeginning) return 'no';
  const client = evidenceOf(fromClient, true);
  const server = evidenceOf(fromServer, false);
  if (client < 0 || server < 0) return 'no';
  return client + server >= ENOUGH_EVIDENCE ? 'likely' : 'maybe';
}
