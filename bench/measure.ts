import { costsOfEach, programStatistics, type AgentCosts } from './agent-costs.ts';
import { startAgent, type Agent, type AgentSummary } from './agent.ts';
import { BUSY_CORES, settle } from './quiet.ts';
import type { AgentMeasurement, WorkloadResult } from './results.ts';
import type { Pair } from './statistics.ts';
import type { Workload } from './workload.ts';

type Values = Readonly<Record<string, number>>;

export interface MeasureOptions {
  readonly workloads: readonly Workload[];
  readonly rounds: number;
  /** Program of the agent; default: that of this checkout. */
  readonly agentProgram: string | undefined;
  readonly signal: AbortSignal;
  /** Told each thing that was measured, one line. */
  readonly onProgress: (line: string) => void;
}

export interface Measurements {
  readonly workloads: WorkloadResult[];
  /** Cores that were busy with something else just before each run without the agent. */
  readonly busyCores: readonly number[];
}

/** Measures every workload without and with the agent, so many rounds. */
export async function measure(options: MeasureOptions): Promise<Measurements> {
  const { workloads, rounds, signal, onProgress } = options;
  const results = workloads.map((workload) => {
    const pairs: Record<string, Pair[]> = {};
    for (const { key } of workload.metrics) pairs[key] = [];
    return { workload, pairs, agent: [] as AgentMeasurement[] };
  });
  const busyCores: number[] = [];
  let hasWarned = false;
  for (let round = 0; round < rounds; round += 1) {
    for (const { workload, pairs, agent } of results) {
      const pair = await measurePair(workload, options, round);
      agent.push(pair.agent);
      busyCores.push(pair.busyCores);
      for (const { key } of workload.metrics) {
        pairs[key]?.push({ without: pair.without[key] ?? Number.NaN, with: pair.with[key] ?? Number.NaN });
      }
      signal.throwIfAborted();
      const { title = '', key = '' } = workload.metrics[0] ?? {};
      onProgress(
        `round ${round + 1}/${rounds}  ${title}: ${pair.without[key]} without, ${pair.with[key]} with`,
      );
      if (pair.busyCores > BUSY_CORES && !hasWarned) {
        hasWarned = true;
        onProgress('this machine is busy with something else: the figures are rough');
      }
    }
  }
  return { workloads: results, busyCores };
}

interface MeasuredWithout {
  readonly without: Values;
  readonly busyCores: number;
}

interface MeasuredWith {
  readonly with: Values;
  readonly agent: AgentMeasurement;
}

/** The order changes from round to round, so that a machine that drifts favours neither side. */
async function measurePair(
  workload: Workload,
  options: MeasureOptions,
  round: number,
): Promise<MeasuredWithout & MeasuredWith> {
  const isLast = round === options.rounds - 1;
  if (round % 2 === 0) {
    const without = await measureWithout(workload, options.signal);
    return { ...without, ...(await measureWith(workload, options, isLast)) };
  }
  const measured = await measureWith(workload, options, isLast);
  return { ...measured, ...(await measureWithout(workload, options.signal)) };
}

async function measureWithout(workload: Workload, signal: AbortSignal): Promise<MeasuredWithout> {
  const busyCores = await settle(signal);
  return { busyCores, without: await workload.run(signal) };
}

async function measureWith(
  workload: Workload,
  { agentProgram, signal }: MeasureOptions,
  isLast: boolean,
): Promise<MeasuredWith> {
  await using agent = await startAgent(agentProgram);
  await settle(signal);
  const before = await agent.usage();
  const start = performance.now();
  const values = await workload.run(signal);
  const seconds = (performance.now() - start) / 1000;
  const after = await agent.usage();
  const perRequest = isLast && 'requests' in values ? await measurePerRequest(workload, agent, signal) : null;
  const runs = perRequest === null ? 1 : 2;
  const summary = await agent.stop();
  return {
    with: values,
    agent: {
      cpuCores: (after.cpuSeconds - before.cpuSeconds) / seconds,
      residentBytes: after.residentBytes,
      peakResidentBytes: after.peakResidentBytes,
      eventsPerSecond: summary.events === null ? null : summary.events / (runs * seconds),
      lostEvents: countLost(summary),
      perRequest,
    },
  };
}

/** In a run of its own: measuring programs costs something itself. */
async function measurePerRequest(workload: Workload, agent: Agent, signal: AbortSignal): Promise<AgentCosts> {
  using _statistics = programStatistics();
  const before = agent.costs();
  const { requests } = await workload.run(signal);
  return costsOfEach(requests ?? Number.NaN, before, agent.costs());
}

function countLost({ losses }: AgentSummary): number | null {
  return losses && Object.values(losses).reduce((sum, count) => sum + count, 0);
}

/** Times from start to attached, with nothing else going on. */
export async function measureStartups(
  count: number,
  { agentProgram, signal, onProgress }: Pick<MeasureOptions, 'agentProgram' | 'signal' | 'onProgress'>,
): Promise<number[]> {
  const times: number[] = [];
  for (let i = 0; i < count; i += 1) {
    await settle(signal);
    await using agent = await startAgent(agentProgram);
    times.push(agent.startupMs);
    onProgress(`start ${i + 1}/${count}  attached after ${agent.startupMs.toFixed(0)} ms`);
    await agent.stop();
  }
  return times;
}
