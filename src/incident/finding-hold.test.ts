import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ExecutableFile } from '../model/executable.ts';
import type { Finding } from '../model/finding.ts';
import { FindingHold } from './finding-hold.ts';

const finding = (id: string): Finding => ({ id }) as Finding;
const file = (key: string): ExecutableFile => ({
  key,
  executed: null,
  path: '',
  mountNamespace: 0,
  hash: null,
});

function bench() {
  const pending = new Set<ExecutableFile>();
  const told: string[] = [];
  const hold = new FindingHold(
    (one) => pending.has(one),
    ({ id }) => told.push(id),
  );
  return { pending, told, hold };
}

test('nothing to wait for: told at once', () => {
  const { hold, told } = bench();
  hold.add(finding('a'), [file('known')], 1e9);
  assert.deepEqual(told, ['a']);
});

test('told when the last hash is known, in order', () => {
  const { hold, told, pending } = bench();
  const [first, second] = [file('1'), file('2')];
  pending.add(first).add(second);
  hold.add(finding('a'), [first, second], 1e9);
  hold.add(finding('b'), [], 1e9);
  pending.delete(first);
  hold.tick(1.1e9);
  assert.deepEqual(told, []);
  pending.delete(second);
  hold.tick(1.1e9);
  assert.deepEqual(told, ['a', 'b']);
});

test('a moment at most, and not too many at once', () => {
  const { hold, told, pending } = bench();
  const never = file('never');
  pending.add(never);
  hold.add(finding('a'), [never], 1e9);
  hold.tick(1.39e9);
  assert.deepEqual(told, []);
  hold.tick(1.41e9);
  assert.deepEqual(told, ['a']);
  for (let count = 0; count < 2000; count++) hold.add(finding(String(count)), [never], 2e9);
  hold.tick(2e9);
  assert.equal(told.length, 1 + 2000 - 1024);
  hold.tick(Infinity);
  assert.equal(told.length, 2001);
});
