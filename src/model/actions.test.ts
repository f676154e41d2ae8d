import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ACTION_LIST, argumentsOf } from './actions.ts';
import { SYSCALLS, type SyscallName } from './syscalls.ts';

test('ids are unique, and below what the kernel side has room for', () => {
  const ids = ACTION_LIST.map(({ id }) => id);
  assert.equal(new Set(ids).size, ids.length);
  assert.ok(ids.every((id) => id > 0 && id < 65_536));
});

test('no system call belongs to two actions, and each has a number', () => {
  const calls = ACTION_LIST.flatMap(({ calls: own }) => Object.keys(own));
  assert.equal(new Set(calls).size, calls.length);
  for (const call of calls) assert.ok(call in SYSCALLS, call);
});

test('what is read beside an argument is there', () => {
  for (const { name, calls } of ACTION_LIST)
    for (const syscall of Object.keys(calls) as SyscallName[]) {
      const passed = argumentsOf(name, syscall);
      assert.ok(passed.length <= 6, syscall);
      for (const [index, { kind }] of passed.entries()) {
        if (kind === 'path-at') assert.ok(index > 0, syscall);
        if (kind === 'bytes') assert.ok(index + 1 < 6, syscall);
      }
      const names = passed.map((argument) => argument.name).filter((one) => one !== null);
      assert.equal(new Set(names).size, names.length, syscall);
    }
});

test('a test looks at an argument that is there', () => {
  for (const action of ACTION_LIST)
    if (action.test !== undefined)
      for (const syscall of Object.keys(action.calls) as SyscallName[])
        assert.ok(argumentsOf(action.name, syscall)[action.test.argument], syscall);
});
