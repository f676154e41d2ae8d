/** What a running agent says of itself. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { AgentStatus, DoctorReport } from '../../src/cli/contract.ts';
import { requireKernel } from '../support/kernel.ts';
import { SLOWNESS } from '../support/slowness.ts';
import { startThroughline, type JsonMessage, type Throughline } from '../support/throughline.ts';

requireKernel();

const PROGRAM = join(import.meta.dirname, '..', '..', 'bin', 'throughline');
const STATISTICS = '/proc/sys/kernel/bpf_stats_enabled';

function throughline(...args: string[]): string {
  const { stdout, status, stderr } = spawnSync(PROGRAM, args, { encoding: 'utf8' });
  assert.ok(status === 0 || status === 1, stderr);
  return stdout;
}

/** What is said of this agent, once it has said anything. */
async function statusOf(agent: Throughline): Promise<AgentStatus> {
  for (let attempt = 0; attempt < 20 * SLOWNESS; attempt++) {
    const agents = throughline('status', '--json')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as AgentStatus);
    const found = agents.find(({ pid, updatedAt }) => pid === agent.pid && updatedAt !== '');
    if (found !== undefined) return found;
  }
  throw new Error('the agent says nothing');
}

test('an agent says what it costs, how full its rings are, and what its programs take', async () => {
  await using agent = await startThroughline(['run', '--json']);
  const status = await statusOf(agent);
  assert.equal(status.isStalled, false);
  assert.ok(status.cpuMs > 0 && status.residentBytes > 20e6, JSON.stringify(status));
  assert.deepEqual(
    status.rings.map(({ ring, sizeBytes }) => [ring, sizeBytes]),
    [
      ['security', 4 * 1024 * 1024],
      ['payload', 8 * 1024 * 1024],
    ],
  );
  // The command itself makes system calls.
  const dispatcher = status.programs?.find(({ program }) => program === 'dispatch_sys_exit');
  assert.ok(dispatcher !== undefined && dispatcher.runsPerSecond > 0 && dispatcher.cpuPercent > 0);
  assert.equal(readFileSync(STATISTICS, 'utf8'), '0\n', 'nothing is measured any more');
  const report = JSON.parse(throughline('doctor', '--json')) as DoctorReport;
  assert.ok(report.agents.some(({ pid }) => pid === agent.pid));
  assert.match(
    throughline('status', '--metrics'),
    new RegExp(`^throughline_up\\{pid="${agent.pid}"\\} 1$`, 'm'),
  );
  await agent.stop();
});

test('whoever takes away the file that says so is told of, and it comes back', async () => {
  await using agent = await startThroughline(['run', '--json']);
  await statusOf(agent);
  unlinkSync(`/run/throughline/agent-${agent.pid}.json`);
  const finding = await agent.waitFor(
    (one: JsonMessage) => one.kind === 'finding' && one['class'] === 'tampering',
    10_000 * SLOWNESS,
  );
  assert.match(String(finding['title']), /the file that says that it runs/);
  await statusOf(agent);
  await agent.stop();
});
