import assert from 'node:assert/strict';
import { test } from 'node:test';
import { COMPAT_SYSCALLS } from './compat-syscalls.ts';
import { SYSCALLS, type SyscallName } from './syscalls.ts';

test('each call of 32-bit programs has one number, and one that means the same for the others', () => {
  const numbers = Object.values(COMPAT_SYSCALLS);
  assert.equal(new Set(numbers).size, numbers.length);
  // The kernel side has room for so many, and takes the last one for itself.
  assert.ok(numbers.every((number) => number > 0 && number < 511));
  for (const name of Object.keys(COMPAT_SYSCALLS) as SyscallName[])
    assert.ok(SYSCALLS[name].x64 !== null, name);
});
