import type { Confidence, Protocol } from '../contract.ts';
import { commandPlausibility, greetingPlausibility } from './parser.ts';
import { SmtpConnection } from './stream.ts';

/** SMTP (RFC 5321), mail submission and LMTP (RFC 2033). Messages are passed over. */
export const smtp: Protocol = {
  name: 'smtp',
  transport: 'stream',
  recognise({ fromClient, fromServer, isBeginning }) {
    if (fromServer.length === 0) return withoutServer(fromClient, isBeginning);
    const greeting = greetingPlausibility(fromServer);
    if (fromClient.length === 0)
      return isBeginning ? greeting : greeting === 'no' ? replyStart(fromServer) : greeting;
    const command = commandPlausibility(fromClient);
    if (greeting === 'no') {
      if (isBeginning || command === 'no') return 'no';
      return command === 'maybe' ? replyStart(fromServer) : command;
    }
    if (command === 'certain' || greeting === 'maybe') return command;
    // The greeting says so, whatever the client tries.
    return 'likely';
  },
  open: (sink) => new SmtpConnection(sink),
};

/** A client that does not wait for the greeting, or a connection that we saw late. */
function withoutServer(fromClient: Uint8Array, isBeginning: boolean): Confidence {
  const command = commandPlausibility(fromClient);
  const isWaiting = command === 'maybe' && !fromClient.includes(10);
  return !isBeginning || command === 'certain' || isWaiting ? command : 'no';
}

/** Three digits: a reply in the middle of a connection, to be told from others' by what the client says. */
function replyStart(bytes: Uint8Array): Confidence {
  const isDigits = bytes.subarray(0, 3).every((byte) => byte >= 48 && byte <= 57);
  return isDigits ? 'maybe' : 'no';
}
