import type { Confidence, FirstBytes } from '../contract.ts';
import type { FrameRules } from './frames.ts';
import { backendRules, frontendRules } from './messages.ts';
import { CANCEL_REQUEST, GSS_REQUEST, SSL_REQUEST, endOfString, uint32 } from './parser.ts';
import { checkReply } from './reply-shapes.ts';
import { ENOUGH_TEXT, checkRequest, isText, type Shape } from './request-shapes.ts';

/** The longest message that a connection is taken up with. */
const MAX_FIRST_LENGTH = 64 * 1024 * 1024;
/** Longest CancelRequest: keys have 4 bytes, up to 256 since protocol 3.2. */
const MAX_CANCEL_LENGTH = 268;

type Check = (type: number, bytes: Uint8Array, start: number, end: number, isWhole: boolean) => Shape;

/** Whether the bytes are of PostgreSQL's protocol 3. */
export function recognise({ fromClient, fromServer, isBeginning }: FirstBytes): Confidence {
  if (fromClient.length === 0) {
    // A server says nothing before it is asked.
    if (isBeginning && fromServer.length > 0) return 'no';
    return fromServer.length === 0 ? 'maybe' : walk(fromServer, 0, backendRules, checkReply, 2);
  }
  if (fromClient[0] === 0) return recogniseFirst(fromClient);
  if (isBeginning) return 'no';
  const client = walk(fromClient, 0, frontendRules, checkRequest, 1);
  if (client !== 'maybe') return client;
  return walk(fromServer, 0, backendRules, checkReply, 1) === 'likely' ? 'likely' : 'maybe';
}

/** Whether a client's message begins here, as far as can be seen. */
export function beginsLikeClient(bytes: Uint8Array): boolean {
  return bytes.length >= 5 && walk(bytes, 0, frontendRules, checkRequest, 1) !== 'no';
}

/** Whether a server's message begins here, as far as can be seen. */
export function beginsLikeServer(bytes: Uint8Array, start: number): boolean {
  return walk(bytes, start, backendRules, checkReply, 1) !== 'no';
}

/** Startup, and what may come before it. */
function recogniseFirst(bytes: Uint8Array): Confidence {
  if (bytes.length < 8) return bytes.length < 2 || bytes[1] === 0 ? 'maybe' : 'no';
  const length = uint32(bytes, 0);
  const code = uint32(bytes, 4);
  if (code === SSL_REQUEST || code === GSS_REQUEST) return length === 8 ? 'certain' : 'no';
  if (code === CANCEL_REQUEST) return length >= 16 && length <= MAX_CANCEL_LENGTH ? 'certain' : 'no';
  // Version 3 of the protocol, any minor one.
  if (code >>> 16 !== 3 || !frontendRules.isPossible(0, length)) return 'no';
  if (bytes.length === 8) return length === 9 ? 'no' : 'maybe';
  const end = Math.min(bytes.length, length);
  const nameEnd = endOfString(bytes, 8, end);
  if (nameEnd === 8 || !isText(bytes, 8, nameEnd)) return 'no';
  return nameEnd < end || nameEnd - 8 >= ENOUGH_TEXT ? 'certain' : 'maybe';
}

/** Goes from message to message; `enough` of them with a body that fits stand for the protocol. */
function walk(bytes: Uint8Array, start: number, rules: FrameRules, check: Check, enough: number): Confidence {
  let at = start;
  let count = 0;
  let strong = 0;
  while (at < bytes.length) {
    const type = bytes[at] as number;
    const isHeaderWhole = at + 5 <= bytes.length;
    const length = isHeaderWhole ? uint32(bytes, at + 1) : 4;
    if (!isHeaderWhole) {
      if (!isPossibleType(type, rules)) return 'no';
      break;
    }
    if (length < 4 || length > MAX_FIRST_LENGTH || !rules.isPossible(type, length)) return 'no';
    const end = at + 1 + length;
    const shape = check(type, bytes, at + 5, Math.min(end, bytes.length), end <= bytes.length);
    if (shape === 'wrong') return 'no';
    count++;
    if (shape === 'strong') strong++;
    at = end;
  }
  return strong > 0 && count >= enough ? 'likely' : 'maybe';
}

function isPossibleType(type: number, rules: FrameRules): boolean {
  return rules.isPossible(type, 4) || rules.isPossible(type, 5);
}
