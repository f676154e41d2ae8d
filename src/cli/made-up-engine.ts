import { ThroughlineError } from '../base/errors.ts';
import type { RuleTestReport } from '../rules/test-report.ts';
import { main } from './main.ts';
import type {
  AgentStatus,
  DoctorReport,
  Engine,
  EngineMessage,
  EngineOptions,
  RunSummary,
} from './contract.ts';
import type { CliEnvironment } from './environment.ts';

/** An engine for tests: sends the given messages, then ends, or waits for the signal where it is live. */
export class MadeUpEngine implements Engine {
  readonly #messages: readonly EngineMessage[];
  readonly #report: DoctorReport;
  /** The options of every run. */
  readonly runs: EngineOptions[] = [];
  /** What a run rejects with, after its messages. */
  failure: Error | null = null;
  /** What tests of rules come to. */
  tested: RuleTestReport = { rules: [], ordinary: [], errors: [] };

  /** Agents that run. */
  agents: readonly AgentStatus[] = [];
  /** How long their programs were to be measured. */
  sampledMs: number[] = [];

  constructor(messages: readonly EngineMessage[] = [], report: Partial<DoctorReport> = {}) {
    this.#messages = messages;
    this.#report = { ...REPORT, ...report };
  }

  async status(sampleMs: number): Promise<readonly AgentStatus[]> {
    this.sampledMs.push(sampleMs);
    return this.agents;
  }

  async run(options: EngineOptions, onMessage: (message: EngineMessage) => void): Promise<RunSummary> {
    this.runs.push(options);
    for (const message of this.#messages) onMessage(message);
    if (this.failure !== null) throw this.failure;
    if (options.source.kind === 'live' && !options.signal.aborted) {
      await new Promise((resolve) => options.signal.addEventListener('abort', resolve, { once: true }));
    }
    return {
      events: 1204,
      requests: 1,
      findings: 1,
      effects: { exact: 1200, linked: 3, matched: 0, ambiguous: 4, disagreements: 1, contentSkipped: 0 },
      durationMs: 2500,
      losses: {},
      counters: {
        'kernel side': { events: 1204, truncated: 2, unreadable: 0 },
        attribution: { exact: 1200, 'unknown stamps': 7 },
        decoding: { malformed: 0 },
      },
      recordedBytes: 2048,
      probeHits: [{ library: 'OpenSSL', path: '/usr/lib/libssl.so.3', hits: 3210 }],
      containers: { asked: 3, named: 2, unknown: 0, failed: 1, skipped: 0 },
      hashes: {
        asked: 5,
        hashed: 2,
        known: 1,
        gone: 1,
        changed: 0,
        tooLarge: 1,
        remote: 0,
        unreadable: 0,
        skipped: 0,
      },
      alerts:
        options.rules === undefined
          ? null
          : { raised: 2, heldBack: 0, seen: 0, timeMs: 0, rules: [], outputs: [] },
    };
  }

  testRules(): Promise<RuleTestReport> {
    return Promise.resolve(this.tested);
  }

  examine(): Promise<DoctorReport> {
    return Promise.resolve(this.#report);
  }
}

export interface CliRun {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command line on made-up ground: no terminal, UTF-8, stopped by `signal` or after 10 ms. */
export async function runCli(
  argv: readonly string[],
  engine: Engine,
  changes: Partial<CliEnvironment> = {},
): Promise<CliRun> {
  let stdout = '';
  let stderr = '';
  const exitCode = await main(argv, {
    engine,
    version: '0.1.0',
    stdout: (text) => void (stdout += text),
    stderr: (text) => void (stderr += text),
    isTty: { stdout: false, stderr: false },
    columns: null,
    variables: { LANG: 'C.UTF-8' },
    signal: AbortSignal.timeout(10),
    timeZone: 'UTC',
    readRules: (path) => {
      throw new ThroughlineError('TL4001', path);
    },
    ruleGround: { defaultFolder: null, list: (path) => [path], stamp: () => '', onHangup: () => () => {} },
    ...changes,
  });
  return { exitCode, stdout, stderr };
}

const REPORT: DoctorReport = {
  kind: 'doctor',
  version: '0.1.0',
  node: '24.0.0',
  libbpf: '1.1.0',
  kernel: '6.1.0-18',
  architecture: 'x86_64',
  ok: true,
  features: [
    { name: 'ring buffer', answer: 'supported', detail: '' },
    { name: 'fentry', answer: 'unsupported', detail: 'needs Linux 5.5' },
    { name: 'LSM', answer: 'inconclusive', detail: 'not root' },
  ],
  plan: [
    {
      sensor: 'process',
      chosen: 'tracepoints',
      reason: 'stable',
      weaker: 'scripts are not told apart',
      attachments: ['sched_process_exec', 'sched_process_exit'],
    },
    { sensor: 'file', chosen: null, reason: 'no alternative fits', weaker: '', attachments: [] },
  ],
  cgroups: { hierarchy: 'unified (v2)', reason: 'none of version 1 is mounted' },
  agents: [],
  containerRuntimes: [
    { kind: 'docker', path: '/run/docker.sock', version: 'Docker 20.10.24', problem: '' },
    { kind: 'cri', path: '/run/crio/crio.sock', version: null, problem: 'cannot be asked (ECONNREFUSED)' },
  ],
  losses: {},
  problems: [],
};
