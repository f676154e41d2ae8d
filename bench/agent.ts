import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startThroughline, type JsonMessage, type Throughline } from '../test/support/throughline.ts';
import { readAgentCosts, type AgentCosts } from './agent-costs.ts';
import { ROOT } from './checkout.ts';

/** What /proc/PID/stat counts in; 100 on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

export interface AgentUsage {
  /** User and system time of all threads since the start. */
  readonly cpuSeconds: number;
  readonly residentBytes: number;
  readonly peakResidentBytes: number;
}

export interface AgentSummary {
  /** null where the agent did not say. */
  readonly events: number | null;
  /** Lost events by reason. */
  readonly losses: Readonly<Record<string, number>> | null;
}

/** An attached agent, observing for findings: what a user has running. */
export interface Agent extends AsyncDisposable {
  /** From the start of the program to its word that it is attached. */
  readonly startupMs: number;
  readonly pid: number;
  usage(): Promise<AgentUsage>;
  costs(): AgentCosts;
  /** Ends it with SIGTERM and returns what it said of itself. */
  stop(): Promise<AgentSummary>;
}

/**
 * @param program default: bin/throughline of this checkout
 * @param options of `throughline run`, beside --json
 */
export async function startAgent(
  program = join(ROOT, 'bin', 'throughline'),
  options: readonly string[] = [],
): Promise<Agent> {
  const start = performance.now();
  const throughline = await startThroughline(['run', '--json', ...options], { command: [program] });
  const startupMs = performance.now() - start;
  let isStopped = false;
  const stop = async (): Promise<AgentSummary> => {
    isStopped = true;
    await throughline.stop();
    return summarize(throughline.messages, throughline.stderr);
  };
  return {
    startupMs,
    pid: throughline.pid,
    usage: () => readUsage(throughline),
    costs: () => readAgentCosts(throughline.pid),
    stop,
    async [Symbol.asyncDispose]() {
      // Asked politely first, so that it detaches by itself.
      if (!isStopped) await throughline.stop().catch(() => throughline.kill());
    },
  };
}

async function readUsage({ pid }: Throughline): Promise<AgentUsage> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  // The name in parentheses may hold anything; utime and stime are the 12th and 13th field after it.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const bytes = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) * 1024;
  return {
    cpuSeconds: (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND,
    residentBytes: bytes('VmRSS'),
    peakResidentBytes: bytes('VmHWM'),
  };
}

/**
 * Events and losses out of the agent's last words: a JSON object with `events` and `losses`, on stdout or stderr, else
 * the closing sentence on stderr, else (losses only) what its messages about losses add up to.
 */
export function summarize(messages: readonly JsonMessage[], stderr: string): AgentSummary {
  const candidates: readonly unknown[] = [...jsonLines(stderr), ...messages];
  const summary = candidates.findLast((value) => isRecord(value) && typeof value['events'] === 'number');
  const sentence = readSentence(stderr);
  if (!isRecord(summary)) return { events: sentence.events, losses: sentence.losses ?? addLosses(messages) };
  return {
    events: Number(summary['events']),
    losses: isRecord(summary['losses']) ? numbersOf(summary['losses']) : addLosses(messages),
  };
}

function jsonLines(text: string): unknown[] {
  return text.split('\n').flatMap((line): unknown[] => {
    if (!line.trimStart().startsWith('{')) return [];
    try {
      return [JSON.parse(line)];
    } catch {
      return [];
    }
  });
}

/** "3.2 s: 12,345 events, 1 request, 0 findings, nothing lost", or "..., lost: REASON 30, OTHER REASON 4". */
function readSentence(text: string): AgentSummary {
  const [, events, , lost] =
    [...text.matchAll(/: ([\d,]+) events?, .*(nothing lost|lost: (.+))$/gm)].at(-1) ?? [];
  if (events === undefined) return { events: null, losses: null };
  const losses: Record<string, number> = {};
  for (const [, reason = '', count = ''] of lost?.matchAll(/([^,\d][^,]*?) (\d[\d,]*\d|\d)(?=, |$)/g) ?? []) {
    losses[reason.trim()] = readCount(count);
  }
  return { events: readCount(events), losses };
}

function readCount(text: string): number {
  return Number(text.replaceAll(',', ''));
}

/** null when there was no message: silence without a summary proves nothing. */
function addLosses(messages: readonly JsonMessage[]): Record<string, number> | null {
  const reports = messages.filter(({ kind }) => kind === 'loss');
  if (reports.length === 0) return null;
  const sums: Record<string, number> = {};
  for (const { reasons } of reports) {
    if (!isRecord(reasons)) continue;
    for (const [reason, count] of Object.entries(numbersOf(reasons)))
      sums[reason] = (sums[reason] ?? 0) + count;
  }
  return sums;
}

function numbersOf(record: Readonly<Record<string, unknown>>): Record<string, number> {
  return Object.fromEntries(Object.entries(record).filter((entry) => typeof entry[1] === 'number')) as Record<
    string,
    number
  >;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
