import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AgentStatus } from './contract.ts';
import { MadeUpEngine, runCli } from './made-up-engine.ts';

const AGENT: AgentStatus = {
  kind: 'status',
  pid: 77,
  version: '0.1.0',
  startedAt: '2026-01-02T03:04:05.000Z',
  updatedAt: '2026-01-02T04:04:05.000Z',
  isStalled: false,
  cpuMs: 61_500,
  cpuPercent: 3.25,
  residentBytes: 140 * 1024 * 1024,
  events: 1_234_567,
  findings: 2,
  rings: [
    { ring: 'security', waitingBytes: 1024 * 1024, sizeBytes: 4 * 1024 * 1024 },
    { ring: 'payload', waitingBytes: 0, sizeBytes: 8 * 1024 * 1024 },
  ],
  losses: { 'cgroup-budget': 4031 },
  lostByKind: { file: 4031 },
  programs: [
    { program: 'dispatch_sys_exit', runsPerSecond: 20_000.4, cpuPercent: 1.5 },
    { program: 'process_exec', runsPerSecond: 3, cpuPercent: 0.01 },
  ],
};

async function status(args: string[], ...agents: AgentStatus[]) {
  const engine = new MadeUpEngine();
  engine.agents = agents;
  return { ...(await runCli(['status', ...args], engine)), engine };
}

test('for people: what it costs, what waits, what was lost, and its programs', async () => {
  const { exitCode, stdout, engine } = await status([], AGENT);
  assert.equal(exitCode, 0);
  assert.deepEqual(engine.sampledMs, [1000]);
  assert.equal(
    stdout,
    `Agent 77, since 2026-01-02T03:04:05.000Z
  processor           3.3 %, 61.5 s in all
  memory              140 MiB resident
  events              1,234,567
  findings            2
  security ring       25.0 % of 4 MiB waiting
  payload ring        0.0 % of 8 MiB waiting
  lost                cgroup-budget 4,031
  of security events  file 4,031
  programs            1.51 % of a processor in the kernel
    dispatch_sys_exit: 20,000 runs a second, 1.50 %
    process_exec: 3 runs a second, 0.01 %
`,
  );
});

test('no agent, or one that says nothing any more, is told by the exit code, too', async () => {
  const none = await status([]);
  assert.deepEqual([none.exitCode, none.stdout], [1, 'No agent runs on this host.\n']);
  const stalled = await status([], AGENT, { ...AGENT, pid: 78, isStalled: true, programs: null });
  assert.equal(stalled.exitCode, 1);
  assert.match(stalled.stdout, /Agent 78, since \S+, has said nothing since 2026-01-02T04:04:05.000Z\n/);
  assert.match(stalled.stdout, /programs +not measured/);
});

test('for programs: an object a line, or metrics', async () => {
  const { stdout } = await status(['--json', '--sample', '3'], AGENT);
  assert.deepEqual(JSON.parse(stdout), AGENT);
  const metrics = await status(['--metrics'], AGENT, {
    ...AGENT,
    pid: 78,
    losses: { 'odd "name"\n': 1 },
    isStalled: true,
  });
  const lines = metrics.stdout.split('\n');
  for (const expected of [
    '# TYPE throughline_cpu_seconds_total counter',
    'throughline_cpu_seconds_total{pid="77"} 61.5',
    'throughline_up{pid="77"} 1',
    'throughline_up{pid="78"} 0',
    'throughline_ring_waiting_bytes{pid="77",ring="security"} 1048576',
    'throughline_lost_events_total{pid="77",reason="cgroup-budget"} 4031',
    'throughline_lost_events_total{pid="78",reason="odd \\"name\\"\\n"} 1',
    'throughline_lost_security_events_total{pid="77",kind="file"} 4031',
    'throughline_program_cpu_ratio{pid="77",program="dispatch_sys_exit"} 0.015',
  ])
    assert.ok(lines.includes(expected), `${expected} in\n${metrics.stdout}`);
  // Each name has its help once, and a line is a comment, a sample or nothing.
  assert.equal(lines.filter((line) => line.startsWith('# HELP throughline_up ')).length, 1);
  assert.ok(lines.every((line) => /^(?:# .*|[a-z_]+\{.*\} [0-9.]+|)$/.test(line)));
});

test('doctor names the agents that run', async () => {
  const { stdout } = await runCli(
    ['doctor'],
    new MadeUpEngine([], { agents: [{ ...AGENT, programs: null }] }),
  );
  assert.match(stdout, /Running agents\n {2}77 {2}since 2026-01-02T03:04:05.000Z\n/);
  assert.match(stdout, /processor +3.3 %/);
});
