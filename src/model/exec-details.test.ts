import assert from 'node:assert/strict';
import { test } from 'node:test';
import { traitsOf } from './exec-details.ts';
import { makeDetails } from './testing.ts';

test('nothing is remarkable about an ordinary file, nor about one of which nothing is known', () => {
  assert.deepEqual(traitsOf(makeDetails()), []);
  assert.deepEqual(traitsOf(null), []);
  assert.deepEqual(traitsOf(undefined), []);
});

test('each trait by itself', () => {
  assert.deepEqual(traitsOf(makeDetails({ linkCount: 0 })), ['deleted']);
  assert.deepEqual(traitsOf(makeDetails({ isUpperLayer: true })), ['upper-layer']);
  assert.deepEqual(traitsOf(makeDetails({ mode: 0o104755 })), ['setuid']);
  assert.deepEqual(traitsOf(makeDetails({ mode: 0o102755 })), ['setgid']);
  assert.deepEqual(traitsOf(makeDetails({ mode: 0o100757 })), ['world-writable']);
  assert.deepEqual(traitsOf(makeDetails({ isStartedByKernel: true })), ['kernel-started']);
});

test('set-group-id without execution by the group is no such right', () => {
  assert.deepEqual(traitsOf(makeDetails({ mode: 0o102745 })), []);
});

test('a memory file is not also deleted and writable, which all of them are', () => {
  assert.deepEqual(traitsOf(makeDetails({ isMemoryFile: true, linkCount: 0, mode: 0o100777 })), ['memfd']);
});

test('several at once', () => {
  assert.deepEqual(traitsOf(makeDetails({ linkCount: 0, isUpperLayer: true, mode: 0o106757 })), [
    'deleted',
    'upper-layer',
    'setuid',
    'setgid',
    'world-writable',
  ]);
});
