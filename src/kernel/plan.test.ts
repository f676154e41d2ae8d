import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { FEATURE_TITLES, type FeatureName, type Features } from './features.ts';
import { DISPATCHER, planSensors, programsOf, SENSORS, type Alternative, type Sensor } from './plan.ts';
import { SYSCALLS } from '../model/syscalls.ts';

const NAMES = Object.keys(FEATURE_TITLES) as FeatureName[];

/** A kernel that has everything but the features named. */
function kernelWithout(...missing: FeatureName[]): Features {
  const entries = NAMES.map((name) => [
    name,
    missing.includes(name)
      ? { answer: 'unsupported', detail: `no ${name} here` }
      : { answer: 'supported', detail: 'tried' },
  ]);
  return Object.fromEntries(entries) as Features;
}

function alternative(name: string, needs: readonly FeatureName[]): Alternative {
  return { name, needs, programs: [], syscallExits: {}, weaker: '' };
}

const sensor: Sensor = {
  name: 'made-up',
  sees: 'nothing',
  alternatives: [
    alternative('best', ['trampolines', 'lsm']),
    alternative('middle', ['raw-tracepoints']),
    alternative('last', ['btf']),
  ],
};

describe('choosing an alternative', () => {
  const cases: readonly (readonly [missing: FeatureName[], chosen: string | null, reason: string])[] = [
    [[], 'best', 'needs trampolines, lsm: all there'],
    [['ring-buffer'], 'best', 'needs trampolines, lsm: all there'],
    [['lsm'], 'middle', 'best needs lsm (no lsm here)'],
    [
      ['lsm', 'trampolines', 'raw-tracepoints'],
      'last',
      'best needs trampolines (no trampolines here), lsm (no lsm here); ' +
        'middle needs raw-tracepoints (no raw-tracepoints here)',
    ],
    [
      ['lsm', 'raw-tracepoints', 'btf'],
      null,
      'best needs lsm (no lsm here); middle needs raw-tracepoints (no raw-tracepoints here); ' +
        'last needs btf (no btf here)',
    ],
  ];
  for (const [missing, chosen, reason] of cases)
    test(`without ${missing.join(', ') || 'nothing'}: ${chosen ?? 'none'}`, () => {
      const [planned] = planSensors(kernelWithout(...missing), [sensor]);
      assert.equal(planned?.chosen?.name ?? null, chosen);
      assert.equal(planned?.reason, reason);
    });

  test('what could not be found out is not used, and its reason is told', () => {
    const features = {
      ...kernelWithout(),
      lsm: { answer: 'inconclusive', detail: 'EPERM' },
    } satisfies Features;
    const [planned] = planSensors(features, [sensor]);
    assert.equal(planned?.chosen?.name, 'middle');
    assert.equal(planned?.reason, 'best needs lsm (EPERM)');
  });
});

describe('the sensors of this version', () => {
  test('all run on a kernel that has everything, each for a reason', () => {
    const plan = planSensors(kernelWithout());
    assert.deepEqual(
      plan.map(({ sensor: { name } }) => name),
      SENSORS.map(({ name }) => name),
    );
    for (const { chosen, reason } of plan) {
      assert.ok(chosen);
      assert.match(reason, /all there$/);
    }
  });

  test('without what each needs none runs, and each says why', () => {
    for (const { chosen, reason } of planSensors(kernelWithout('raw-tracepoints'))) {
      assert.equal(chosen, null);
      assert.match(reason, /raw-tracepoints \(no raw-tracepoints here\)/);
    }
  });

  test('names are not used twice, but for programs that alternatives share', () => {
    const names = SENSORS.map(({ name }) => name);
    assert.equal(new Set(names).size, names.length);
    for (const { alternatives } of SENSORS) {
      for (const one of alternatives) {
        const programs = programsOf(one);
        assert.equal(new Set(programs).size, programs.length);
      }
    }
    const owned = SENSORS.flatMap(({ alternatives }) => [...new Set(alternatives.flatMap(programsOf))]);
    assert.equal(new Set(owned).size, owned.length);
  });

  test('no system call has two programs: the dispatcher has one entry for each', () => {
    const calls = planSensors(kernelWithout()).flatMap(({ chosen }) =>
      Object.values(chosen?.syscallExits ?? {}).flat(),
    );
    assert.equal(new Set(calls).size, calls.length);
  });

  test('every system call in the table is wanted by some sensor, and every wanted one is in it', () => {
    const wanted = new Set(
      SENSORS.flatMap(({ alternatives }) =>
        alternatives.flatMap((one) => Object.values(one.syscallExits).flat()),
      ),
    );
    assert.deepEqual([...wanted].toSorted(), Object.keys(SYSCALLS).toSorted());
  });

  test('numbers of system calls are unique on each architecture', () => {
    for (const architecture of ['x64', 'arm64'] as const) {
      const numbers = Object.values(SYSCALLS)
        .map((call) => call[architecture])
        .filter((number) => number !== null);
      assert.equal(new Set(numbers).size, numbers.length);
    }
  });
});

const OBJECT = join(import.meta.dirname, '../../build/throughline.bpf.o');
const skip = existsSync(OBJECT) ? false : 'the BPF object is not built';

test('every program that the plan names is in the compiled object', { skip }, () => {
  const strings = new Set(readFileSync(OBJECT).toString('latin1').split('\0'));
  const names = SENSORS.flatMap(({ alternatives }) => alternatives.flatMap(programsOf));
  for (const name of [DISPATCHER, ...names]) assert.ok(strings.has(name), name);
});
