import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EVENT_TYPES } from './event-types.ts';
import { interestOf } from './interest.ts';
import { rulesOf, ruleText } from './testing.ts';

function interest(...conditions: readonly string[]) {
  const text = conditions
    .map((condition, index) => ruleText(condition).replace('rule: r', `rule: r${index}`))
    .join('');
  const { types, ofEverybody, readsOfEverybody } = interestOf(rulesOf(text));
  const names = (indexes: ReadonlySet<number>) => [...indexes].map((type) => EVENT_TYPES[type]);
  return { types: names(types), ofEverybody: names(ofEverybody), readsOfEverybody };
}

test('rules that want a request need no events of others', () => {
  assert.deepEqual(interest('evt.type = chmod and http.method exists'), {
    types: ['chmod'],
    ofEverybody: [],
    readsOfEverybody: false,
  });
  assert.deepEqual(interest('evt.type = chmod and not http.method exists').ofEverybody, ['chmod']);
  assert.deepEqual(interest('evt.type = chmod and http.method != GET').ofEverybody, []);
  assert.deepEqual(interest('evt.type = chmod and (req.grade = exact or proc.name = x)').ofEverybody, [
    'chmod',
  ]);
  assert.deepEqual(
    interest('evt.type in (chmod, chown) and (evt.type = chown or http.path = /x)').ofEverybody,
    ['chown'],
  );
  assert.deepEqual(interest('evt.type = chmod and req.id exists', 'evt.type = chmod').ofEverybody, ['chmod']);
});

test('opens for reading are wanted only where a rule can be true of one', () => {
  const reads = (condition: string) => interest(condition).readsOfEverybody;
  assert.equal(reads('evt.type = openat and fd.name = /etc/shadow'), true);
  assert.equal(
    reads('evt.type in (open, openat) and evt.is_open_read = true and fd.name = /etc/shadow'),
    true,
  );
  assert.equal(reads('evt.type in (open, openat) and evt.is_open_write = true and fd.name = /etc/x'), false);
  assert.equal(reads('evt.type = openat and fd.name = /etc/shadow and http.method exists'), false);
  assert.equal(reads('evt.type = chmod'), false);
  assert.deepEqual(interest(), { types: [], ofEverybody: [], readsOfEverybody: false });
});
