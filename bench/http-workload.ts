import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { runProgram, type Workload } from './workload.ts';

export const CONNECTIONS = 32;
const WARM_UP_SECONDS = 2;

/** Programs in http-servers/, and what people call them. */
export const SERVERS = {
  orders: 'a small JSON service',
  least: 'the least node:http server',
} as const;

export type ServerKind = keyof typeof SERVERS;

interface HttpServer extends AsyncDisposable {
  /** Asks it with wrk, keep-alive, for so many seconds. */
  ask(seconds: number, signal: AbortSignal): Promise<WrkResult>;
}

/** Starts a node server; whoever gets it ends it. */
export async function forkServer(
  kind: ServerKind,
  args: readonly string[],
  signal: AbortSignal,
): Promise<{ readonly child: ChildProcess; readonly url: string }> {
  const child = fork(join(import.meta.dirname, 'http-servers', `${kind}.ts`), args, {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  try {
    const [{ port }] = (await once(child, 'message', { signal })) as [{ port: number }];
    return { child, url: `http://127.0.0.1:${port}/orders/42?customer=bench` };
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
}

/** Starts a node server and warms it up. */
export async function startHttpServer(kind: ServerKind, signal: AbortSignal): Promise<HttpServer> {
  const { child, url } = await forkServer(kind, [], signal);
  try {
    const ask = async (seconds: number, runSignal: AbortSignal): Promise<WrkResult> => {
      const options = ['-t1', `-c${CONNECTIONS}`, `-d${seconds}s`, '--latency'];
      return parseWrk(await runProgram('wrk', [...options, url], runSignal));
    };
    await ask(WARM_UP_SECONDS, signal);
    return {
      ask,
      async [Symbol.asyncDispose]() {
        child.kill('SIGKILL');
      },
    };
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
}

/** wrk against one node server, which stays the same during the whole run. */
export async function httpWorkload(
  kind: ServerKind,
  seconds: number,
  signal: AbortSignal,
): Promise<Workload> {
  const server = await startHttpServer(kind, signal);
  return {
    name: `http-${kind}`,
    title: `HTTP requests to ${SERVERS[kind]}, ${CONNECTIONS} connections, ${seconds} s`,
    metrics: [
      { key: 'rate', title: `HTTP, ${SERVERS[kind]}`, unit: '/s', decimals: 0, better: 'more' },
      { key: 'p50', title: '… median latency', unit: 'ms', decimals: 2, better: 'less' },
      { key: 'p99', title: '… 99th percentile', unit: 'ms', decimals: 2, better: 'less' },
    ],
    run: async (runSignal) => ({ ...(await server.ask(seconds, runSignal)) }),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

const MILLISECONDS: Readonly<Record<string, number>> = { us: 0.001, ms: 1, s: 1000, m: 60_000 };

export interface WrkResult {
  readonly requests: number;
  /** Requests in a second. */
  readonly rate: number;
  /** Latencies in ms. */
  readonly p50: number;
  readonly p99: number;
}

/** Throws when a request failed: such a run measures something else. */
export function parseWrk(output: string): WrkResult {
  const failure = /^\s*(Socket errors:.*|Non-2xx.*)$/m.exec(output);
  if (failure) throw new Error(`wrk: ${failure[1]}`);
  const requests = Number(/^\s*(\d+) requests in/m.exec(output)?.[1]);
  const rate = Number(/^Requests\/sec:\s*([\d.]+)/m.exec(output)?.[1]);
  const latency = (percent: number): number => {
    const [, value, unit] = new RegExp(`^\\s*${percent}%\\s+([\\d.]+)(us|ms|s|m)$`, 'm').exec(output) ?? [];
    return Number(value) * (MILLISECONDS[unit ?? ''] ?? Number.NaN);
  };
  const result = { requests, rate, p50: latency(50), p99: latency(99) };
  if (!Object.values(result).every((value) => value > 0))
    throw new Error(`cannot read what wrk printed:\n${output}`);
  return result;
}
