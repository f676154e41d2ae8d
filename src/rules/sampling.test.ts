import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { RuleSet } from './rule-set.ts';
import { Sampling } from './sampling.ts';
import { makeEvent, ruleText, rulesOf } from './testing.ts';

test('one event of 1021 is measured, and stands for all; two that are shifted never meet', () => {
  const plain = new Sampling(() => 0);
  const shifted = new Sampling(() => 0, true);
  let measured = 0;
  let both = 0;
  for (let count = 0; count < 102_100; count++) {
    const isPlain = plain.next();
    const isShifted = shifted.next();
    if (isPlain) measured++;
    if (isPlain && isShifted) both++;
  }
  assert.equal(measured, 100);
  assert.equal(both, 0);
  assert.equal(new Sampling(null).next(), false);
});

test('what the clock takes is not counted', () => {
  let now = 0;
  const sampling = new Sampling(() => (now += 0.25));
  let told = 0;
  sampling.timed(
    () => (now += 0.0625),
    (ms) => (told += ms),
  );
  assert.equal(told, 0.0625 * 1021);
  sampling.timed(
    () => (now += 30),
    (ms) => (told = ms),
  );
  assert.equal(told, 0.1 * 1021, 'what the thread waits is not counted');
});

test('a rule has about the time that it takes', () => {
  let now = 0;
  const [rule] = rulesOf(ruleText('evt.hostname = x'));
  assert.ok(rule !== undefined);
  const set = new RuleSet([rule], { matching: 'all', onBroken: assert.fail, now: () => now });
  const event = makeEvent();
  // It takes some microseconds to look.
  Object.defineProperty(event, 'hostname', {
    get: () => {
      now += 0.03125;
      return 'y';
    },
  });
  for (let count = 0; count < 10_210; count++) set.evaluate(event, () => {});
  const { evaluated, timeMs } = set.countersOf(rule);
  assert.equal(evaluated, 10_210);
  assert.equal(timeMs, 10_210 * 0.03125);
});
