/** `make bench`: what Throughline costs, side by side in one run. See docs/BENCHMARKS.md for how to read it. */
import { writeFile } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { giveBack, ROOT } from './checkout.ts';
import { httpWorkload } from './http-workload.ts';
import { describeMachine } from './machine.ts';
import { measure, measureStartups } from './measure.ts';
import { openWorkload } from './open-workload.ts';
import { reportAsMarkdown, reportAsText } from './report.ts';
import type { BenchResult } from './results.ts';
import { measureServerCost } from './server-cost.ts';
import { spawnWorkload } from './spawn-workload.ts';
import type { Workload } from './workload.ts';

const HELP = `Measures work without and with Throughline, in turn, and writes docs/BENCHMARKS.md. Needs root.

  make bench                     about six minutes
  make bench ARGS='--quick'      about one minute, rough; writes no file

Options:
  --quick        smaller work, fewer rounds
  --rounds N     pairs of runs for each kind of work (default: 6, quick: 4)
  --output FILE  where the report goes (default: docs/BENCHMARKS.md, quick: nowhere)
  --agent FILE   program to measure instead of bin/throughline of this checkout
  --help         this text
`;

interface Sizes {
  readonly rounds: number;
  readonly serverSeconds: number;
  readonly httpSeconds: number;
  readonly processStarts: number;
  readonly openSeconds: number;
  readonly agentStarts: number;
  readonly output: string | null;
}

// An even number of rounds, so that each order of a pair comes as often as the other.
const FULL: Sizes = {
  rounds: 6,
  serverSeconds: 40,
  httpSeconds: 4,
  processStarts: 20_000,
  openSeconds: 2,
  agentStarts: 5,
  output: join(ROOT, 'docs', 'BENCHMARKS.md'),
};
const QUICK: Sizes = {
  rounds: 4,
  serverSeconds: 10,
  httpSeconds: 2,
  processStarts: 3000,
  openSeconds: 1,
  agentStarts: 3,
  output: null,
};

interface Options extends Sizes {
  readonly command: string;
  readonly agentProgram: string | undefined;
}

function readOptions(): Options | null {
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      output: { type: 'string' },
      agent: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return null;
  const sizes = values.quick ? QUICK : FULL;
  const rounds = values.rounds === undefined ? sizes.rounds : Number(values.rounds);
  if (!Number.isInteger(rounds) || rounds < 1) throw new Error(`not a number of rounds: ${values.rounds}`);
  const words = [...(values.quick ? ['--quick'] : []), ...(values.rounds ? [`--rounds ${rounds}`] : [])];
  return {
    ...sizes,
    rounds,
    output: values.output === undefined ? sizes.output : resolve(values.output),
    command: words.length > 0 ? `make bench ARGS='${words.join(' ')}'` : 'make bench',
    agentProgram: values.agent === undefined ? undefined : resolve(values.agent),
  };
}

function progress(line: string): void {
  console.error(`bench: ${line}`);
}

async function bench(options: Options, signal: AbortSignal): Promise<BenchResult> {
  await using resources = new AsyncDisposableStack();
  progress('setting up');
  const workloads: Workload[] = [
    resources.use(await httpWorkload('orders', options.httpSeconds, signal)),
    resources.use(await httpWorkload('least', options.httpSeconds, signal)),
    resources.use(await spawnWorkload(options.processStarts, signal)),
    resources.use(await openWorkload(options.openSeconds, signal)),
  ];
  const shared = { agentProgram: options.agentProgram, signal, onProgress: progress };
  const servers = [];
  for (const kind of ['orders', 'least'] as const)
    servers.push(await measureServerCost(kind, { ...shared, seconds: options.serverSeconds }));
  const startupsMs = await measureStartups(options.agentStarts, shared);
  return {
    machine: describeMachine(),
    date: new Date().toISOString().slice(0, 10),
    command: options.command,
    rounds: options.rounds,
    servers,
    ...(await measure({ ...shared, workloads, rounds: options.rounds })),
    startupsMs,
  };
}

async function main(signal: AbortSignal): Promise<void> {
  const options = readOptions();
  if (!options) {
    console.log(HELP.trimEnd());
    return;
  }
  const result = await bench(options, signal);
  console.log(`\n${reportAsText(result)}`);
  if (options.output === null) return;
  await writeFile(options.output, reportAsMarkdown(result));
  await giveBack(options.output);
  progress(`wrote ${relative(process.cwd(), options.output)}`);
}

// Ctrl-C aborts what runs; everything that was started is then ended on the way out.
const interrupt = new AbortController();
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => interrupt.abort());
try {
  await main(interrupt.signal);
} catch (error) {
  if (interrupt.signal.aborted) progress('interrupted');
  else progress(`error: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = interrupt.signal.aborted ? 130 : 1;
}
