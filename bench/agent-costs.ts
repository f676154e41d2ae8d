import { readdirSync, readFileSync, writeFileSync } from 'node:fs';

const STATISTICS_SWITCH = '/proc/sys/kernel/bpf_stats_enabled';

/** What an agent has cost since its start. */
export interface AgentCosts {
  /** On a processor, all threads of the process. */
  readonly agentNs: number;
  /** In its programs in the kernel, which run in the observed processes; counted only within programStatistics(). */
  readonly programNs: number;
  readonly programRuns: number;
}

/** Lets the kernel measure its programs, which costs some 20 ns a run, or keeps it from that, until it is disposed. */
export function programStatistics(isOn = true): Disposable {
  const before = readFileSync(STATISTICS_SWITCH, 'utf8');
  writeFileSync(STATISTICS_SWITCH, isOn ? '1' : '0');
  return { [Symbol.dispose]: () => writeFileSync(STATISTICS_SWITCH, before) };
}

export function readAgentCosts(pid: number): AgentCosts {
  return { agentNs: processorTime(pid), ...programUse(pid) };
}

/** What each of so many requests has cost in between. */
export function costsOfEach(requests: number, before: AgentCosts, after: AgentCosts): AgentCosts {
  return {
    agentNs: (after.agentNs - before.agentNs) / requests,
    programNs: (after.programNs - before.programNs) / requests,
    programRuns: (after.programRuns - before.programRuns) / requests,
  };
}

function processorTime(pid: number): number {
  let sum = 0;
  for (const tid of readdirSync(`/proc/${pid}/task`)) {
    const [nanoseconds] = read(`/proc/${pid}/task/${tid}/schedstat`).split(' ');
    sum += Number(nanoseconds);
  }
  return sum;
}

/** Sums over the programs that the process holds. What a program jumps to counts as its own. */
function programUse(pid: number): Omit<AgentCosts, 'agentNs'> {
  let [programNs, programRuns] = [0, 0];
  for (const fd of readdirSync(`/proc/${pid}/fdinfo`)) {
    const info = read(`/proc/${pid}/fdinfo/${fd}`);
    // Links tell the same of their programs once more.
    if (info.includes('link_type:')) continue;
    programNs += Number(/^run_time_ns:\s*(\d+)$/m.exec(info)?.[1] ?? 0);
    programRuns += Number(/^run_cnt:\s*(\d+)$/m.exec(info)?.[1] ?? 0);
  }
  return { programNs, programRuns };
}

/** '' for a thread or descriptor that is gone meanwhile. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
