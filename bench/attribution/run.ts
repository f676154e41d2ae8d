/** `make bench-attribution`: who is right about which request caused which effect. See docs/ATTRIBUTION.md. */
import { readFile, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { giveBack, ROOT } from '../checkout.ts';
import { describeMachine } from '../machine.ts';
import type { AttributionResult, RuntimeResult, Unavailable } from './cell.ts';
import { withSection } from './document.ts';
import { measureRuntime, type MeasureContext } from './measure.ts';
import { HELP, readOptions, type Options } from './options.ts';
import { reportAsMarkdown, reportAsText } from './report.ts';
import { RUNTIMES } from './runtimes/index.ts';
import type { Runtime } from './runtimes/runtime.ts';
import { startServices } from './services.ts';

/** Servers that end at once like to print where they were. */
const MAX_REASON_LENGTH = 300;
const DOCUMENT = join(ROOT, 'docs', 'ATTRIBUTION.md');

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

async function writeDocument(result: AttributionResult): Promise<void> {
  const { cpu, cores, kernel } = describeMachine();
  const section = reportAsMarkdown(result, `${cpu}, ${cores} cores, ${kernel}`);
  await writeFile(DOCUMENT, withSection(await readFile(DOCUMENT, 'utf8'), section));
  await giveBack(DOCUMENT);
  progress(`wrote ${relative(process.cwd(), DOCUMENT)}`);
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
  const result = await measureAll(options, signal);
  console.log(options.isJson ? JSON.stringify(result) : `\n${reportAsText(result)}`);
  if (options.isFull) await writeDocument(result);
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
