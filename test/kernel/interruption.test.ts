/**
 * Tasks that take the processor from each other in the middle of programs: kernels that interrupt themselves allow that, all as of
 * Linux 7 and older ones with preempt=full. What one of them tells must never have bytes of another's, and where each program is run
 * for each of them, all is told.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { arch } from 'node:os';
import { basename, join } from 'node:path';
import { suite, test } from 'node:test';
import { EventDecoder } from '../../src/abi/decode.ts';
import { EFFECTS, type LoadOptions, type LoadedSensors } from '../../src/kernel/loader.ts';
import { SENSORS } from '../../src/kernel/plan.ts';
import { MergedRings } from '../../src/kernel/ring.ts';
import { eventView } from '../../src/output/event-view.ts';
import type { EventView } from '../../src/output/views.ts';
import { compileProgram } from '../support/compile.ts';
import { runToEnd } from '../support/event-log.ts';
import { requireKernel } from '../support/kernel.ts';
import { loadHere } from '../support/sensors.ts';
import { plansHere } from '../support/plans.ts';

requireKernel();

const PYTHON = '/usr/bin/python3';
const PROGRAM = join(import.meta.dirname, 'programs', 'names-in-turn.py');
const CONTEXT = { clock: { wallMs: () => 0 }, architecture: arch(), world: { cgroupOf: () => null } };
const OBSERVING = ['file', 'action', 'process', 'compat'];
/** Its start is another call, where the end of execve tells it. */
const FOR_32_BITS = ['-m32', '-nostdlib', '-static'];
/** The rings are emptied while the programs work. */
const DRAIN_MS = 20;
const ACTIONS = new Set(['rename', 'unlink'] as const);

interface Facts {
  readonly processes: Readonly<Record<string, string>>;
  readonly failed: number;
  readonly rounds: number;
  readonly programs: number;
}

type Ways = Pick<LoadOptions, 'askedPlan' | 'without'>;

function load(ways: Ways): LoadedSensors {
  const others = SENSORS.filter(({ name }) => !OBSERVING.includes(name));
  return loadHere({
    disabled: Object.fromEntries(others.map(({ name }) => [name, 'not tested here'])),
    interest: { ...EFFECTS, actions: { serving: new Set(), everybody: ACTIONS, onlyEffects: new Set() } },
    ...ways,
  });
}

/** Texts of an event that the program made up: `unit` over and over, with an ending. */
function textsOf(event: EventView): readonly string[] {
  switch (event.type) {
    case 'open':
      return [event.path, basename(event.resolvedPath)];
    case 'action':
      return Object.values(event.arguments).flatMap((value) =>
        typeof value === 'string' ? basename(value) : [],
      );
    case 'exec':
      return event.argv;
    default:
      return [];
  }
}

const isOf = (own: string, text: string): boolean => {
  const unit = `${own}${text.slice(3, 6)}.`;
  const body = text.endsWith('new') ? text.slice(0, -3) : text;
  return /^\d{3}$/.test(text.slice(3, 6)) && body === unit.repeat(body.length / unit.length);
};

const everyWay: readonly (readonly [string, Ways])[] = [
  ['as it comes', {}],
  // The same programs where the kernel may interrupt them, and the other way to run them where it may not.
  ['by raw tracepoint', { without: ['exit-event'] }],
  ['by perf event', { without: ['steady-exits'] }],
  ...(plansHere().all.includes('trampolines')
    ? ([['trampolines', { askedPlan: 'trampolines' }]] as const)
    : []),
];

suite('tasks that interrupt each other in the middle of programs', () => {
  for (const [name, ways] of everyWay)
    test(`${name}: nothing that is told has bytes of another`, async (t) => {
      const folder = mkdtempSync('/dev/shm/throughline-turns-');
      using sensors = load(ways);
      const rings = new MergedRings(sensors.security, sensors.payload);
      const decoder = new EventDecoder();
      const events: EventView[] = [];
      const read = (): void =>
        void rings.drain(Infinity, ({ bytes, view, offset, size }) => {
          const event = decoder.decode(bytes, view, offset, size);
          if (event !== null) events.push(eventView(event, CONTEXT));
        });
      const timer = setInterval(read, DRAIN_MS);
      let facts: Facts;
      try {
        const started = arch() === 'x64' ? [compileProgram('ends-at-once', folder, FOR_32_BITS)] : [];
        facts = JSON.parse((await runToEnd(PYTHON, [PROGRAM, folder, ...started])).stdout) as Facts;
      } finally {
        clearInterval(timer);
        rmSync(folder, { recursive: true, force: true });
      }
      read();
      assert.equal(facts.failed, 0);
      const told = { open: 0, action: 0, exec: 0 };
      for (const event of events) {
        const own = facts.processes[event.type === 'exec' ? event.ppid : event.pid];
        if (own === undefined) continue;
        const texts = textsOf(event);
        for (const text of texts)
          assert.ok(isOf(own, text), `${own}: ${event.type} ${JSON.stringify(texts)}`);
        if (event.type === 'open' || event.type === 'action' || event.type === 'exec')
          told[event.type] += texts.length > 0 ? 1 : 0;
      }
      const { LOST_SECURITY, LOST_BUDGET, SCRATCH_BUSY } = sensors.counters();
      const leftOut = sensors.runsLeftOut();
      t.diagnostic(
        `told: ${JSON.stringify(told)}; left out: ${leftOut}; beyond their share: ${LOST_BUDGET}; without a buffer: ${SCRATCH_BUSY}`,
      );
      // Several wait in the middle of programs, each with a buffer: there are spare ones.
      assert.deepEqual([LOST_SECURITY, SCRATCH_BUSY], [0, 0]);
      const count = Object.keys(facts.processes).length;
      const expected = {
        open: count * facts.rounds,
        action: count * facts.rounds * 2,
        exec: count * facts.programs,
      };
      const missing =
        expected.open - told.open + (expected.action - told.action) + (expected.exec - told.exec);
      // What the tracepoint left out, the end of execve tells, for 32 bits, too, and nothing twice.
      const { chosen } = sensors.plan.find(({ sensor }) => sensor.name === 'process') ?? {};
      if (chosen?.syscallExits['exit_execve'] !== undefined && LOST_BUDGET === 0)
        assert.equal(told.exec, expected.exec);
      // Where the reader gets no time, they may use up their share of the ring.
      assert.ok(
        missing >= 0 && missing <= leftOut + LOST_BUDGET,
        `${JSON.stringify(told)} of ${JSON.stringify(expected)}, ${LOST_BUDGET} beyond their share`,
      );
    });
});
