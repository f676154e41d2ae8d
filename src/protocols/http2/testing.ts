/** For tests of this leaf: frames and header blocks as bytes, and what is told, stream by stream. */
import { byteString, bytesOf } from '../../base/bytes.ts';
import type { RequestMessage } from '../../model/request.ts';
import { MAX_BODY_BYTES } from '../http/message.ts';
import { WireRecorder } from '../testing.ts';
import { PREFACE } from './parser.ts';

export function frame(
  type: number,
  flags: number,
  stream: number,
  payload: string | Uint8Array = '',
): Buffer {
  const bytes = typeof payload === 'string' ? bytesOf(payload) : payload;
  const header = Buffer.alloc(9);
  header.writeUIntBE(bytes.length, 0, 3);
  header[3] = type;
  header[4] = flags;
  header.writeUInt32BE(stream, 5);
  return Buffer.concat([header, bytes]);
}

/** A literal field, plain: with incremental indexing or without. */
export function literal(name: string, value: string, isIndexed = false): string {
  return `${isIndexed ? '\x40' : '\x00'}${plainString(name)}${plainString(value)}`;
}

function plainString(text: string): string {
  if (text.length < 127) return String.fromCharCode(text.length) + text;
  const rest = text.length - 127;
  return `\x7f${String.fromCharCode((rest & 127) | 128, rest >> 7)}${text}`;
}

/** GET of a path: method and scheme from the static table. */
export const get = (path: string, more = ''): string => `\x82\x86${literal(':path', path)}${more}`;
export const post = (path: string, more = ''): string => `\x83\x86${literal(':path', path)}${more}`;

export const SETTINGS_FRAME = frame(4, 0, 0);
export const BEGINNING = Buffer.concat([PREFACE, SETTINGS_FRAME]);

/** A call of gRPC with one message. */
export function grpcMessage(message: string | Uint8Array, flag = 0): Buffer {
  const bytes = typeof message === 'string' ? bytesOf(message) : message;
  const prefix = Buffer.alloc(5);
  prefix[0] = flag;
  prefix.writeUInt32BE(bytes.length, 1);
  return Buffer.concat([prefix, bytes]);
}

/** Keeps messages by their stream, and checks the order of the calls. */
export class StreamRecorder extends WireRecorder {
  readonly messages = new Map<number, RequestMessage>();
  readonly statuses = new Map<number, number>();
  readonly #openRequests = new Set<number>();
  readonly #openReplies = new Set<number>();

  override requestStarted(message: RequestMessage, stream = -1): void {
    if (this.#openRequests.has(stream)) throw new Error(`request ${stream} began twice`);
    this.messages.set(stream, message);
    this.#openRequests.add(stream);
    this.#openReplies.add(stream);
    super.requestStarted(message, stream);
  }

  override requestEnded(stream = -1): void {
    if (!this.#openRequests.delete(stream)) throw new Error(`request ${stream} ended that was not open`);
    const message = this.messages.get(stream);
    if ((message?.body.length ?? 0) > MAX_BODY_BYTES) throw new Error('a body grew without bound');
    const odd = [...(message?.isTruncated ? ['truncated'] : []), ...(message?.anomalies ?? [])];
    const body = JSON.stringify(byteString(message?.body.subarray(0, 60) ?? new Uint8Array()));
    this.lines.push(`${stream} ended ${[body, ...odd].join(' ')}`);
  }

  override responseStarted(status: number, stream = -1): void {
    if (!this.#openReplies.has(stream)) throw new Error(`reply to ${stream}, which is not open`);
    if (this.statuses.has(stream)) throw new Error(`reply to ${stream} began twice`);
    this.statuses.set(stream, status);
    super.responseStarted(status, stream);
  }

  override responseEnded(stream = -1): void {
    if (!this.#openReplies.delete(stream)) throw new Error(`reply to ${stream} ended twice`);
    super.responseEnded(stream);
  }
}

/** Inputs as `location name=value`. */
export function listed(message: RequestMessage | undefined): string[] {
  return (message?.inputs ?? []).map(({ location, name, value }) => `${location} ${name}=${value}`);
}
