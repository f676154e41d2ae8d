import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { programStatistics } from './agent-costs.ts';
import { AgentSwitch } from './agent-switch.ts';
import { startAgent } from './agent.ts';
import { ROOT } from './checkout.ts';
import { compile } from './compile.ts';
import type { ServerReport } from './http-servers/listen.ts';
import { CONNECTIONS, forkServer, SERVERS, type ServerKind } from './http-workload.ts';
import { compareWindows, labelWindows, type WindowComparison } from './server-windows.ts';
import { parseRate, runProgram } from './workload.ts';

const WARM_UP_SECONDS = 3;
/** Server and load generator share a core: neither waits for the other to wake up, which takes a guest of a hypervisor long. */
const CORE = '0';
const LOOP_TURNS = 100;

/** What observing costs a server of its own processor time: its throughput on a core of its own follows from that. */
export interface ServerCost extends WindowComparison {
  readonly kind: ServerKind;
  readonly title: string;
  /** What attached programs cost a system call that nobody wants, in ns. */
  readonly unwantedNs: number;
  /** Reads and writes that the server makes for a request. */
  readonly callsPerRequest: number;
}

export interface ServerCostOptions {
  /** Of load, half of them observed. */
  readonly seconds: number;
  readonly agentProgram: string | undefined;
  readonly signal: AbortSignal;
  readonly onProgress: (line: string) => void;
}

/**
 * One agent stays attached, and its programs are switched off and on every tenth of a second: runs one after the other, with an
 * agent and without, differ by more than what is looked for. What being attached costs even then is measured by itself.
 */
export async function measureServerCost(kind: ServerKind, options: ServerCostOptions): Promise<ServerCost> {
  const { seconds, agentProgram, signal, onProgress } = options;
  // Whoever left it on would have it counted as ours.
  using _statistics = programStatistics(false);
  const loop = await compile('syscall-loop', [], signal);
  const callNs = async (): Promise<number> => parseRate(await onCore([loop, String(LOOP_TURNS)], signal));
  const bareNs = await callNs();
  const { child: server, url } = await forkServer(kind, ['--report'], signal);
  try {
    await runProgram('taskset', ['-a', '-c', '-p', CORE, String(server.pid)], signal);
    const load = (time: number): Promise<string> =>
      onCore(['wrk', '-t1', `-c${CONNECTIONS}`, `-d${time}s`, url], signal);
    await using agent = await startAgent(agentProgram);
    const attachedNs = await callNs();
    const observing = new AgentSwitch(agent.pid, agentProgram ? dirname(dirname(agentProgram)) : ROOT);
    await load(WARM_UP_SECONDS);
    const reports: ServerReport[] = [];
    const switches = [{ atMs: 0, isOn: true }];
    const onWindow = (report: ServerReport): void => {
      reports.push(report);
      const isOn = reports.length % 2 === 0;
      observing.turn(isOn);
      switches.push({ atMs: performance.timeOrigin + performance.now(), isOn });
    };
    const callsBefore = readsAndWrites(server.pid);
    server.on('message', onWindow);
    await load(seconds);
    server.off('message', onWindow);
    observing.turn(true);
    const requests = reports.reduce((sum, report) => sum + report.requests, 0);
    const cost = {
      kind,
      title: SERVERS[kind],
      // The first and the last are no whole ones.
      ...compareWindows(labelWindows(reports.slice(1, -1), switches)),
      unwantedNs: attachedNs - bareNs,
      callsPerRequest: (readsAndWrites(server.pid) - callsBefore) / requests,
    };
    await agent.stop();
    onProgress(
      `${cost.title}: ${cost.addedUs.median.toFixed(2)} us more than ${cost.withoutUs.toFixed(2)} a request`,
    );
    return cost;
  } finally {
    server.kill('SIGKILL');
  }
}

/** What of its throughput the server loses on a core of its own; in per cent, for each bound of the estimate. */
export function lostOf({
  withoutUs,
  addedUs,
  unwantedNs,
  callsPerRequest,
}: ServerCost): Record<'median' | 'low' | 'high', number> {
  const lost = (added: number): number => {
    const all = added + (unwantedNs * callsPerRequest) / 1000;
    return (all / (withoutUs + all)) * 100;
  };
  return { median: lost(addedUs.median), low: lost(addedUs.low), high: lost(addedUs.high) };
}

function onCore(command: readonly string[], signal: AbortSignal): Promise<string> {
  return runProgram('taskset', ['-c', CORE, ...command], signal);
}

/** System calls of all threads so far. */
function readsAndWrites(pid: number | undefined): number {
  const text = readFileSync(join('/proc', String(pid), 'io'), 'utf8');
  return ['syscr', 'syscw']
    .map((name) => Number(new RegExp(`^${name}: (\\d+)$`, 'm').exec(text)?.[1]))
    .reduce((sum, count) => sum + count, 0);
}
