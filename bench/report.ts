import { BUSY_CORES } from './quiet.ts';
import { totalLost, type BenchResult } from './results.ts';
import { lostOf } from './server-cost.ts';
import { median, pairedRatio, quantile } from './statistics.ts';
import { tableAsMarkdown, tableAsText, type Table } from './table.ts';
import { judge } from './targets.ts';

const MIB = 1024 * 1024;

/** The report for the terminal. */
export function reportAsText(result: BenchResult): string {
  return [...tables(result).map(tableAsText), `${quietness(result)}\n`].join('\n');
}

/** docs/BENCHMARKS.md. */
export function reportAsMarkdown(result: BenchResult): string {
  const { machine, date, command, rounds } = result;
  return `# Benchmarks

What Throughline costs, measured side by side: each round does the same work without and with \`throughline run\`, one
right after the other, and the next round in the opposite order. A ratio is with / without of one round; shown are the
median of the rounds, and the lowest and the highest.

- date: ${date}
- command: \`${command}\` (${rounds} rounds)
- processor: ${machine.cpu}, ${machine.cores} cores, ${(machine.memoryBytes / MIB / 1024).toFixed(0)} GiB of memory
- kernel: ${machine.kernel}
- Node: ${machine.node}
- ${quietness(result)}

The file is written by \`make bench\`. On a machine with few cores the load generator, the server and Throughline share
them, so this is the most that it costs.

${tables(result)
  .map((table) => tableAsMarkdown(table))
  .join('\n')}
## How it is measured

- **Processor time of a server**: of all its threads for a request, while wrk asks on 32 kept
  connections, and both are bound to one core, Throughline to none. One agent stays attached; every tenth of a second
  what its programs look at is switched off or on, and each observed window is compared with its two neighbours (median,
  and its 95 % confidence interval). On a machine whose caches others use as well, the same server takes half as long or
  twice as long from one second to the next, so runs with and without an agent differ by more than what is measured.
  *attached* is what is left of the cost when it is switched off: of a system call that nobody wants, times the reads and
  writes of a request. *Throughput lost* follows from both, for a server whose processor time is all that holds it up. *with wrk on the same core*: requests per second,
  observed / not, so with what observing costs the load generator.
- **HTTP**: wrk, one thread, keep-alive, against two servers on node:http: a small JSON service that does what such
  services do (route, parameter, look-up, sum, JSON, entity tag), and the least that can be written, which does nothing
  but reply and so shows the most that a request can cost. Both processors are full: what the agent takes is taken from
  server and load generator.
- **process starts**: a C program starts the smallest program with posix_spawn, one after the other.
- **open and close**: a C program opens and closes one file on one thread, in a process that serves no request: what
  a system call costs that nobody wants.
- **CPU** is user and system time of all threads of Throughline, 100 % is one core. The work of its programs in the
  kernel is charged to the process that they observe, so it shows in the ratios.
- **a request** costs time of Throughline's threads, and of its programs in the kernel, in the processes that they observe
  (server and load generator). These figures depend less on what else the machine does than a ratio does;
  \`node bench/per-request.ts --other DIRECTORY\` compares them with those of another checkout.
- **resident** is the memory of Throughline at the end of the work (VmRSS), **peak** the most since it started (VmHWM).
`;
}

/** Whether other work on the machine had a part in the figures. */
function quietness({ busyCores }: BenchResult): string {
  const disturbed = busyCores.filter((cores) => cores > BUSY_CORES).length;
  if (disturbed === 0) return 'other work on the machine: none to speak of';
  return `other work on the machine: before ${disturbed} of ${busyCores.length} pairs of runs, so the figures are rough`;
}

function tables(result: BenchResult): Table[] {
  return [
    targetTable(result),
    serverTable(result),
    costTable(result),
    agentTable(result),
    startTable(result),
  ];
}

function targetTable(result: BenchResult): Table {
  return {
    title: 'Targets',
    columns: ['', 'target', 'measured', 'outcome'],
    rows: judge(result).map(({ title, target, measured, outcome }) => [title, target, measured, outcome]),
  };
}

function serverTable({ servers }: BenchResult): Table {
  const range = (low: number, high: number, decimals: number): string =>
    `${formatNumber(low, decimals)} to ${formatNumber(high, decimals)}`;
  const rows = servers.map((cost) => {
    const lost = lostOf(cost);
    return [
      cost.title,
      formatNumber(cost.withoutUs, 2),
      `+${formatNumber(cost.addedUs.median, 2)} (${range(cost.addedUs.low, cost.addedUs.high, 2)})`,
      `+${formatNumber((cost.unwantedNs * cost.callsPerRequest) / 1000, 2)}`,
      `${formatNumber(lost.median, 1)} % (${range(lost.low, lost.high, 1)})`,
      `${cost.rate.median.toFixed(3)} (${range(cost.rate.low, cost.rate.high, 3)})`,
      formatNumber(cost.count, 0),
    ];
  });
  return {
    title: 'Processor time of a server',
    columns: [
      '',
      'a request, us',
      'observed',
      'attached',
      'throughput lost',
      'with wrk on the same core',
      'windows',
    ],
    rows,
  };
}

function costTable(result: BenchResult): Table {
  const rows = result.workloads.flatMap(({ workload, pairs }) =>
    workload.metrics.map(({ key, title, unit, decimals, better }) => {
      const measured = pairs[key] ?? [];
      const ratio = pairedRatio(measured);
      const middle = (side: 'with' | 'without'): string =>
        formatNumber(median(measured.map((pair) => pair[side])), decimals);
      return [
        `${title}, ${unit === '/s' ? 'per second' : unit}`,
        middle('without'),
        middle('with'),
        ratio.median.toFixed(3),
        `${ratio.minimum.toFixed(3)} to ${ratio.maximum.toFixed(3)}`,
        better,
      ];
    }),
  );
  return { title: 'Cost', columns: ['', 'without', 'with', 'ratio', 'lowest to highest', 'better is'], rows };
}

function agentTable(result: BenchResult): Table {
  const rows = result.workloads.map((workloadResult) => {
    const { workload, agent } = workloadResult;
    const events = agent.flatMap(({ eventsPerSecond }) =>
      eventsPerSecond === null ? [] : [eventsPerSecond],
    );
    const lost = totalLost(workloadResult);
    const each = agent.flatMap(({ perRequest }) => perRequest ?? []);
    const microseconds = (key: 'agentNs' | 'programNs'): string =>
      each.length === 0 ? '' : `${formatNumber(median(each.map((costs) => costs[key])) / 1000, 2)} us`;
    return [
      workload.title,
      `${formatNumber(median(agent.map(({ cpuCores }) => cpuCores)) * 100, 0)} %`,
      `${formatNumber(Math.max(...agent.map(({ residentBytes }) => residentBytes)) / MIB, 0)} MiB`,
      `${formatNumber(Math.max(...agent.map(({ peakResidentBytes }) => peakResidentBytes)) / MIB, 0)} MiB`,
      events.length === 0 ? 'not reported' : formatNumber(median(events), 0),
      lost === null ? 'not reported' : formatNumber(lost, 0),
      microseconds('agentNs'),
      microseconds('programNs'),
    ];
  });
  return {
    title: 'Throughline itself',
    columns: [
      'during',
      'CPU',
      'resident',
      'peak',
      'events per second',
      'lost',
      'agent, a request',
      'programs, a request',
    ],
    rows,
  };
}

function startTable({ startupsMs }: BenchResult): Table {
  const cells = [0.5, 0, 1].map((fraction) => `${formatNumber(quantile(startupsMs, fraction), 0)} ms`);
  return {
    title: 'Start',
    columns: ['', 'median', 'fastest', 'slowest', 'starts'],
    rows: [['from start to attached', ...cells, String(startupsMs.length)]],
  };
}

function formatNumber(value: number, decimals: number): string {
  return value.toLocaleString('en', { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
}
