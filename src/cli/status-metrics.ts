import type { AgentStatus } from './contract.ts';

interface Metric {
  readonly name: string;
  readonly type: 'counter' | 'gauge';
  readonly help: string;
  readonly samples: (agent: AgentStatus) => readonly (readonly [labels: Labels, value: number])[];
}
type Labels = Readonly<Record<string, string>>;

const METRICS: readonly Metric[] = [
  gauge('up', 'Whether the agent says how it does; 0: it is stalled.', (agent) => (agent.isStalled ? 0 : 1)),
  one('counter', 'cpu_seconds_total', 'Processor time of the agent.', (agent) => agent.cpuMs / 1000),
  gauge('resident_bytes', 'Resident memory of the agent.', (agent) => agent.residentBytes),
  one('counter', 'events_total', 'Events that it has read.', (agent) => agent.events),
  one('counter', 'findings_total', 'Findings that it has told.', (agent) => agent.findings),
  {
    name: 'ring_waiting_bytes',
    type: 'gauge',
    help: 'Bytes of a ring that wait to be read.',
    samples: ({ rings }) => rings.map(({ ring, waitingBytes }) => [{ ring }, waitingBytes]),
  },
  {
    name: 'ring_size_bytes',
    type: 'gauge',
    help: 'Size of a ring.',
    samples: ({ rings }) => rings.map(({ ring, sizeBytes }) => [{ ring }, sizeBytes]),
  },
  {
    name: 'lost_events_total',
    type: 'counter',
    help: 'Events that were lost, by reason.',
    samples: ({ losses }) => Object.entries(losses).map(([reason, count]) => [{ reason }, count]),
  },
  {
    name: 'lost_security_events_total',
    type: 'counter',
    help: 'Security events that were lost, by what they would have told of.',
    samples: ({ lostByKind }) => Object.entries(lostByKind).map(([kind, count]) => [{ kind }, count]),
  },
  {
    name: 'program_runs_per_second',
    type: 'gauge',
    help: 'Runs of a program in the kernel while it was measured.',
    samples: ({ programs }) =>
      (programs ?? []).map(({ program, runsPerSecond }) => [{ program }, runsPerSecond]),
  },
  {
    name: 'program_cpu_ratio',
    type: 'gauge',
    help: 'Part of one processor that a program in the kernel took while it was measured.',
    samples: ({ programs }) =>
      (programs ?? []).map(({ program, cpuPercent }) => [{ program }, cpuPercent / 100]),
  },
];

/** In the text format of Prometheus, version 0.0.4: each agent by its process id. */
export function statusMetrics(agents: readonly AgentStatus[]): string {
  return METRICS.map(({ name, type, help, samples }) => {
    const lines = agents.flatMap((agent) =>
      samples(agent).map(
        ([labels, value]) =>
          `throughline_${name}{${labelsText({ pid: String(agent.pid), ...labels })}} ${value}`,
      ),
    );
    if (lines.length === 0) return '';
    return [`# HELP throughline_${name} ${help}`, `# TYPE throughline_${name} ${type}`, ...lines, ''].join(
      '\n',
    );
  }).join('');
}

function gauge(name: string, help: string, value: (agent: AgentStatus) => number): Metric {
  return one('gauge', name, help, value);
}

function one(
  type: Metric['type'],
  name: string,
  help: string,
  value: (agent: AgentStatus) => number,
): Metric {
  return { name, type, help, samples: (agent) => [[{}, value(agent)]] };
}

function labelsText(labels: Labels): string {
  return Object.entries(labels)
    .map(
      ([name, value]) =>
        `${name}="${value.replaceAll(/[\\"\n]/g, (one) => (one === '\n' ? '\\n' : `\\${one}`))}"`,
    )
    .join(',');
}
