import assert from 'node:assert/strict';
import { test } from 'node:test';
import { costsOfEach, readAgentCosts } from './agent-costs.ts';

test('a process that holds no programs has cost its own time', () => {
  const before = readAgentCosts(process.pid);
  const until = performance.now() + 100;
  while (performance.now() < until);
  const { agentNs, programNs, programRuns } = costsOfEach(10, before, readAgentCosts(process.pid));
  assert.ok(agentNs > 1e6 && agentNs < 1e9, `${agentNs}`);
  assert.deepEqual([programNs, programRuns], [0, 0]);
});
