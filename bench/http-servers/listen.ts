import type { Server } from 'node:http';

/** Long enough for some thousand requests, and short beside the time in which a shared machine changes its speed. */
const WINDOW_MS = 100;

/** What a server tells its parent again and again. */
export interface ServerReport {
  readonly requests: number;
  readonly seconds: number;
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
  let [time, used] = [performance.now(), process.cpuUsage()];
  setInterval(() => {
    const [now, use] = [performance.now(), process.cpuUsage()];
    const processorUs = use.user + use.system - used.user - used.system;
    if (requests > 0)
      process.send?.({ requests, seconds: (now - time) / 1000, processorUs } satisfies ServerReport);
    [time, used, requests] = [now, use, 0];
  }, WINDOW_MS);
}
