import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OpenQuestion } from '../attribution/open-question.ts';
import type { Effect } from '../model/effect.ts';
import { sampleStory } from '../output/sample-story.ts';
import { ProvisionalEffects } from './provisional-effects.ts';

function held(count: number): { effects: Effect[]; released: Effect[]; provisional: ProvisionalEffects } {
  const [sample] = sampleStory();
  assert.ok(sample);
  const effects = Array.from({ length: count }, (_, index) => ({ ...sample, timeNs: index }));
  const released: Effect[] = [];
  return { effects, released, provisional: new ProvisionalEffects((effect) => released.push(effect)) };
}

test('those of one question go on together, in their order, with the answer', () => {
  const { effects, released, provisional } = held(3);
  const [one, two] = [new OpenQuestion(0, [], true), new OpenQuestion(0, [], true)];
  for (const [index, effect] of effects.entries()) provisional.hold(effect, index === 1 ? two : one, 0);
  one.answer = { grade: 'linked', reason: 'told', request: null, candidates: [] };
  provisional.closed(one);
  assert.deepEqual(released, [effects[0], effects[2]]);
  assert.deepEqual(
    released.map(({ attribution }) => attribution.reason),
    ['told', 'told'],
  );
  provisional.closed(two);
  provisional.closed(two);
  provisional.tick(Infinity);
  assert.equal(released.length, 3);
});

test('of too many the oldest go on as they are', () => {
  const { effects, released, provisional } = held(20_100);
  const question = new OpenQuestion(0, [], true);
  for (const effect of effects) provisional.hold(effect, question, 0);
  assert.deepEqual(released, effects.slice(0, 100));
  provisional.flush();
  provisional.closed(question);
  assert.equal(released.length, effects.length);
});
