/**
 * What one plain HTTP request costs, beside another checkout: `node bench/per-request.ts [--server orders|least]
 * [--seconds N] [--other DIRECTORY]`, as root. Times and counts for each request say more than throughput does on a
 * machine that does something else as well. Both agents are attached at once, so the same requests cost both of them,
 * whatever the machine's speed is at the moment; since whoever is attached first also pays for cold caches, each is it once.
 */
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { startThroughline, type Throughline } from '../test/support/throughline.ts';
import { costsOfEach, programStatistics, readAgentCosts, type AgentCosts } from './agent-costs.ts';
import { ROOT } from './checkout.ts';
import { SERVERS, startHttpServer, type ServerKind } from './http-workload.ts';

/** Until the agents' code is compiled. */
const WARM_UP_SECONDS = 3;

function isServerKind(name: string): name is ServerKind {
  return name in SERVERS;
}

async function measure(
  checkouts: readonly string[],
  ask: (seconds: number) => Promise<{ readonly requests: number }>,
  seconds: number,
): Promise<Map<string, AgentCosts>> {
  await using agents = new AsyncDisposableStack();
  const running = new Map<string, Throughline>();
  for (const checkout of checkouts) {
    const command: [string] = [join(checkout, 'bin', 'throughline')];
    running.set(checkout, agents.use(await startThroughline(['run', '--json'], { command })));
  }
  using _statistics = programStatistics();
  await ask(WARM_UP_SECONDS);
  const before = new Map([...running].map(([checkout, { pid }]) => [checkout, readAgentCosts(pid)]));
  const { requests } = await ask(seconds);
  return new Map(
    [...before].map(([checkout, costs]) => {
      const pid = running.get(checkout)?.pid ?? 0;
      return [checkout, costsOfEach(requests, costs, readAgentCosts(pid))];
    }),
  );
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      server: { type: 'string', default: 'orders' },
      seconds: { type: 'string', default: '4' },
      other: { type: 'string' },
    },
  });
  const seconds = Number(values.seconds);
  if (!isServerKind(values.server)) throw new Error(`no such server: ${values.server}`);
  const signal = new AbortController().signal;
  await using server = await startHttpServer(values.server, signal);
  const checkouts = values.other === undefined ? [ROOT] : [ROOT, resolve(values.other)];
  const rounds: Map<string, AgentCosts>[] = [];
  for (const order of values.other === undefined ? [checkouts] : [checkouts, checkouts.toReversed()])
    rounds.push(await measure(order, (time) => server.ask(time, signal), seconds));
  for (const checkout of checkouts) {
    const mean = (key: keyof AgentCosts): number =>
      rounds.reduce((sum, costs) => sum + (costs.get(checkout)?.[key] ?? Number.NaN), 0) / rounds.length;
    console.log(
      `${checkout}: a request to ${SERVERS[values.server]} costs ${(mean('agentNs') / 1000).toFixed(2)} us of the agent, ` +
        `${(mean('programNs') / 1000).toFixed(2)} us of its programs in ${mean('programRuns').toFixed(2)} runs`,
    );
  }
}

await main();
