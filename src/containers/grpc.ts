import { connect as connectHttp2, constants, type ClientHttp2Session } from 'node:http2';
import { connect as connectSocket } from 'node:net';
import { AnswerBytes, UnreadableAnswer } from './answer.ts';
import { Message } from './protobuf.ts';

/** Codes of gRPC that say that there is no such container here, or no such API. */
const NOT_FOUND = 5;
const UNIMPLEMENTED = 12;
/** One byte whether it is compressed, four for the length. */
const PREFIX_BYTES = 5;

/** A connection to a gRPC server on a unix socket, for calls of one message each way. */
export class GrpcConnection implements Disposable {
  readonly #session: ClientHttp2Session;
  readonly #signal: AbortSignal;
  readonly #failed = Promise.withResolvers<never>();
  readonly #abort = (): void => this.#fail(this.#signal.reason);

  /** @param signal ends the connection and all of its calls */
  constructor(socketPath: string, signal: AbortSignal) {
    this.#signal = signal;
    // Not before a call waits for it: else Node takes it for an error that nobody handles.
    this.#failed.promise.catch(() => {});
    this.#session = connectHttp2('http://localhost', { createConnection: () => connectSocket(socketPath) });
    this.#session.on('error', (error) => this.#fail(error));
    this.#session.on('close', () => this.#fail(new UnreadableAnswer('hung up without an answer')));
    if (signal.aborted) this.#abort();
    else signal.addEventListener('abort', this.#abort, { once: true });
  }

  [Symbol.dispose](): void {
    this.#signal.removeEventListener('abort', this.#abort);
    this.#session.destroy();
  }

  /**
   * @param method such as '/runtime.v1.RuntimeService/Version'
   * @returns the answer; null where the server knows no such thing, or no such method
   * @throws UnreadableAnswer, the error of the connection, or the reason of the signal
   */
  call(
    method: string,
    message: Uint8Array,
    metadata: Readonly<Record<string, string>> = {},
  ): Promise<Message | null> {
    return Promise.race([this.#call(method, message, metadata), this.#failed.promise]);
  }

  #call(
    method: string,
    message: Uint8Array,
    metadata: Readonly<Record<string, string>>,
  ): Promise<Message | null> {
    const { promise, resolve, reject } = Promise.withResolvers<Message | null>();
    const stream = this.#session.request({
      [constants.HTTP2_HEADER_METHOD]: 'POST',
      [constants.HTTP2_HEADER_PATH]: method,
      'content-type': 'application/grpc',
      te: 'trailers',
      ...metadata,
    });
    const bytes = new AnswerBytes();
    let status = '';
    const noteStatus = (headers: Readonly<Record<string, unknown>>): void => {
      if (typeof headers['grpc-status'] === 'string') status = headers['grpc-status'];
    };
    stream.on('response', noteStatus); // an error may come with the headers alone
    stream.on('trailers', noteStatus);
    stream.on('data', (chunk: Buffer) => {
      try {
        bytes.add(chunk);
      } catch (error) {
        this.#fail(error);
      }
    });
    // That the connection broke has its reason as its cause.
    stream.on('error', (error) => this.#fail(error.cause ?? error));
    stream.on('close', () => {
      try {
        resolve(answerOf(status, bytes.whole()));
      } catch (error) {
        reject(error instanceof Error ? error : new Error(String(error)));
      }
    });
    const prefix = Buffer.alloc(PREFIX_BYTES);
    prefix.writeUInt32BE(message.length, 1);
    stream.end(Buffer.concat([prefix, message]));
    return promise;
  }

  /** The first reason counts: the others come of it. */
  #fail(reason: unknown): void {
    const code = reason instanceof Error && 'code' in reason ? String(reason.code) : '';
    const isProtocol = code.startsWith('ERR_HTTP2');
    this.#failed.reject(
      isProtocol ? new UnreadableAnswer('answers with something that is no HTTP/2') : reason,
    );
    this.#session.destroy();
  }
}

function answerOf(status: string, bytes: Buffer): Message | null {
  const code = status === '' ? NaN : Number(status);
  if (code === NOT_FOUND || code === UNIMPLEMENTED) return null;
  if (code !== 0)
    throw new UnreadableAnswer(Number.isInteger(code) ? `answers with status ${code}` : 'is no gRPC server');
  if (bytes.length < PREFIX_BYTES || bytes[0] !== 0) throw new UnreadableAnswer('answers without a message');
  const end = PREFIX_BYTES + bytes.readUInt32BE(1);
  if (end > bytes.length) throw new UnreadableAnswer('answers with a part of a message');
  return new Message(bytes.subarray(PREFIX_BYTES, end));
}
