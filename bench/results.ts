import type { AgentCosts } from './agent-costs.ts';
import type { Machine } from './machine.ts';
import type { ServerCost } from './server-cost.ts';
import type { Pair } from './statistics.ts';
import type { Workload } from './workload.ts';

/** How the agent did during one run of a workload. */
export interface AgentMeasurement {
  /** CPU time in units of one core: 0.25 is a quarter of a core. */
  readonly cpuCores: number;
  readonly residentBytes: number;
  readonly peakResidentBytes: number;
  /** null where the agent did not say. */
  readonly eventsPerSecond: number | null;
  readonly lostEvents: number | null;
  /** Of one request; null where the work is none of requests, and in all rounds but the last. */
  readonly perRequest: AgentCosts | null;
}

export interface WorkloadResult {
  readonly workload: Pick<Workload, 'name' | 'title' | 'metrics'>;
  /** By the key of the metric, one pair a round. */
  readonly pairs: Readonly<Record<string, readonly Pair[]>>;
  /** One a round. */
  readonly agent: readonly AgentMeasurement[];
}

export interface BenchResult {
  readonly machine: Machine;
  /** ISO-8601 day. */
  readonly date: string;
  readonly command: string;
  readonly rounds: number;
  /** What servers pay of their own processor time. */
  readonly servers: readonly ServerCost[];
  readonly workloads: readonly WorkloadResult[];
  /** Cores that were busy with something else just before each run. */
  readonly busyCores: readonly number[];
  /** Of starts with nothing else going on. */
  readonly startupsMs: readonly number[];
}

/** Events lost in all rounds; null when the agent did not say in one of them, or there was no round. */
export function totalLost({ agent }: WorkloadResult): number | null {
  if (agent.length === 0) return null;
  return agent.reduce<number | null>(
    (sum, { lostEvents }) => (sum === null || lostEvents === null ? null : sum + lostEvents),
    0,
  );
}
