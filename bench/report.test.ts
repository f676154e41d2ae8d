import assert from 'node:assert/strict';
import { test } from 'node:test';
import { reportAsMarkdown, reportAsText } from './report.ts';
import type { AgentMeasurement, BenchResult, WorkloadResult } from './results.ts';
import type { ServerKind } from './http-workload.ts';
import type { ServerCost } from './server-cost.ts';
import { judge } from './targets.ts';

const MIB = 1024 * 1024;

function workload(name: string, withAgent: number, agent: Partial<AgentMeasurement> = {}): WorkloadResult {
  return {
    workload: {
      name,
      title: `the ${name} work`,
      metrics: [{ key: 'rate', title: name, unit: '/s', decimals: 0, better: 'more' }],
    },
    pairs: { rate: [1000, 2000, 4000].map((speed) => ({ without: speed, with: speed * withAgent })) },
    agent: [1, 2, 3].map(() => ({
      cpuCores: 0.123,
      residentBytes: 90 * MIB,
      peakResidentBytes: 101 * MIB,
      eventsPerSecond: 12_345,
      lostEvents: 0,
      perRequest: { agentNs: 1234, programNs: 2345, programRuns: 7 },
      ...agent,
    })),
  };
}

/** A request of 20 us, of which so much more when observed, and 0.1 us for being attached. */
function server(kind: ServerKind, addedUs: number): ServerCost {
  return {
    kind,
    title: `the ${kind} server`,
    count: 150,
    withoutUs: 20,
    addedUs: { median: addedUs, low: addedUs - 0.1, high: addedUs + 0.1 },
    rate: { median: 0.95, low: 0.94, high: 0.96 },
    unwantedNs: 50,
    callsPerRequest: 2,
  };
}

function result(
  workloads: readonly WorkloadResult[],
  servers: readonly ServerCost[] = [server('orders', 0.7), server('least', 0.8)],
): BenchResult {
  return {
    machine: {
      cpu: 'Some CPU',
      cores: 2,
      memoryBytes: 8 * 1024 * MIB,
      kernel: 'Linux 6.1 x64',
      node: 'v24.0.0',
    },
    date: '2030-01-02',
    command: 'make bench',
    rounds: 3,
    servers,
    workloads,
    busyCores: [0.01, 0.5, 0.02],
    startupsMs: [900, 800, 1900],
  };
}

function outcomes(value: BenchResult): string[] {
  return judge(value).map(({ outcome }) => outcome);
}

test('every target that is reached is met', () => {
  const good = result([
    workload('http-orders', 0.96),
    workload('http-least', 0.955),
    workload('process-starts', 0.91),
  ]);
  assert.deepEqual(outcomes(good), Array(7).fill('met'));
  assert.deepEqual(
    judge(good)
      .slice(0, 3)
      .map(({ measured }) => measured),
    ['3.8 %', '4.3 %', '9.0 %'],
  );
  assert.equal(judge(good)[4]?.measured, '0.90 s');
});

test('every target that is not reached is missed', () => {
  const agent = { residentBytes: 151 * MIB, lostEvents: 1 };
  const bad = result(
    [
      workload('http-orders', 0.94, agent),
      workload('http-least', 0.94, agent),
      workload('process-starts', 0.89, agent),
    ],
    [server('orders', 1), server('least', 1)],
  );
  assert.deepEqual(outcomes({ ...bad, startupsMs: [2100] }), Array(7).fill('missed'));
  assert.equal(judge(bad)[5]?.measured, '6');
});

test('what was not reported or not measured is unknown, never met', () => {
  const silent = result([workload('http-orders', 1, { lostEvents: null })], [server('orders', 0.5)]);
  assert.deepEqual(outcomes({ ...silent, startupsMs: [] }), [
    'met',
    'unknown',
    'unknown',
    'met',
    'unknown',
    'unknown',
    'unknown',
  ]);
});

test('the report has machine, ratios and outcomes, as aligned text and as Markdown', () => {
  const value = result([
    workload('http-orders', 0.96),
    workload('open-storm', 0.5, { eventsPerSecond: null, perRequest: null }),
  ]);
  const markdown = reportAsMarkdown(value);
  assert.match(markdown, /- processor: Some CPU, 2 cores, 8 GiB of memory/);
  assert.match(markdown, /- other work on the machine: before 1 of 3 pairs of runs/);
  assert.match(markdown, /- command: `make bench` \(3 rounds\)/);
  assert.match(markdown, /\| HTTP throughput lost, a small JSON service \| at most 5 % \| 3\.8 % \| met \|/);
  assert.match(
    markdown,
    /\| the orders server \| 20\.00 \| \+0\.70 \(0\.60 to 0\.80\) \| \+0\.10 \| 3\.8 % \(3\.4 to 4\.3\) \| 0\.950 \(0\.940 to 0\.960\) \| 150 \|/,
  );
  assert.match(
    markdown,
    /\| http-orders, per second \| 2,000 \| 1,920 \| 0\.960 \| 0\.960 to 0\.960 \| more \|/,
  );
  assert.match(
    markdown,
    /\| the http-orders work \| 12 % \| 90 MiB \| 101 MiB \| 12,345 \| 0 \| 1\.23 us \| 2\.35 us \|/,
  );
  assert.match(markdown, /\| the open-storm work .* not reported \| 0 \|  \|  \|/);
  assert.match(markdown, /\| from start to attached \| 900 ms \| 800 ms \| 1,900 ms \| 3 \|/);

  const lines = reportAsText(value).split('\n');
  const header = lines.find((line) => line.includes('lowest to highest'));
  const row = lines.find((line) => line.startsWith('open-storm, per second'));
  assert.equal(header?.indexOf('ratio'), row?.indexOf('0.500'));
});
