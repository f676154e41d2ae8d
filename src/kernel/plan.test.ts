import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { FEATURE_TITLES, type FeatureName, type Features } from './features.ts';
import {
  DISPATCHER,
  planAskedFor,
  planSensors,
  PLANS,
  programsOf,
  SENSORS,
  whyNot,
  type Alternative,
  type Plan,
  type Sensor,
} from './plan.ts';
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
      const [planned] = planSensors(kernelWithout(...missing), null, [sensor]);
      assert.equal(planned?.chosen?.name ?? null, chosen);
      assert.equal(planned?.reason, reason);
    });

  test('what could not be found out is not used, and its reason is told', () => {
    const features = {
      ...kernelWithout(),
      lsm: { answer: 'inconclusive', detail: 'EPERM' },
    } satisfies Features;
    const [planned] = planSensors(features, null, [sensor]);
    assert.equal(planned?.chosen?.name, 'middle');
    assert.equal(planned?.reason, 'best needs lsm (EPERM)');
  });
});

describe('a plan that is asked for', () => {
  const both: Sensor = {
    name: 'made-up',
    sees: 'nothing',
    alternatives: [
      { ...alternative('functions', ['trampolines']), plan: 'trampolines' },
      { ...alternative('calls', ['raw-tracepoints']), plan: 'system-calls' },
    ],
  };
  const one: Sensor = { name: 'other', sees: 'nothing', alternatives: [alternative('only', ['btf'])] };
  const LEFT_OUT = 'THROUGHLINE_PLAN is system-calls, so not functions';

  const cases: readonly (readonly [
    asked: Plan | null,
    missing: FeatureName[],
    chosen: string | null,
    reason: string,
  ])[] = [
    [null, [], 'functions', 'needs trampolines: all there; THROUGHLINE_PLAN=system-calls would be possible'],
    [null, ['raw-tracepoints'], 'functions', 'needs trampolines: all there'],
    [null, ['trampolines'], 'calls', 'functions needs trampolines (no trampolines here)'],
    ['trampolines', [], 'functions', 'needs trampolines: all there'],
    ['system-calls', [], 'calls', LEFT_OUT],
    ['system-calls', ['trampolines'], 'calls', LEFT_OUT],
    [
      'trampolines',
      ['trampolines'],
      null,
      'functions needs trampolines (no trampolines here); THROUGHLINE_PLAN is trampolines, so not calls',
    ],
  ];
  for (const [asked, missing, chosen, reason] of cases)
    test(`${asked}, without ${missing.join(', ') || 'nothing'}: ${chosen ?? 'none'}`, () => {
      const plan = planSensors(kernelWithout(...missing), asked, [one, both]);
      assert.deepEqual(
        plan.map((planned) => planned.chosen?.name ?? null),
        ['only', chosen],
      );
      assert.equal(plan[1]?.reason, reason);
      const refusal = `THROUGHLINE_PLAN is ${asked}, but of made-up, ${reason}`;
      assert.equal(whyNot(asked, plan), chosen === null ? refusal : null);
    });

  test('a sensor that cannot run for another reason is no refusal', () => {
    const plan = planSensors(kernelWithout('btf'), 'trampolines', [one, both]);
    assert.deepEqual(
      plan.map(({ chosen }) => chosen?.name ?? null),
      [null, 'functions'],
    );
    assert.equal(whyNot('trampolines', plan), null);
    assert.equal(
      whyNot(null, planSensors(kernelWithout('trampolines', 'raw-tracepoints'), null, [both])),
      null,
    );
  });

  test('by its name in the environment', () => {
    assert.equal(planAskedFor(undefined), null);
    assert.equal(planAskedFor(''), null);
    for (const plan of PLANS) assert.equal(planAskedFor(plan), plan);
    for (const text of ['kprobes', 'Trampolines', 'trampolines,system-calls'])
      assert.throws(() => planAskedFor(text), {
        code: 'TL3002',
        message: /none of system-calls, trampolines$/,
      });
  });
});

describe('the sensors of this version', () => {
  const plans = (features: Features, asked: Plan | null = null) =>
    Object.fromEntries(
      planSensors(features, asked).flatMap(({ sensor: { name, alternatives }, chosen }) =>
        alternatives.some(({ plan }) => plan !== undefined) ? [[name, chosen?.plan ?? null]] : [],
      ),
    );

  test('files and connections are seen by either plan, and by system calls where none is asked for', () => {
    const bySystemCalls = { network: 'system-calls', file: 'system-calls' };
    const byFunctions = { network: 'trampolines', file: 'trampolines' };
    assert.deepEqual(plans(kernelWithout()), bySystemCalls);
    assert.deepEqual(plans(kernelWithout('trampolines'), 'system-calls'), bySystemCalls);
    assert.deepEqual(plans(kernelWithout(), 'trampolines'), byFunctions);
    for (const name of ['open-function', 'open-function-filp'] as const)
      assert.deepEqual(plans(kernelWithout(name), 'trampolines'), byFunctions);
    assert.deepEqual(plans(kernelWithout('open-function', 'open-function-filp'), 'trampolines'), {
      network: 'trampolines',
      file: null,
    });
    assert.deepEqual(plans(kernelWithout('socket-functions'), 'trampolines'), {
      network: null,
      file: 'trampolines',
    });
  });

  test('what sees all ways says so to those that would tell the same once more', () => {
    for (const {
      sensor: { name },
      chosen,
    } of planSensors(kernelWithout(), 'trampolines'))
      if (chosen?.plan !== undefined)
        assert.deepEqual(chosen.switches, [name === 'file' ? 'opens_by_function' : 'connects_by_function']);
    for (const { chosen } of planSensors(kernelWithout(), 'system-calls'))
      assert.equal(chosen?.switches, undefined);
  });

  test('all run on a kernel that has everything, each for a reason', () => {
    const plan = planSensors(kernelWithout());
    assert.deepEqual(
      plan.map(({ sensor: { name } }) => name),
      SENSORS.map(({ name }) => name),
    );
    for (const { chosen, reason } of plan) {
      assert.ok(chosen);
      const other = chosen.plan === undefined ? '' : '; THROUGHLINE_PLAN=trampolines would be possible';
      assert.ok(reason.endsWith(`all there${other}`), reason);
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

test('every program and variable that the plan names is in the compiled object', { skip }, () => {
  const strings = new Set(readFileSync(OBJECT).toString('latin1').split('\0'));
  const names = SENSORS.flatMap(({ alternatives }) => alternatives.flatMap(programsOf));
  const switches = SENSORS.flatMap(({ alternatives }) => alternatives.flatMap((one) => one.switches ?? []));
  for (const name of [DISPATCHER, ...names, ...switches]) assert.ok(strings.has(name), name);
});
