import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { NO_REQUEST } from '../attribution/verdicts.ts';
import { makeProcess } from '../detect/testing.ts';
import type { ConnectEvent, EventHeader, ExecEvent, OpenEvent } from '../model/event.ts';
import { makeDetails } from '../model/testing.ts';
import {
  effectOfConnect,
  effectOfExec,
  effectOfExit,
  effectOfOpen,
  sinksOfConnect,
  sinksOfExec,
  sinksOfOpen,
} from './effects.ts';

const HEADER: EventHeader = {
  timeNs: 5,
  pid: 7,
  tid: 8,
  unit: 8,
  startTicks: 1,
  cgroupId: 1,
  cpu: 3,
  stampConnection: 9,
  stampSequence: 1,
  stampOrigin: 'read',
  readyCount: 0,
  isTruncated: true,
};
const process = makeProcess({ pid: 7 });
const common = { timeNs: 5, pid: 7, tid: 8, process, attribution: NO_REQUEST };

const EXEC: ExecEvent = {
  ...HEADER,
  kind: 'exec',
  parentPid: 1,
  uid: 33,
  gid: 33,
  effectiveUid: 0,
  effectiveGid: 0,
  groups: [],
  inode: 1,
  device: 1,
  stdio: ['pipe', 'pipe', 'socket'],
  comm: 'sh',
  path: '/bin/sh',
  executable: '/usr/bin/dash',
  workingDirectory: '/srv',
  argv: ['sh', '-c', 'id'],
};

const OPEN: OpenEvent = {
  ...HEADER,
  kind: 'open',
  error: 2,
  flags: 0,
  inode: 1,
  device: 1,
  path: 'x',
  resolvedPath: '/srv/x',
};

const CONNECT: ConnectEvent = {
  ...HEADER,
  kind: 'connect',
  family: 'ipv4',
  transport: 'stream',
  remoteAddress: '\x0a\x00\x00\x05',
  remotePort: 5432,
  error: 0,
};

test('an exec', () => {
  assert.deepEqual(effectOfExec(EXEC, process, NO_REQUEST), {
    ...common,
    type: 'exec',
    path: '/bin/sh',
    executable: '/usr/bin/dash',
    argv: ['sh', '-c', 'id'],
    argvTruncated: true,
    workingDirectory: '/srv',
    uid: 33,
    stdio: ['pipe', 'pipe', 'socket'],
    details: null,
    file: null,
    environment: null,
  });
  const details = makeDetails({ isMemoryFile: true });
  assert.equal(effectOfExec({ ...EXEC, details }, process, NO_REQUEST).details, details);
  assert.deepEqual(sinksOfExec(EXEC), ['/bin/sh', 'sh', '-c', 'id']);
});

test('an exit', () => {
  const effect = effectOfExit({ ...HEADER, kind: 'exit', code: 137 }, process, NO_REQUEST);
  assert.deepEqual(effect, { ...common, type: 'exit', code: 137 });
});

describe('an open', () => {
  test('with its error and both paths', () => {
    assert.deepEqual(effectOfOpen(OPEN, process, NO_REQUEST), {
      ...common,
      type: 'open',
      path: 'x',
      resolvedPath: '/srv/x',
      flags: 0,
      isWrite: false,
      error: 2,
    });
    assert.deepEqual(sinksOfOpen(OPEN), ['x', '/srv/x']);
    assert.deepEqual(sinksOfOpen({ ...OPEN, path: '/srv/x' }), ['/srv/x']);
  });

  const flags: readonly (readonly [name: string, flags: number, isWrite: boolean])[] = [
    ['O_RDONLY', 0, false],
    ['O_RDONLY | O_CLOEXEC | O_DIRECTORY', 0o2200000, false],
    ['O_WRONLY', 1, true],
    ['O_RDWR', 2, true],
    ['O_RDONLY | O_CREAT', 0o100, true],
    ['O_RDONLY | O_TRUNC', 0o1000, true],
    ['O_WRONLY | O_APPEND', 0o2001, true],
  ];
  for (const [name, value, isWrite] of flags)
    test(`${name} is ${isWrite ? '' : 'not '}for writing`, () => {
      assert.equal(effectOfOpen({ ...OPEN, flags: value }, process, NO_REQUEST).isWrite, isWrite);
    });
});

describe('a connect', () => {
  const results: readonly (readonly [errno: number, error: number, isInProgress: boolean])[] = [
    [0, 0, false],
    [111, 111, false],
    [115, 0, true],
  ];
  for (const [errno, error, isInProgress] of results)
    test(`with result ${errno}`, () => {
      assert.deepEqual(effectOfConnect({ ...CONNECT, error: errno }, process, NO_REQUEST), {
        ...common,
        type: 'connect',
        family: 'ipv4',
        transport: 'stream',
        remote: { address: '10.0.0.5', port: 5432 },
        error,
        isInProgress,
      });
    });

  test('to a unix socket', () => {
    const effect = effectOfConnect(
      { ...CONNECT, family: 'unix', remoteAddress: '/run/db.sock', remotePort: 0 },
      process,
      NO_REQUEST,
    );
    assert.deepEqual(effect.remote, { address: '/run/db.sock', port: 0 });
  });
});

test('where a connection goes is compared as people write it', () => {
  assert.deepEqual(sinksOfConnect(CONNECT), { address: '10.0.0.5' });
  const remoteAddress = ' \x01\r\xb8\0\0\0\0\0\0\0\0\0\0\0\x07';
  assert.deepEqual(sinksOfConnect({ ...CONNECT, family: 'ipv6', remoteAddress }), { address: '2001:db8::7' });
  assert.deepEqual(sinksOfConnect({ ...CONNECT, family: 'unix', remoteAddress: '/run/x.sock' }), [
    '/run/x.sock',
  ]);
});
