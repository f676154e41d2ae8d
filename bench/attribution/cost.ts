import { sendLoad } from '../../test/support/load.ts';
import { startAgent } from '../agent.ts';
import { targetOf } from './mark.ts';
import type { MeasureContext } from './measure.ts';
import type { Server } from './serve.ts';

const CONCURRENCY = 32;
/** Fewer would measure how the connections are made. */
const MIN_REQUESTS = 4 * CONCURRENCY;

/** What is attached: options of `throughline run`. Each family of probes is measured by leaving it out. */
const MODES = {
  /** Programs in the kernel alone. */
  noProbes: ['--no-tls', '--no-runtime-probes'],
  noRuntimeProbes: ['--no-runtime-probes'],
  noTlsProbes: ['--no-tls'],
  everything: [],
} as const satisfies Readonly<Record<string, readonly string[]>>;
export type CostMode = keyof typeof MODES;
export const COST_MODES = Object.keys(MODES) as readonly CostMode[];

/** The same load without Throughline and with it in each of its modes, in requests a second. */
export type CostRound = Readonly<Record<CostMode | 'without', number>>;

/** Measures the server's throughput in rounds: all modes one after the other, each round in another order. */
export async function measureCost(
  server: Server,
  { sizes, signal }: MeasureContext,
  onProgress: (line: string) => void,
): Promise<CostRound[]> {
  const requests = Math.max(sizes.costRequests, MIN_REQUESTS);
  const rate = async (): Promise<number> => {
    const start = performance.now();
    await sendLoad({
      url: server.url,
      requests,
      concurrency: CONCURRENCY,
      target: (id) => targetOf(id, server.path),
      signal,
    });
    return requests / ((performance.now() - start) / 1000);
  };
  const rateWith = async (mode: CostMode): Promise<number> => {
    await using _agent = await startAgent(undefined, MODES[mode]);
    return await rate();
  };
  const rounds: CostRound[] = [];
  for (let round = 0; round < sizes.costRounds; round += 1) {
    const result = { without: 0, noProbes: 0, noRuntimeProbes: 0, noTlsProbes: 0, everything: 0 };
    for (const mode of orderOf(round)) result[mode] = await (mode === 'without' ? rate() : rateWith(mode));
    rounds.push(result);
    const figures = Object.entries(result).map(([mode, perSecond]) => `${mode} ${perSecond.toFixed(0)}/s`);
    onProgress(figures.join(', '));
  }
  return rounds;
}

/** Begins elsewhere each time, and goes the other way round, so that a machine that drifts favours nobody. */
export function orderOf(round: number): (CostMode | 'without')[] {
  const all = ['without', ...COST_MODES] as const;
  const start = round % all.length;
  const order = [...all.slice(start), ...all.slice(0, start)];
  const [first = 'without', ...rest] = order;
  return round % 2 === 0 ? order : [first, ...rest.toReversed()];
}
