import { defineCommand } from './command.ts';
import { jsonOption } from './common-options.ts';
import { duration, flag } from './option.ts';
import { statusMetrics } from './status-metrics.ts';
import { statusText } from './status-text.ts';

const DEFAULT_SAMPLE_SECONDS = 1;

export const statusCommand = defineCommand({
  name: 'status',
  summary: 'say how the agents that run here do, and what they cost',
  description: [
    'Prints for each agent on this host what it takes of processor and memory, how full its rings are, what it has lost and why, and how often and how long its programs run in the kernel. That is measured meanwhile, for a second, which makes each run of a program some ten nanoseconds longer.',
    'An agent says of itself how it does every two seconds; one that has said nothing for ten is stalled. Exit code 0 when an agent runs and none is stalled, 1 otherwise.',
  ],
  positionals: [],
  options: {
    sample: duration('measure programs so long (default: 1 second)'),
    metrics: flag('print metrics in the text format of Prometheus, say for the textfile collector'),
    json: jsonOption,
  },
  examples: [
    { command: 'sudo throughline status', help: 'all agents, for people' },
    { command: 'sudo throughline status --metrics', help: 'the same as metrics' },
  ],
  async run({ engine, console }, { sample, metrics, json }) {
    const agents = await engine.status((sample ?? DEFAULT_SAMPLE_SECONDS) * 1000);
    if (json) for (const agent of agents) console.json(agent);
    else if (metrics) console.result(statusMetrics(agents));
    else console.result(statusText(agents, console.stdoutTerminal));
    return agents.length > 0 && agents.every(({ isStalled }) => !isStalled) ? 0 : 1;
  },
});
