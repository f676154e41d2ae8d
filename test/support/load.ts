import { randomBytes } from 'node:crypto';
import { Agent, request } from 'node:http';
import { Agent as SecuredAgent, request as requestSecured } from 'node:https';

export interface LoadOptions {
  /** Address of the server, no slash at the end; with https, whoever signed its certificate. */
  readonly url: string;
  readonly requests: number;
  readonly concurrency: number;
  /** Default: true. */
  readonly keepAlive?: boolean;
  /** Makes the request target; default `/work?id=ID&port=SINK`. */
  readonly target?: (id: string, sinkPort: number) => string;
  /** Ports to hand out in turn; with more ports than concurrency, requests in flight differ in theirs. */
  readonly sinkPorts?: readonly number[];
  readonly timeoutMs?: number;
  /** Ends it early: no further request is sent, and it rejects. */
  readonly signal?: AbortSignal;
}

export interface LoadResult {
  readonly id: string;
  readonly target: string;
  readonly sinkPort: number;
  /** The client's own port, as the server saw it; 0 when no connection was made. */
  readonly clientPort: number;
  /** 0 when there was no reply. */
  readonly status: number;
  readonly body: string;
  readonly error: string | null;
}

/**
 * Sends requests with unique ids, so many at a time, in order of the result. Nothing is retried: a request that was
 * sent twice would have its effects twice.
 */
export async function sendLoad(options: LoadOptions): Promise<LoadResult[]> {
  const { requests, concurrency, keepAlive = true, sinkPorts = [0] } = options;
  const makeTarget = options.target ?? ((id, port) => `/work?id=${id}&port=${port}`);
  // With a limit, Node's agent keeps a connection that somebody waits for, whatever keepAlive says.
  const maxSockets = keepAlive ? concurrency : Infinity;
  const sockets = { keepAlive, maxSockets, maxFreeSockets: concurrency };
  const agent = options.url.startsWith('https:')
    ? new SecuredAgent({ ...sockets, rejectUnauthorized: false })
    : new Agent(sockets);
  const run = randomBytes(4).toString('hex');
  const results: LoadResult[] = Array.from({ length: requests });
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < requests && options.signal?.aborted !== true) {
      const index = next;
      next += 1;
      // Fixed width: no id is part of another one.
      const id = `id-${run}-${String(index).padStart(6, '0')}`;
      const sinkPort = sinkPorts[index % sinkPorts.length] ?? 0;
      results[index] = await sendOne(agent, options, id, makeTarget(id, sinkPort), sinkPort);
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.min(concurrency, requests) }, worker));
  } finally {
    agent.destroy();
  }
  options.signal?.throwIfAborted();
  return results;
}

function sendOne(
  agent: Agent,
  { url, timeoutMs = 30_000 }: LoadOptions,
  id: string,
  target: string,
  sinkPort: number,
): Promise<LoadResult> {
  return new Promise((done) => {
    let clientPort = 0;
    const finish = (status: number, body: string, error: string | null): void => {
      done({ id, target, sinkPort, clientPort, status, body, error });
    };
    const send = agent instanceof SecuredAgent ? requestSecured : request;
    const outgoing = send(url + target, { agent, timeout: timeoutMs }, (response) => {
      clientPort = response.socket.localPort ?? 0;
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (body += chunk));
      response.on('end', () => finish(response.statusCode ?? 0, body, null));
      response.on('error', (error) => finish(0, body, error.message));
    });
    outgoing.on('timeout', () => outgoing.destroy(new Error(`no reply within ${timeoutMs} ms`)));
    outgoing.on('error', (error) => finish(0, '', error.message));
    outgoing.end();
  });
}
