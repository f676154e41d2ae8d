import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { chooseExitHook } from './exit-hooks.ts';
import {
  FEATURE_TITLES,
  featuresLeftOut,
  type Answer,
  type Feature,
  type FeatureName,
  type Features,
} from './features.ts';
import { planSensors } from './plan.ts';

const NAMES = Object.keys(FEATURE_TITLES) as FeatureName[];

function kernelThat(steady: Answer, event: Answer): Features {
  const supported: Feature = { answer: 'supported', detail: 'tried' };
  return {
    ...(Object.fromEntries(NAMES.map((name) => [name, supported])) as Features),
    'steady-exits': { answer: steady, detail: 'as tried' },
    'exit-event': { answer: event, detail: 'no tracefs' },
  };
}

describe('what the dispatcher hangs on', () => {
  const cases: readonly (readonly [steady: Answer, event: Answer, hook: string, reason: string])[] = [
    ['supported', 'inconclusive', 'raw tracepoint', 'by raw tracepoint: as tried'],
    ['supported', 'supported', 'raw tracepoint', 'by raw tracepoint: as tried'],
    ['inconclusive', 'supported', 'raw tracepoint', 'by raw tracepoint: as tried'],
    ['unsupported', 'supported', 'perf event', 'by perf event: as tried'],
    [
      'unsupported',
      'unsupported',
      'raw tracepoint',
      'by raw tracepoint, and much is lost under load: as tried, and no perf event: no tracefs',
    ],
  ];
  for (const [steady, event, hook, reason] of cases)
    test(`steady ${steady}, event ${event}: ${hook}`, () => {
      assert.deepEqual(chooseExitHook(kernelThat(steady, event)), { hook, reason });
    });

  test('the plan says so of sensors that see system calls, and of no others', () => {
    const reasonsOf = (features: Features) =>
      new Map(planSensors(features).map(({ sensor: { name }, reason }) => [name, reason]));
    const onEvent = reasonsOf(kernelThat('unsupported', 'supported'));
    assert.match(onEvent.get('file') ?? '', /; ends of system calls by perf event: as tried/);
    assert.doesNotMatch(onEvent.get('cgroup') ?? '', /perf event/);
    assert.doesNotMatch(reasonsOf(kernelThat('supported', 'supported')).get('file') ?? '', /ends of/);
  });
});

describe('features that are left out', () => {
  test('none, one, several', () => {
    assert.deepEqual([undefined, '', ','].map(featuresLeftOut), [[], [], []]);
    assert.deepEqual(featuresLeftOut('steady-exits,uprobe-multi'), ['steady-exits', 'uprobe-multi']);
  });

  for (const text of ['steady', 'lsm,kprobes', 'toString', ' lsm'])
    test(`${text}: there is no such feature`, () => {
      assert.throws(() => featuresLeftOut(text), /TL3002|THROUGHLINE_WITHOUT is .*none of privilege/);
    });
});
