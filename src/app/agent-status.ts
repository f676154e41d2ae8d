import { setTimeout as sleep } from 'node:timers/promises';
import type { AgentStatus, ProgramUse } from '../cli/contract.ts';
import { readProcFile } from '../capture/facts/proc-files.ts';
import { native, type Native } from '../kernel/libbpf.ts';
import { REPORT_MS } from './self-report.ts';
import { runningAgents } from './run-state.ts';

/** It is stopped, or does not get a processor. */
const STALLED_MS = 5 * REPORT_MS;

/**
 * What the agents of this host say of themselves, and how much time the kernel spends in their programs. For that it counts, while it is
 * asked to, which costs each run of a program some ten nanoseconds.
 *
 * @param sampleMs how long that is measured; 0: not at all
 */
export async function agentStatus(sampleMs: number, directory?: string): Promise<AgentStatus[]> {
  const agents = runningAgents(directory);
  const uses = sampleMs > 0 && agents.length > 0 ? await sampleAll(agents, sampleMs) : null;
  return agents.map(({ pid, startedAt, report }, index) => {
    const { programs: _programs, ...told } = report ?? NOTHING;
    return {
      kind: 'status',
      pid,
      startedAt,
      ...told,
      isStalled: report === null || Date.now() - Date.parse(report.updatedAt) > STALLED_MS,
      programs: uses?.[index] ?? null,
    };
  });
}

const NOTHING = {
  version: '',
  updatedAt: '',
  cpuMs: 0,
  cpuPercent: 0,
  residentBytes: 0,
  events: 0,
  findings: 0,
  rings: [],
  losses: {},
  lostByKind: {},
  programs: [],
};

type Agent = ReturnType<typeof runningAgents>[number];

async function sampleAll(agents: readonly Agent[], sampleMs: number): Promise<ProgramUse[][] | null> {
  const counting = startCounting();
  if (counting === null) return null;
  try {
    const before = agents.map(programCounts);
    const startedMs = performance.now();
    await sleep(sampleMs);
    const seconds = (performance.now() - startedMs) / 1000;
    return agents.map((agent, index) =>
      programCounts(agent)
        .map(({ program, runs, timeNs }, at) => {
          const earlier = before[index]?.[at];
          return {
            program,
            runsPerSecond: (runs - (earlier?.runs ?? runs)) / seconds,
            cpuPercent: (timeNs - (earlier?.timeNs ?? timeNs)) / 1e7 / seconds,
          };
        })
        .filter(({ runsPerSecond }) => runsPerSecond > 0)
        .toSorted((one, other) => other.cpuPercent - one.cpuPercent),
    );
  } finally {
    counting.end();
  }
}

/** null without the right to. The kernel counts until the descriptor is closed, and others may have it count as well. */
function startCounting(): { end(): void } | null {
  let library: Native;
  try {
    library = native();
  } catch {
    return null;
  }
  const fd = library.enableStatistics();
  return fd < 0 ? null : { end: () => void library.close(fd) };
}

/** Out of /proc: the agent need not do anything for it, and may be stopped. */
function programCounts({ pid, report }: Agent): { program: string; runs: number; timeNs: number }[] {
  return (report?.programs ?? []).map(({ program, fd }) => {
    const text = readProcFile(`/proc/${pid}/fdinfo/${fd}`) ?? '';
    const read = (name: string): number =>
      Number(new RegExp(`^${name}:\\s*([0-9]+)`, 'm').exec(text)?.[1] ?? 0);
    return { program, runs: read('run_cnt'), timeNs: read('run_time_ns') };
  });
}
