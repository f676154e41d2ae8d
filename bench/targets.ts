import { totalLost, type BenchResult, type WorkloadResult } from './results.ts';
import type { ServerKind } from './http-workload.ts';
import { lostOf } from './server-cost.ts';
import { median, pairedRatio } from './statistics.ts';

const MIB = 1024 * 1024;

export interface Judgement {
  readonly title: string;
  readonly target: string;
  readonly measured: string;
  /** unknown: the agent did not say, or it was not measured. */
  readonly outcome: 'met' | 'missed' | 'unknown';
}

/** Holds the measurements against the promises. */
export function judge(result: BenchResult): Judgement[] {
  const find = (name: string): WorkloadResult | undefined =>
    result.workloads.find(({ workload }) => workload.name === name);
  const orders = find('http-orders');
  const least = find('http-least');
  const starts = find('process-starts');
  return [
    judgeOne('HTTP throughput lost, a small JSON service', 5, '%', 1, lostByServer(result, 'orders')),
    judgeOne('HTTP throughput lost, the least node:http server', 5, '%', 1, lostByServer(result, 'least')),
    judgeOne('process starts lost', 10, '%', 1, lostPercent(starts)),
    judgeOne('resident memory, most of all runs', 150, 'MiB', 0, mostResident(result)),
    judgeOne('start to attached, median', 2, 's', 2, median(result.startupsMs) / 1000),
    judgeOne('events lost, HTTP', 0, '', 0, lostInBoth(orders, least)),
    judgeOne('events lost, process starts', 0, '', 0, starts && totalLost(starts)),
  ];
}

function judgeOne(
  title: string,
  limit: number,
  unit: string,
  decimals: number,
  value: number | null | undefined,
): Judgement {
  const isKnown = value != null && Number.isFinite(value);
  return {
    title,
    target: limit === 0 ? 'none' : `at most ${limit} ${unit}`,
    measured: isKnown ? `${value.toFixed(decimals)} ${unit}`.trim() : 'not reported',
    outcome: isKnown ? (value <= limit ? 'met' : 'missed') : 'unknown',
  };
}

/** By its processor time: on a core of its own that is what its throughput is made of. */
function lostByServer({ servers }: BenchResult, kind: ServerKind): number | undefined {
  const cost = servers.find((one) => one.kind === kind);
  return cost && lostOf(cost).median;
}

/** Median of what each pair lost of its rate; negative where it was faster with the agent, which is noise. */
function lostPercent(result: WorkloadResult | undefined): number | null {
  const pairs = result?.pairs['rate'] ?? [];
  return pairs.length === 0 ? null : (1 - pairedRatio(pairs).median) * 100;
}

function lostInBoth(first: WorkloadResult | undefined, second: WorkloadResult | undefined): number | null {
  const lost = [first, second].map((result) => (result === undefined ? null : totalLost(result)));
  return lost.reduce((sum, count) => (sum === null || count === null ? null : sum + count), 0);
}

function mostResident(result: BenchResult): number | null {
  const values = result.workloads.flatMap(({ agent }) =>
    agent.map(({ residentBytes }) => residentBytes / MIB),
  );
  return values.length === 0 ? null : Math.max(...values);
}
