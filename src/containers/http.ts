import { request } from 'node:http';
import { AnswerBytes, UnreadableAnswer } from './answer.ts';

export interface JsonAnswer {
  readonly status: number;
  /** Of status 200 alone; else null. */
  readonly body: unknown;
}

/**
 * GET over a unix socket, on a connection of its own.
 *
 * @param target path and query
 * @throws UnreadableAnswer, the error of the connection, or the reason of the signal
 */
export async function getJson(socketPath: string, target: string, signal: AbortSignal): Promise<JsonAnswer> {
  const { status, body } = await get(socketPath, target, signal);
  if (status !== 200) return { status, body: null };
  try {
    return { status, body: JSON.parse(body.toString('utf8')) };
  } catch {
    throw new UnreadableAnswer('answers with something that is no JSON');
  }
}

function get(
  socketPath: string,
  target: string,
  signal: AbortSignal,
): Promise<{ status: number; body: Buffer }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; body: Buffer }>();
  const asked = request({ socketPath, path: target, agent: false, headers: { host: 'localhost' } });
  const fail = (error: unknown): void => {
    reject(error instanceof Error ? error : new Error(String(error)));
    asked.destroy();
  };
  const abort = (): void => fail(signal.reason);
  asked.on('error', (error: NodeJS.ErrnoException) =>
    // Errors of the parser: what came is no HTTP.
    fail(
      error.code?.startsWith('HPE_') ? new UnreadableAnswer('answers with something that is no HTTP') : error,
    ),
  );
  asked.on('response', (response) => {
    const bytes = new AnswerBytes();
    response.on('data', (chunk: Buffer) => {
      try {
        bytes.add(chunk);
      } catch (error) {
        fail(error);
      }
    });
    response.on('end', () => resolve({ status: response.statusCode ?? 0, body: bytes.whole() }));
    response.on('error', fail);
    response.on('close', () => fail(new UnreadableAnswer('hung up in the middle of its answer')));
  });
  if (signal.aborted) abort();
  else signal.addEventListener('abort', abort, { once: true });
  asked.end();
  return promise.finally(() => signal.removeEventListener('abort', abort));
}
