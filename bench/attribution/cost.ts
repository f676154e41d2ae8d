import { sendLoad } from '../../test/support/load.ts';
import { startAgent } from '../agent.ts';
import type { CostPair } from './cell.ts';
import { targetOf } from './mark.ts';
import type { MeasureContext } from './measure.ts';
import type { Server } from './serve.ts';

const CONCURRENCY = 32;

/** Measures the server's throughput without and with `throughline run`, in turn, in changing order. */
export async function measureCost(
  server: Server,
  { sizes, signal }: MeasureContext,
  onProgress: (line: string) => void,
): Promise<CostPair[]> {
  const rate = async (): Promise<number> => {
    const start = performance.now();
    await sendLoad({
      url: server.url,
      requests: sizes.costRequests,
      concurrency: CONCURRENCY,
      target: targetOf,
      signal,
    });
    return sizes.costRequests / ((performance.now() - start) / 1000);
  };
  const rateWithAgent = async (): Promise<number> => {
    await using _agent = await startAgent();
    return await rate();
  };
  const pairs: CostPair[] = [];
  for (let round = 0; round < sizes.costRounds; round += 1) {
    let withAgent = round % 2 === 0 ? null : await rateWithAgent();
    const without = await rate();
    withAgent ??= await rateWithAgent();
    pairs.push({ without, with: withAgent });
    onProgress(`${without.toFixed(0)}/s without, ${withAgent.toFixed(0)}/s with Throughline`);
  }
  return pairs;
}
