/** `make bench-attribution`: who is right about which request caused which effect. See docs/ATTRIBUTION.md. */
import { readFile, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { giveBack, ROOT } from '../checkout.ts';
import { describeMachine } from '../machine.ts';
import type { AttributionResult, RuntimeCost, RuntimeResult, Unavailable } from './cell.ts';
import { withSection } from './document.ts';
import { figuresOf, type Origin, type RuntimeFigures } from './figures.ts';
import { number } from './format.ts';
import { measureRuntime, measureRuntimeCost, type MeasureContext } from './measure.ts';
import { HELP, readOptions, type Options } from './options.ts';
import { reportAsText } from './report.ts';
import { mergeResults, parseResults, resultsText, withCosts, type KeptResults } from './results-file.ts';
import { RUNTIMES } from './runtimes/index.ts';
import type { Runtime } from './runtimes/runtime.ts';
import { sectionOf } from './section.ts';
import { startServices } from './services.ts';

/** Servers that end at once like to print where they were. */
const MAX_REASON_LENGTH = 300;
const DOCUMENT = join(ROOT, 'docs', 'ATTRIBUTION.md');
const RESULTS = join(ROOT, 'docs', 'bench-attribution.json');

function progress(line: string): void {
  console.error(`bench-attribution: ${line}`);
}

function chosenRuntimes(names: readonly string[]): readonly Runtime[] {
  const unknown = names.filter((name) => !RUNTIMES.some((runtime) => runtime.name === name));
  if (unknown.length > 0)
    throw new Error(
      `no server named ${unknown.join(', ')}; there are ${RUNTIMES.map(({ name }) => name).join(', ')}`,
    );
  return names.length === 0 ? RUNTIMES : RUNTIMES.filter(({ name }) => names.includes(name));
}

/** The costs alone. One server that fails must not cost the figures of the others. */
async function measureCosts(options: Options, signal: AbortSignal): Promise<void> {
  await using services = await startServices();
  const context: MeasureContext = { services, sizes: options.sizes, signal, progress };
  const costs: RuntimeCost[] = [];
  for (const runtime of chosenRuntimes(options.runtimes)) {
    signal.throwIfAborted();
    try {
      const missing = runtime.missing();
      if (missing !== null) throw new Error(missing);
      costs.push(await measureRuntimeCost(runtime, context));
    } catch (error) {
      if (signal.aborted) throw error;
      progress(`${runtime.name}: NOT MEASURED: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  if (options.isJson) console.log(JSON.stringify(costs));
  if (!options.isWritten) return;
  const date = new Date().toISOString().slice(0, 10);
  const origin = originOf({ date, command: options.command, requestsPerCell: options.sizes.costRequests });
  await writeResults((before) => withCosts(before, costs, origin));
}

async function measureAll(options: Options, signal: AbortSignal): Promise<AttributionResult> {
  await using services = await startServices();
  const context: MeasureContext = { services, sizes: options.sizes, signal, progress };
  const runtimes: RuntimeResult[] = [];
  const unavailable: Unavailable[] = [];
  for (const runtime of chosenRuntimes(options.runtimes)) {
    signal.throwIfAborted();
    const reason = runtime.missing() ?? (await attempt(runtime, context, runtimes));
    if (reason === null) continue;
    unavailable.push({ name: runtime.name, title: runtime.title, reason });
    progress(`${runtime.name}: NOT MEASURED: ${reason}`);
  }
  return {
    date: new Date().toISOString().slice(0, 10),
    command: options.command,
    requestsPerCell: options.sizes.requests,
    runtimes,
    unavailable,
  };
}

/** Measures one; returns why it could not. One server that fails must not cost the figures of the others. */
async function attempt(
  runtime: Runtime,
  context: MeasureContext,
  results: RuntimeResult[],
): Promise<string | null> {
  try {
    results.push(await measureRuntime(runtime, context));
    return null;
  } catch (error) {
    if (context.signal.aborted) throw error;
    const text = error instanceof Error ? error.message : String(error);
    return text.replaceAll(/\s+/g, ' ').slice(0, MAX_REASON_LENGTH);
  }
}

function originOf({
  date,
  command,
  requestsPerCell,
}: Pick<AttributionResult, 'date' | 'command' | 'requestsPerCell'>): Origin {
  const { cpu, cores, kernel } = describeMachine();
  return { date, command, machine: `${cpu}, ${cores} cores, ${kernel}`, requests: requestsPerCell };
}

/** The terminal's report. Whoever looks at one server wants to make it better, so that one comes with reasons. */
function printReport(
  { runtimes: results, unavailable }: AttributionResult,
  figures: readonly RuntimeFigures[],
): void {
  console.log(`\n${reportAsText(figures)}`);
  const [only, ...others] = results;
  if (only !== undefined && others.length === 0) console.log(reasonsAsText(only));
  for (const { name, remarks } of figures) for (const remark of remarks) console.log(`${name}: ${remark}`);
  for (const { name, reason } of unavailable) console.log(`NOT MEASURED: ${name}: ${reason}`);
}

function reasonsAsText({ reasons }: RuntimeResult): string {
  const lines = Object.entries(reasons)
    .toSorted(([, a], [, b]) => b - a)
    .map(([reason, count]) => `${number(count).padStart(8)}  ${reason}`);
  return ['Reasons', '', ...lines, ''].join('\n');
}

async function writeResults(change: (before: KeptResults) => KeptResults): Promise<void> {
  const results = change(parseResults(await readFile(RESULTS, 'utf8')));
  await writeFile(RESULTS, resultsText(results));
  await writeFile(DOCUMENT, withSection(await readFile(DOCUMENT, 'utf8'), sectionOf(results)));
  await giveBack(RESULTS, DOCUMENT);
  progress(`wrote ${relative(process.cwd(), RESULTS)} and ${relative(process.cwd(), DOCUMENT)}`);
}

async function main(signal: AbortSignal): Promise<void> {
  const options = readOptions(process.argv.slice(2));
  if (options.task === 'help') {
    console.log(HELP.trimEnd());
    return;
  }
  if (options.task === 'list') {
    for (const runtime of RUNTIMES) {
      const reason = runtime.missing();
      console.log(`${runtime.name.padEnd(18)} ${reason === null ? runtime.title : `NOT HERE: ${reason}`}`);
    }
    return;
  }
  if (options.task === 'cost') {
    await measureCosts(options, signal);
    return;
  }
  const result = await measureAll(options, signal);
  const origin = originOf(result);
  const figures = result.runtimes.map((runtime) => figuresOf(runtime, origin));
  if (options.isJson) console.log(JSON.stringify(result));
  else printReport(result, figures);
  const run = { runtimes: figures, unavailable: result.unavailable };
  const order = RUNTIMES.map(({ name }) => name);
  if (options.isWritten) await writeResults((before) => mergeResults(before, run, order));
  if (result.unavailable.length > 0)
    progress(`${result.unavailable.length} servers were NOT MEASURED, see above`);
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
