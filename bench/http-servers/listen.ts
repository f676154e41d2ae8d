import type { Server } from 'node:http';

/** Long enough for some thousand requests, and short beside the time in which a shared machine changes its speed. */
const WINDOW_MS = 100;

/** What a server tells its parent again and again. */
export interface ServerReport {
  readonly requests: number;
  /** Of the window, in ms since 1970. */
  readonly fromMs: number;
  readonly toMs: number;
  /** Processor time of all threads, in us. */
  readonly processorUs: number;
}

/** Listens on any port of loopback, tells it to the parent, and ends with it. */
export function listen(server: Server): void {
  server.listen(0, '127.0.0.1', () => {
    const address = server.address();
    process.send?.({ port: typeof address === 'object' && address ? address.port : 0 });
  });
  process.on('disconnect', () => process.exit(0));
  if (process.argv.includes('--report')) report(server);
}

function report(server: Server): void {
  let requests = 0;
  server.on('request', () => (requests += 1));
  const now = (): number => performance.timeOrigin + performance.now();
  let [fromMs, used] = [now(), process.cpuUsage()];
  setInterval(() => {
    const [toMs, use] = [now(), process.cpuUsage()];
    const processorUs = use.user + use.system - used.user - used.system;
    if (requests > 0) process.send?.({ requests, fromMs, toMs, processorUs } satisfies ServerReport);
    [fromMs, used, requests] = [toMs, use, 0];
  }, WINDOW_MS);
}
