import { copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { sendLoad } from '../../test/support/load.ts';
import { startThroughline, type Throughline } from '../../test/support/throughline.ts';
import { BaselineWatch, emptyBaselines } from './baselines.ts';
import type { CellResult, RuntimeCost, RuntimeResult } from './cell.ts';
import { measureCost } from './cost.ts';
import { EventCount } from './event-count.ts';
import { emptyVerdicts, judge } from './judge.ts';
import { doesWork, loadOf, targetOf } from './mark.ts';
import type { Sizes } from './options.ts';
import { Placements } from './placements.ts';
import { filesOf, probeHitsIn } from './probe-hits.ts';
import { replay } from './replay.ts';
import { CACHE, type Runtime } from './runtimes/runtime.ts';
import { serve, type Server } from './serve.ts';
import type { Services } from './services.ts';
import { countSystemCalls } from './system-calls.ts';

/** For what still runs when the last reply is there, and for the agent to read it. */
const SETTLE_MS = 1500;
/** Until the agent has looked at a server that has begun to listen, and probes its functions; what is late is for --late. */
const LOOK_MS = 1500;
/** How long the first load runs before the agent is attached, where that is measured. */
const LATE_MS = 500;
/** So many mistakes are shown; all are counted. */
const MAX_MISTAKES = 20;

export interface MeasureContext {
  readonly services: Services;
  readonly sizes: Sizes;
  readonly signal: AbortSignal;
  readonly progress: (line: string) => void;
}

interface SentLoad {
  readonly concurrency: number;
  readonly keepAlive: boolean;
  readonly requests: number;
  /** Of these, those that do work. */
  readonly working: number;
  readonly answered: readonly string[];
  readonly failures: readonly string[];
  readonly seconds: number;
  /** The part that its ids share. */
  readonly name: string;
}

/** Everything about one runtime. Its recording is kept only where the product was wrong. */
export async function measureRuntime(runtime: Runtime, context: MeasureContext): Promise<RuntimeResult> {
  const { services, sizes, signal, progress } = context;
  await using cleanup = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), 'throughline-attribution-recording-'));
  cleanup.defer(() => rm(directory, { recursive: true, force: true }));
  const recording = join(directory, `${runtime.name}.tlrec`);

  const sent: SentLoad[] = [];
  // First the agent, then the server: nothing of it was there before. Or right amid the first load.
  const early = sizes.attachesLate ? null : cleanup.use(await startRecording(recording));
  const server = cleanup.use(await serve(runtime, services));
  if (early !== null) await sleep(LOOK_MS, undefined, { signal });
  const agent = early ?? (await attachAmidLoad(server, recording, sent, cleanup, context));
  for (const keepAlive of [true, false])
    for (const concurrency of sizes.concurrencies) {
      const load = await send(server, concurrency, keepAlive, context);
      sent.push(load);
      progress(`${runtime.name}: ${describeLoad(load)}`);
    }
  await sleep(SETTLE_MS, undefined, { signal });
  const files = await filesOf(server.pids);
  const { stderr } = await agent.stop();
  progress(`${runtime.name}: replaying the recording`);
  const judged = await judgeRecording(recording, runtime, server, sent, signal);

  let keptRecording: string | null = null;
  if (judged.mistakes.length > 0 || sizes.keepsRecordings) {
    await mkdir(join(CACHE, 'recordings'), { recursive: true });
    keptRecording = join(CACHE, 'recordings', `${runtime.name}.tlrec`);
    await copyFile(recording, keptRecording);
    progress(`${runtime.name}: ${judged.mistakes.length} mistakes; recording kept as ${keptRecording}`);
  }
  const { systemCalls, cost } = sizes.measuresCost
    ? await costOf(runtime, server, context)
    : { systemCalls: null, cost: [] };
  return {
    name: runtime.name,
    title: runtime.title,
    kinds: Object.keys(runtime.expected) as RuntimeResult['kinds'],
    ...judged,
    mistakes: judged.mistakes.slice(0, MAX_MISTAKES),
    mistakeCount: judged.mistakes.length,
    keptRecording,
    probeHitsPerRequest: probeHitsIn(files, stderr) / workingRequests(sent),
    systemCallsPerRequest: systemCalls,
    cost,
  };
}

/** What observing a runtime costs, and nothing else. */
export async function measureRuntimeCost(runtime: Runtime, context: MeasureContext): Promise<RuntimeCost> {
  await using server = await serve(runtime, context.services);
  return await costOf(runtime, server, context);
}

async function costOf(runtime: Runtime, server: Server, context: MeasureContext): Promise<RuntimeCost> {
  const { name } = runtime;
  const systemCalls = await countSystemCalls(server, context);
  const cost = await measureCost(server, context, (line) => context.progress(`${name}: ${line}`));
  return { name, systemCalls, cost };
}

function startRecording(recording: string): Promise<Throughline> {
  return startThroughline(['record', '--output', recording]);
}

/** Attaches while requests are in flight on connections that it has not seen. What happened before is not expected. */
async function attachAmidLoad(
  server: Server,
  recording: string,
  sent: SentLoad[],
  cleanup: AsyncDisposableStack,
  context: MeasureContext,
): Promise<Throughline> {
  const load = send(server, Math.max(...context.sizes.concurrencies), true, context);
  // Told below; should attaching fail, that is the error.
  load.catch(() => {});
  await sleep(LATE_MS, undefined, { signal: context.signal });
  const agent = cleanup.use(await startRecording(recording));
  sent.push({ ...(await load), answered: [] });
  return agent;
}

async function send(
  server: Server,
  concurrency: number,
  keepAlive: boolean,
  { sizes, signal }: MeasureContext,
): Promise<SentLoad> {
  const requests = Math.max(sizes.requests, 2 * concurrency);
  const start = performance.now();
  const results = await sendLoad({
    url: server.url,
    requests,
    concurrency,
    keepAlive,
    target: (id) => targetOf(id, server.path),
    timeoutMs: 60_000,
    signal,
  });
  const seconds = (performance.now() - start) / 1000;
  const failed = results.filter(({ status }) => status !== 200);
  return {
    concurrency,
    keepAlive,
    requests,
    working: results.filter(({ id }) => doesWork(id)).length,
    seconds,
    answered: results.filter(({ status }) => status === 200).map(({ id }) => id),
    failures: failed.map(({ status, error, body }) => error ?? `status ${status}: ${body.slice(0, 200)}`),
    name: loadOf(results[0]?.id ?? ''),
  };
}

type JudgedPart =
  | 'cells'
  | 'losses'
  | 'eventsPerRequest'
  | 'eventsByKind'
  | 'mistakes'
  | 'reasons'
  | 'counters';

async function judgeRecording(
  recording: string,
  runtime: Runtime,
  server: Server,
  sent: readonly SentLoad[],
  signal: AbortSignal,
): Promise<Pick<RuntimeResult, JudgedPart>> {
  const placements = new Placements();
  const baselines = new Map(sent.map(({ name }) => [name, emptyBaselines()]));
  const watch = new BaselineWatch(baselines);
  const count = new EventCount(server.pids);
  const counters = await replay(
    recording,
    {
      message: (message) => placements.add(message),
      event(event) {
        watch.event(event);
        count.event(event);
      },
    },
    signal,
  );
  const loads = new Map(
    sent.map(({ name, answered }) => [name, { answered, expected: runtime.expected }] as const),
  );
  const { verdicts, mistakes, reasons } = judge(
    placements.all,
    (request) => placements.sentId(request),
    loads,
  );
  const requests = workingRequests(sent);
  const cells = sent.map((load): CellResult => ({
    concurrency: load.concurrency,
    keepAlive: load.keepAlive,
    requests: load.requests,
    failed: load.failures.length,
    failure: load.failures[0] ?? null,
    requestsPerSecond: load.requests / load.seconds,
    verdicts: verdicts.get(load.name) ?? emptyVerdicts(),
    baselines: baselines.get(load.name) ?? emptyBaselines(),
  }));
  return {
    cells,
    losses: placements.losses,
    mistakes,
    reasons,
    counters,
    eventsPerRequest: count.total / requests,
    eventsByKind: Object.fromEntries(
      Object.entries(count.byKind).map(([kind, events]) => [kind, events / requests]),
    ),
  };
}

/** What happens is told by request of these: the others cause next to nothing. */
function workingRequests(sent: readonly SentLoad[]): number {
  return sent.reduce((sum, { working }) => sum + working, 0);
}

function describeLoad({ concurrency, keepAlive, requests, failures, seconds }: SentLoad): string {
  const rate = (requests / seconds).toFixed(0);
  const trouble = failures.length === 0 ? '' : `, ${failures.length} FAILED: ${failures[0]}`;
  return `${concurrency} at once, ${keepAlive ? 'keep-alive' : 'close'}: ${requests} requests, ${rate}/s${trouble}`;
}
